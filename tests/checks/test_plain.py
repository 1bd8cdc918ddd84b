"""The checks that need no program: conflict markers, invisible characters, leftovers, lock and
large files."""

import json
from typing import Any

import pytest

from bot.core.check_input import CheckedChange, sizes_wanted
from bot.core.diff import FileDiff, parse_patch
from tests.agents.facts import new_file
from tests.checks.changes import added, binary, found, report

CONFLICT = "a\n<<<<<<< HEAD\nb\n=======\nc\n>>>>>>> green\n"


async def test_a_conflict_marker_is_found_once_a_file() -> None:
    assert await found({"a.c": CONFLICT, "b.md": CONFLICT}, "conflicts") == [
        ("a.c", 2, "A merge conflict was committed"),
        ("b.md", 2, "A merge conflict was committed"),
    ]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.rst", "Title\n=======\n"),
        ("mail.txt", ">>>>>>> he wrote\n"),
        ("a.py", "x = '''\n=======\n'''\n"),
        ("a.c", "<<<<<<<\n    <<<<<<< indented\n"),
    ],
)
async def test_what_only_looks_like_a_marker_is_none(path: str, text: str) -> None:
    assert await found({path: text}, "conflicts") == []


@pytest.mark.parametrize(
    ("char", "severity"),
    [
        ("\u202e", "major"),
        ("\u2066", "major"),
        ("\U000e0041", "major"),
        ("\u200b", "minor"),
        ("\u2060", "minor"),
        ("\ufe0f", "minor"),
        ("\u00ad", "minor"),
        ("\u3164", "minor"),
        ("\u180e", "minor"),
        ("\x08", "minor"),
    ],
)
async def test_P3_an_invisible_character_on_a_new_line_is_a_finding(char: str, severity: str) -> None:
    (finding,) = (await report({"a.js": f"let a = 1\nlet b{char} = 2\n"}, "invisible")).findings
    assert (finding.line, finding.severity) == (2, severity)
    assert f"U+{ord(char):04X}" in finding.body
    assert char not in finding.title + finding.body


async def test_P3_characters_that_are_at_home_are_none() -> None:
    emoji = "\u2764\ufe0f \U0001f468\u200d\U0001f469\u200d\U0001f467"
    persian = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"
    text = f"\ufeffimport tea\n# {emoji} {persian}\n\tx = 'é'\r\n"
    assert await found({"a.py": text}, "invisible") == []


LEFT = {
    "a.py": ("def f():\n    breakpoint()\n", 2, "breakpoint"),
    "b.py": ("import pdb; pdb.set_trace()\n", 1, "pdb.set_trace"),
    "a.js": ("f()\ndebugger;\n", 2, "debugger"),
    "a.ts": ("const x: number = 1\nif (x) { debugger }\n", 2, "debugger"),
    "a.test.tsx": ("it.only('brews', () => <p/>)\n", 1, "it.only"),
    "tests/b.js": ("fdescribe('tea', () => {})\n", 1, "fdescribe"),
    "a.rb": ("def f\n  binding.pry\nend\n", 2, "binding.pry"),
    "b.rb": ("byebug\n", 1, "byebug"),
    "a.rs": ("fn f() { dbg!(1); }\n", 1, "dbg!"),
    "a.cs": ("class A { void F() { Debugger.Break(); } }\n", 1, "Debugger.Break"),
}


@pytest.mark.parametrize("path", LEFT)
async def test_what_was_for_debugging_is_found(path: str) -> None:
    text, line, name = LEFT[path]
    assert await found({path: text}, "leftovers") == [(path, line, f"`{name}` was left in")]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.py", "print('tea')\n# breakpoint()\nx = 'pdb.set_trace()'\nself.breakpoint()\n"),
        ("a.js", "// debugger;\nconst s = 'debugger;'\nconsole.log(1)\nlist.only('x')\n"),
        ("layout.js", "fit(box)\n"),
        ("a.rb", "byebug = 1\n# binding.pry\nputs 'binding.pry'\n"),
        ("a.rs", '// dbg!(1)\nprintln!("dbg!(1)");\n'),
        ("a.go", "// breakpoint()\n"),
    ],
)
async def test_words_about_debugging_are_none(path: str, text: str) -> None:
    assert await found({path: text}, "leftovers") == []


async def test_a_broken_or_deep_file_is_looked_at_as_far_as_it_goes() -> None:
    deep = "(" * 20_000 + "\nbreakpoint()\n"
    assert [line for _, line, _ in await found({"a.py": deep}, "leftovers")] in ([2], [])


def manifest(path: str, line: str, text: str, **more: Any) -> CheckedChange:
    """A change of one line of a manifest."""
    at = text.split("\n").index(line) + 1
    file = FileDiff(path, "modified", parse_patch(f"@@ -{at} +{at} @@\n-old\n+{line}"))
    return CheckedChange((file,), {path: text}, **more)


