"""ruff on the head's files: real defects on added lines, no configuration of the repository, no taste."""

from pathlib import Path

from bot import checks
from bot.checks import ruff
from tests.agents.facts import new_file

WANTED = frozenset({"ruff", "secrets"})


async def found(files: dict[str, str]) -> list[tuple[str, str, int | None]]:
    findings, ran = await checks.run([new_file(path, text) for path, text in files.items()], files, WANTED)
    assert "ruff" in ran
    return [(finding.path, finding.category, finding.line) for finding in findings]


async def test_an_undefined_name_is_found_where_it_is() -> None:
    assert await found({"src/a.py": "def f():\n    return kettle\n", "b.py": "x = 1\n"}) == [
        ("src/a.py", "F821", 2)
    ]


async def test_taste_is_not_spoken_of() -> None:
    text = "import os,sys\ndef  f( a ):\n  l=os.name ; print( l,sys )\n" + "x = " + "'y' + " * 60 + "'z'\n"
    assert await found({"a.py": text}) == []


async def test_broken_syntax_is_one_critical_finding_a_place() -> None:
    (finding,) = await ruff.check({"a.py": "def f(:\n"}) or []
    assert finding.severity == "critical"


async def test_only_added_lines_count() -> None:
    from bot.core.diff import FileDiff, parse_patch

    text = "a = undefined_one\nb = undefined_two\n"
    file = FileDiff("a.py", "modified", parse_patch("@@ -1 +1,2 @@\n a = undefined_one\n+b = undefined_two"))
    findings, _ = await checks.run([file], {"a.py": text}, WANTED)
    assert [finding.line for finding in findings] == [2]


async def test_C4_configuration_of_the_repository_is_never_read(tmp_path: Path) -> None:
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
    _, ran = await checks.run([new_file("a.go", "package a\n")], {"a.go": "package a\n"}, WANTED)
    assert ran == ["secrets"]
