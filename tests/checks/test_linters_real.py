"""What the linters themselves say: as they answered once (`recorded`; its files are named by version), and as
they answer here (`make .venv/.linters`), beside a repository's own configuration."""

from pathlib import Path

import pytest

from bot import checks, sandbox
from bot.checks import linter, programs
from bot.core.sandbox_types import Ended, SandboxedProgram
from tests import needs
from tests.checks.changes import added, report

RECORDED = Path(__file__).parent / "recorded"

WRONG: dict[str, dict[str, str]] = {
    "biome": {
        "a.js": "const a = 1;\na = 2;\nswitch (a) {\n  case 1: f(); break;\n  case 1: g(); break;\n}\n"
        "for (name in a) { f(name); }\nif (a === NaN) { f(); }\nvar unused = 1;\nif (a == b) { debugger; }\n",
        "-x.ts": "export class B extends A {\n  constructor() { this.x = 1; }\n}\nlet y: any = 1;\n",
        "b.tsx": "export const a = <b c='1' c='2' style={{ top: 0 }} />;\n",
        "broken.mjs": "export const a = (1;\n",
        "unread.cjs": "if (a {\n  a = a;\n",
        "right.js": "export function f(x) { return x + 1; }\n",
    },
    "yamllint": {
        "a.yml": "a: 1\nb: on\na: 2\n",
        "b/-c.yaml": "a: *x\nmode: 0644\n",
        "c.yaml": "a: [1,\nb: 2\n",
        "charts/tea/templates/x.yaml": "{{ if x }}\na: [\n",
        "helm.yaml": "a: {{ .Values.x }}\nb: {{ if }} [\n",
        "right.yaml": "---\na: &x [1]\nb: *x\n",
    },
    "hadolint": {
        "Dockerfile": 'FROM a AS x\nFROM b AS x\nCOPY a b c\nCMD ["a"]\nRUN apt-get install x\nCMD ["b"]\n',
        "deploy/Containerfile": "FROM a\nARG AWS_SECRET_ACCESS_KEY\nEXPOSE 99999\n",
        "unread.dockerfile": "FROM a\nRUN <<EOF\ncd /x\nEOF\nCOPY <<EOF /a\nx\nEOF\n",
    },
    "sqlfluff": {
        "a.sql": "SELECT a.x, b.y FROM t AS a\nINNER JOIN u AS b ON a.x = b.y\nWHERE a.z = NULL\n;\n",
        "b.sql": "WITH c AS (SELECT 1 AS n),\nd AS (SELECT 2 AS n)\nSELECT n, n FROM c\n;\n",
        "unread.sql": "\\copy t FROM x\n",
        "templated.sql": "SELECT {{ x }} FROM {% if y %} (\n",
    },
}
WORKFLOW = """on: push
jobs:
  a:
    needs: [b]
    runs-on: ubuntu-latest
    steps:
      - run: echo ::set-output name=x::1
        if: "${{ true }} "
      - {run: "true", id: x}
      - run: "true"
        id: x
        env:
          "a b": 1
  b:
    needs: [a]
    runs-on: ubuntu-latest
    strategy:
      matrix:
        n: [1, 1]
    steps:
      - run: "true"
        shell: fishy
"""
FOUND: dict[str, list[tuple[str, int | None, str]]] = {
    "biome": [
        *(("-x.ts", 2, "noUnreachableSuper"), ("a.js", 2, "noConstAssign"), ("a.js", 5, "noDuplicateCase")),
        *(("a.js", 7, "noGlobalAssign"), ("a.js", 8, "useIsNan"), ("b.tsx", 1, "noDuplicateJsxProps")),
        ("unread.cjs", 1, "parse"),
    ],
    "yamllint": [("a.yml", 3, "key-duplicates"), ("b/-c.yaml", 1, "anchors"), ("c.yaml", 2, "syntax")],
    "hadolint": [
        *(("Dockerfile", 2, "DL3024"), ("Dockerfile", 3, "DL3021"), ("Dockerfile", 6, "DL4003")),
        *(("deploy/Containerfile", 2, "DL3064"), ("deploy/Containerfile", 3, "DL3011")),
    ],
    "sqlfluff": [("a.sql", 3, "CV05"), ("b.sql", 2, "ST03"), ("b.sql", 3, "AL08")],
}
LACKING = {
    "biome": (),
    "yamllint": (),
    "hadolint": (("a part of hadolint", "it could not read 1 file"),),
    "sqlfluff": (("a part of sqlfluff", "it could not read 1 file"),),
}
"""What is said to be unread: Docker's grammar is not all hadolint's, and not all SQL is ANSI's."""
HOSTILE = {
    "biome.json": '{"linter": {"enabled": false}, "plugins": ["./evil.grit"]}\n',
    "biome.jsonc": '{"extends": ["/etc/passwd"], "files": {"includes": []}}\n',
    ".editorconfig": "root = true\n",
    "package.json": '{"type": "commonjs"}\n',
    ".yamllint": "extends: /etc/passwd\n",
    ".yamllint.yml": "ignore: '*'\n",
    ".hadolint.yaml": "ignored: [DL3024, DL3021, DL4003, DL3011]\nfailure-threshold: none\n",
    ".sqlfluff": "[sqlfluff]\nlibrary_path = .\nrules = none\ntemplater = python\n",
    ".sqlfluffignore": "*\n",
    "evil.py": "raise SystemExit\n",
    "sitecustomize.py": "raise SystemExit\n",
}
"""Configurations of a repository's: each would silence a linter, or load something."""
SILENCED = {"sqlfluff": "-- sqlfluff:templater:jinja:library_path:.\n-- sqlfluff:rules:none\n"}
"""Lines with which a file would configure the linter; those of the others move by as many."""