PACKAGE = json.dumps(
    {"version": "2.0.0", "scripts": {"eslint": "eslint ."}, "dependencies": {"eslint": "^9", "tea": "^1.2"}},
    indent=1,
)
PYPROJECT = """[project]
version = "2"
dependencies = [
  "tea>=2",
]
[dependency-groups]
dev = ["kettle>1"]
"""
CARGO = '[package]\nversion = "2"\n[dependencies]\ntea = "2"\n'
STALE = {
    ("package.json", '  "tea": "^1.2"', PACKAGE): "package-lock.json",
    ("web/package.json", '  "tea": "^1.2"', PACKAGE): "web/yarn.lock",
    ("pyproject.toml", '  "tea>=2",', PYPROJECT): "uv.lock",
    ("pyproject.toml", 'dev = ["kettle>1"]', PYPROJECT): "poetry.lock",
    ("Cargo.toml", 'tea = "2"', CARGO): "Cargo.lock",
    ("go.mod", "\tgithub.com/tea/pot v1.2.3", "module x\n\tgithub.com/tea/pot v1.2.3"): "go.sum",
    ("Gemfile", "gem 'tea'", "gem 'tea'"): "Gemfile.lock",
}


@pytest.mark.parametrize("case", STALE, ids=lambda case: case[0])
async def test_a_dependency_changed_without_its_lock_file(case: tuple[str, str, str]) -> None:
    path, line, text = case
    lock = STALE[case]
    assert lock in sizes_wanted(manifest(path, line, text).files)
    ((_, at, title),) = await found(manifest(path, line, text, sizes={lock: 9}), "locks")
    assert at == text.split("\n").index(line) + 1
    assert title == f"Dependencies change here, {lock.rpartition('/')[2]} does not"


@pytest.mark.parametrize(
    ("path", "line", "text", "more"),
    [
        ("package.json", '  "tea": "^1.2"', PACKAGE, {}),  # there is no lock file
        ("package.json", ' "version": "2.0.0",', PACKAGE, {"sizes": {"package-lock.json": 9}}),
        ("package.json", '  "eslint": "eslint ."', PACKAGE, {"sizes": {"package-lock.json": 9}}),
        ("pyproject.toml", 'version = "2"', PYPROJECT, {"sizes": {"uv.lock": 9}}),
        ("Cargo.toml", 'version = "2"', CARGO, {"sizes": {"Cargo.lock": 9}}),
        ("package.json", '"tea": "1"', '{\n"tea": "1"', {"sizes": {"package-lock.json": 9}}),  # broken
        ("package.json", "[", "[" * 1 + "\n" + "[" * 100_000, {"sizes": {"package-lock.json": 9}}),
        ("Cargo.toml", "a = 1", "a = 1\nb = " + "[" * 5_000, {"sizes": {"Cargo.lock": 9}}),
        ("package.json", '"tea": "1"', '[\n"tea": "1"\n]', {"sizes": {"package-lock.json": 9}}),
        (
            "package.json",
            '  "tea": "^1.2"',
            PACKAGE,
            {"sizes": {"package-lock.json": 9}, "others": (binary("package-lock.json", "modified"),)},
        ),
    ],
)
async def test_no_word_where_the_lock_file_is_right_or_unknown(
    path: str, line: str, text: str, more: dict[str, Any]
) -> None:
    assert await found(manifest(path, line, text, **more), "locks") == []


async def test_a_lock_file_alone_is_said_softly() -> None:
    change = CheckedChange((), {}, (binary("web/yarn.lock", "modified"), binary("old/go.sum", "removed")))
    (finding,) = (await report(change, "locks")).findings
    assert (finding.path, finding.severity, finding.line) == ("web/yarn.lock", "nit", None)


async def test_large_files_are_named_with_their_size() -> None:
    others = (binary("a.bin"), binary("b.bin"), binary("c.bin"), binary("yarn.lock"))
    sizes = {"a.bin": 2_500_000, "b.bin": 900_000, "c.bin": 50_000_000, "yarn.lock": 2_000_000}
    assert sizes_wanted(others) == list(sizes)
    said = await report(CheckedChange((), {}, others, sizes), "large")
    assert [(one.path, one.severity, one.title) for one in said.findings] == [
        ("a.bin", "minor", "A file of 2.4 MB"),
        ("c.bin", "major", "A file of 47.7 MB"),
    ]


async def test_a_check_claims_to_have_run_only_where_there_was_something() -> None:
    names = (
        "secrets",
        "conflicts",
        "invisible",
        "actionlint",
        "leftovers",
        "locks",
        "large",
        "ruff",
        "shellcheck",
    )
    assert (await report(CheckedChange(()), *names)).ran == ()
    assert (await report(added({"a.go": "package a\n"}), *names)).ran == ("secrets", "conflicts", "invisible")


def test_no_size_is_asked_for_without_need() -> None:
    assert sizes_wanted([new_file("a.py", "x = 1\n"), new_file("package.json", "{}\n")]) == []
