"""ruff on the head's files: real defects on added lines, no configuration of the repository, no taste."""

from bot import checks, sandbox
from bot.core.checking import Change
from bot.core.diff import FileDiff, parse_patch
from tests.checks.changes import added, refused, report

WANTED = frozenset({"ruff", "secrets"})


async def found(files: dict[str, str]) -> list[tuple[str, str, int | None]]:
    said = await report(files, *WANTED)
    assert "ruff" in said.ran
    return [(finding.path, finding.category, finding.line) for finding in said.findings]


async def test_an_undefined_name_is_found_where_it_is() -> None:
    assert await found({"src/a.py": "def f():\n    return kettle\n", "b.py": "x = 1\n"}) == [
        ("src/a.py", "F821", 2)
    ]


async def test_taste_is_not_spoken_of() -> None:
    text = "import os,sys\ndef  f( a ):\n  l=os.name ; print( l,sys )\n" + "x = " + "'y' + " * 60 + "'z'\n"
    assert await found({"a.py": text}) == []


async def test_broken_syntax_is_one_critical_finding_a_place() -> None:
    (finding,) = (await report({"a.py": "def f(:\n"}, "ruff")).findings
    assert finding.severity == "critical"


async def test_only_added_lines_count() -> None:
    text = "a = undefined_one\nb = undefined_two\n"
    file = FileDiff("a.py", "modified", parse_patch("@@ -1 +1,2 @@\n a = undefined_one\n+b = undefined_two"))
    said = await checks.run(Change((file,), {"a.py": text}), WANTED, sandbox.run)
    assert [finding.line for finding in said.findings] == [2]


async def test_C4_configuration_of_the_repository_is_never_read() -> None:
    """A `ruff.toml` among the texts, whatever it extends, changes nothing and is not even written."""
    files = {
        "ruff.toml": "extend = '/etc/shadow'\n[lint]\nselect=[]\n",
        "pyproject.toml": "[tool.ruff]\nextend='/etc/passwd'\n",
    }
    assert await found(files | {"a.py": "f(kettle_undefined)\n"}) == [
        ("a.py", "F821", 1),
        ("a.py", "F821", 1),
    ]


async def test_hostile_paths_are_only_names() -> None:
    path = "../../tmp/x\n--config=evil.py"
    assert await found({path: "print(kettle)\n"}) == [(path, "F821", 1)]


async def test_without_python_ruff_does_not_claim_to_have_run() -> None:
    assert (await report({"a.go": "package a\n"}, *WANTED)).ran == ("secrets",)


async def test_S4_ruff_alone_runs_without_a_sandbox_and_the_rest_is_refused_by_name() -> None:
    change = added({"a.py": "print(kettle)\n", "a.sh": "#!/bin/sh\ncd $1\n"})
    said = await checks.run(change, frozenset({"ruff", "shellcheck"}), refused)
    assert [one.category for one in said.findings] == ["F821"]
    assert said.ran == ("ruff",)
    assert said.not_run == (("shellcheck", "no sandbox works here"),)