def told(said: object) -> list[tuple[str, int | None, str]]:
    return sorted((one.path, one.line, one.category) for one in said.findings)  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", WRONG)
async def test_what_a_linter_answered_becomes_findings_where_they_are(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (recorded,) = RECORDED.glob(f"{name}-*.out")
    monkeypatch.setattr(programs, "find", lambda _: "/bin/sh")

    async def run(program: SandboxedProgram) -> Ended:
        taken = [path for path in WRONG[name] if linter.known(name).wants(path)]
        assert len(program.files) == len(taken) + len(linter.known(name).files)
        return Ended(1, recorded.read_bytes())

    said = await checks.run(added(WRONG[name]), frozenset({name}), run)
    assert told(said) == FOUND[name]
    assert (said.ran, said.not_run) == ((name,), LACKING[name])


@pytest.mark.parametrize("name", WRONG)
async def test_S1_a_linter_obeys_hobs_configuration_and_none_of_a_repository(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs.sandbox()
    needs.linter(name, monkeypatch)
    said = await report(added(WRONG[name] | HOSTILE), name)
    assert told(said) == FOUND[name]
    assert (said.ran, said.not_run) == ((name,), LACKING[name])
    if name in SILENCED:
        moved = {path: SILENCED[name] + text for path, text in WRONG[name].items()}
        by = SILENCED[name].count("\n")
        expected = [(path, (line or 0) + by, rule) for path, line, rule in FOUND[name]]
        assert told(await report(added(moved), name)) == expected


async def test_S1_actionlint_obeys_hobs_configuration_and_none_of_a_repository(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Hob's own rules answer beside it: what it says is asked of it alone."""
    needs.sandbox()
    needs.linter("actionlint", monkeypatch)
    hostile = {".github/actionlint.yaml": "paths:\n  '**':\n    ignore: ['.*']\n"}
    found = await linter.run(
        "actionlint", added({".github/workflows/-x.yaml": WORKFLOW} | hostile), sandbox.run
    )
    assert sorted((one.line, one.category) for one in found or ()) == [
        *((3, "job-needs"), (7, "deprecated-commands"), (8, "if-cond"), (11, "id"), (13, "env-var")),
        *((19, "matrix"), (22, "shell-name")),
    ]


@pytest.mark.parametrize("name", [*WRONG, "actionlint", "shellcheck"])
async def test_a_linter_says_its_version_in_the_sandbox(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from bot.checks import inventory

    needs.sandbox()
    needs.linter(name, monkeypatch)
    (one,) = [one for one in inventory.programs_of() if one.check == name]
    version, trouble = await inventory.version(one, sandbox.run)
    assert (bool(version), trouble) == (True, "")
