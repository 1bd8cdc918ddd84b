"""ruff on the head's files: real defects on added lines, no configuration of the repository, no taste."""

import json

import pytest

from bot import checks, sandbox
from bot.core.check_input import CheckedChange
from bot.core.diff import FileDiff, parse_patch
from bot.core.sandbox_types import Ended, SandboxedProgram
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
    said = await checks.run(CheckedChange((file,), {"a.py": text}), WANTED, sandbox.run)
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


ROW = {"row": 1, "column": 1}
FAILURES = {
    "no UTF-8": (b'["\xff"]', 1),
    "half a character": (b'["\\ud800"]', 1),
    "nested without end": (b"[" * 200_000, 1),
    "another form": (b'{"a": 1}', 0),
    "wrong types": (b'[{"filename": 1}]', 0),
    "another file": ([{"filename": "/etc/passwd", "message": "x", "location": ROW, "code": "F821"}], 0),
    "a file before the first": ([{"filename": "-1.py", "message": "x", "location": ROW, "code": "F821"}], 0),
    "a file after the last": ([{"filename": "7.py", "message": "x", "location": ROW, "code": "F821"}], 0),
}


@pytest.mark.parametrize("kind", FAILURES)
async def test_an_answer_that_cannot_be_ruffs_is_said_and_ends_no_review(kind: str) -> None:
    output, code = FAILURES[kind]

    async def run(_: SandboxedProgram) -> Ended:
        return Ended(code, output if isinstance(output, bytes) else json.dumps(output).encode())

    said = await checks.run(added({"a.py": "print(kettle)\n"}), frozenset({"ruff"}), run)
    assert (said.findings, said.ran) == ((), ())
    ((name, why),) = said.not_run
    assert name == "ruff"
    assert "no answer that can be read" in why or "a file that it was not given" in why


STAR = "from .a import *\nimport os\n\n__all__ = ['Kettle']\n"
GUARD = "def handle(problem):\n    if problem:\n        raise\n"
HELPER = "def reraise(error):\n    raise\n"


async def codes(files: dict[str, str]) -> list[str]:
    return [one.category for one in (await report(files, "ruff", "invisible", "conflicts")).findings]


async def test_what_a_file_like_this_is_made_for_is_not_spoken_of() -> None:
    assert await codes({"tea/__init__.py": STAR, "tea/compat.py": "import os\n"}) == []
    assert (
        await codes({"tests/test_a.py": "import pytest\n1 / 0\ndef a(): ...\ndef a(): ...\npytest\n"}) == []
    )
    assert await codes({"a.py": GUARD + HELPER}) == []
    assert await codes({"a.py": "from fastapi import Query\ndef f(a=Query(1)): return a\n"}) == []


async def test_the_same_where_it_is_a_fault_is_said() -> None:
    assert await codes({"tea/pot.py": "import os\n"}) == ["F401"]
    assert await codes({"tea/pot.py": "1 + 1\ndef a(): ...\ndef a(): ...\n"}) == [
        "F811",
        "B018",
    ] or await codes({"tea/pot.py": "1 + 1\ndef a(): ...\ndef a(): ...\n"}) == ["B018", "F811"]
    assert await codes({"a.py": "def brew():\n    raise\n"}) == ["PLE0704"]
    assert await codes({"a.py": "import time\ndef f(a=time.time()): return a\n"}) == ["B008"]


async def test_equal_remarks_of_one_rule_in_a_file_are_one() -> None:
    (finding,) = (await report({"a.py": "print(kettle)\nx = 1\nprint(kettle, x)\n"}, "ruff")).findings
    assert finding.line == 1
    assert "Also at line 3." in finding.body


async def test_a_remark_says_why_and_links_the_rule() -> None:
    (finding,) = (await report({"a.py": "print(kettle)\n"}, "ruff")).findings
    assert "NameError when this line runs" in finding.body
    assert "[ruff F821](https://docs.astral.sh/ruff/rules/undefined-name)" in finding.body


async def test_a_safe_fix_is_offered_for_the_whole_lines_that_it_changes() -> None:
    text = "import json\nimport os\nimport sys, re\nx = f'tea'\nprint(x, json, re)\n"
    said = (await report({"a.py": text}, "ruff")).findings
    offered = {one.category: (one.start_line, one.line, one.quote, one.replacement) for one in said}
    assert offered == {
        "F401": (1, 2, "import json\nimport os", "import json\n"),
        "F541": (None, 4, "x = f'tea'", "x = 'tea'\n"),
    }


async def test_P3_what_turns_the_text_is_named_instead_of_the_syntax_error_that_it_causes() -> None:
    (finding,) = (await report({"a.py": "x = 1 \u202e + 2\n"}, "ruff", "invisible")).findings
    assert (finding.source, finding.severity) == ("invisible", "critical")
    marks = "<" * 7 + " ours\nx = 1\n=======\nx = 2\n" + ">" * 7 + " theirs\n"
    assert await codes({"a.py": marks}) == ["conflict"]


async def test_syntax_of_a_newer_python_is_none_of_its_faults() -> None:
    assert await codes({"a.py": "def f[T](a: T) -> T:\n    return a\n"}) == []
