"""Diffs of real git, read back to the letter, and quotes that find their lines or none."""

import os
import random
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.diff import (
    Anchor,
    BadPatch,
    FileDiff,
    added_lines,
    anchor,
    new_side_lines,
    parse_git_diff,
    parse_patch,
    render,
)
from bot.core.diff.anchor import folded
from tests.long import examples

GIT = [
    "git",
    "-c",
    "core.autocrlf=false",
    "-c",
    "user.name=t",
    "-c",
    "user.email=t@t",
    "-c",
    "diff.renames=copies",
]
ENVIRONMENT = os.environ | {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "LC_ALL": "C"}


def git(folder: Path, *words: str) -> bytes:
    return subprocess.run([*GIT, *words], cwd=folder, env=ENVIRONMENT, check=True, capture_output=True).stdout


def committed(folder: Path, files: dict[str, bytes | None]) -> None:
    for name, content in files.items():
        path = folder / name
        if content is None:
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "--allow-empty", "-m", "x")


@pytest.fixture
def repo(tmp_path):
    git(tmp_path, "init", "-q", "-b", "main")
    return tmp_path


def diff(folder: Path, *words: str) -> str:
    raw = git(
        folder,
        "diff",
        "--src-prefix=a/",
        "--dst-prefix=b/",
        "--no-color",
        "--no-ext-diff",
        *words,
        "HEAD~1",
        "HEAD",
    )
    return raw.decode("utf-8", "surrogateescape")


TEXTS = [
    "a", "b", "}", "return", "    x = 1", "\tx = 1", "x = 1", "", "", "  ", "print('hello world')",
    "if a:\r", "naïve", "日本語", "e\u0301", "👩\u200d💻", "a\x0cb", "a\x0bb", "a\u2028b", "a\x85b",
    "lone\rcr", "+plus", "-minus", "@@ -1 +1 @@", "\\ No newline", "diff --git a/x b/x", "--- a/x", "+++ b/x",
    "some_longer_call(with, arguments)", "\u200bhidden", " ",
]  # fmt: skip


def some_lines(rng: random.Random) -> list[str]:
    return [rng.choice(TEXTS) + rng.choice(["", "", str(rng.randrange(9))]) for _ in range(rng.randrange(40))]


def changed(rng: random.Random, lines: list[str]) -> list[str]:
    lines = lines[:]
    for _ in range(rng.randrange(1, 5)):
        place = rng.randrange(len(lines) + 1)
        lines[place : place + rng.randrange(4)] = some_lines(rng)[: rng.randrange(6)]
    return lines


def as_file(rng: random.Random, lines: list[str]) -> bytes:
    text = "\n".join(lines) + rng.choice(["\n", "\n", ""])
    return (text if lines else "").encode()


def numbered(content: bytes) -> list[str]:
    lines = content.decode().split("\n")
    return lines[:-1] if lines[-1] == "" else lines


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Some hundred files before and after, and what git says of them with three widths of context."""
    folder = tmp_path_factory.mktemp("world")
    git(folder, "init", "-q", "-b", "main")
    rng = random.Random(20261121)
    old, new = {}, {}
    for number in range(250):
        lines = some_lines(rng)
        old[f"f{number}.txt"] = as_file(rng, lines)
        new[f"f{number}.txt"] = as_file(rng, changed(rng, lines))
    committed(folder, old)
    committed(folder, new)
    return old, new, [parse_git_diff(diff(folder, "--no-renames", f"-U{width}")) for width in (0, 3, 10)]


def test_every_line_has_its_real_number(world):
    old, new, diffs = world
    seen = 0
    for files in diffs:
        assert {file.path for file in files} == {name for name in old if old[name] != new[name]}
        for file in files:
            before, after = numbered(old[file.path]), numbered(new[file.path])
            for hunk in file.hunks or ():
                for line in hunk.lines:
                    assert line.old is None or before[line.old - 1] == line.text
                    assert line.new is None or after[line.new - 1] == line.text
                    seen += 1
    assert seen > 5_000


def test_both_sides_are_rebuilt_from_the_diff(world):
    old, new, diffs = world
    for files in diffs:
        for file in files:
            lines, place = numbered(old[file.path]), 0
            rebuilt: list[str] = []
            for hunk in file.hunks or ():
                start = hunk.old_start - 1 if hunk.old_count else hunk.old_start
                rebuilt += lines[place:start]
                rebuilt += [line.text for line in hunk.new_side]
                place = start + hunk.old_count
            assert rebuilt + lines[place:] == numbered(new[file.path])
            assert file.additions - file.deletions == len(numbered(new[file.path])) - len(lines)


def test_added_lines_are_among_those_that_take_comments(world):
    for file in world[2][1]:
        assert added_lines(file) <= new_side_lines(file)
        assert len(added_lines(file)) == file.additions


def test_true_quotes_find_lines_that_say_the_same(world):
    rng, found, missed = random.Random(1), 0, 0
    for file in world[2][1]:
        after = numbered(world[1][file.path])
        for hunk in file.hunks or ():
            side = hunk.new_side
            for _ in range(4 if side else 0):
                first = rng.randrange(len(side))
                quoted = side[first : first + rng.randrange(1, 5)]
                place = anchor(file, "\n".join(line.text for line in quoted))
                if place is None:
                    missed += 1
                    continue
                assert_says(after, place, "\n".join(line.text for line in quoted))
                found += 1
    assert found > missed


def trimmed(lines: list[str]) -> list[str]:
    while lines and not lines[0]:
        lines = lines[1:]
    while lines and not lines[-1]:
        lines = lines[:-1]
    return lines


def assert_says(after: list[str], place: Anchor, quote: str) -> None:
    start = place.start_line or place.line
    assert place.start_line is None or place.start_line < place.line
    assert [folded(line) for line in after[start - 1 : place.line]] == trimmed(
        [folded(line) for line in quote.split("\n")]
    )


def test_unique_true_quotes_always_find_their_lines(world):
    for file in world[2][1]:
        for hunk in file.hunks or ():
            for line in hunk.new_side:
                others = [one for other in file.hunks or () for one in other.new_side if one is not line]
                if folded(line.text) and all(folded(one.text) != folded(line.text) for one in others):
                    assert anchor(file, line.text) == Anchor(line.new or 0)


def mutated(rng: random.Random, lines: list[str]) -> str:
    how = rng.randrange(7)
    if how == 0:
        lines = ["   " + line.strip() + "\t" for line in lines]
    elif how == 1:
        lines = lines[::-1]
    elif how == 2:
        lines = [line.replace("x", "y") + "z" for line in lines]
    elif how == 3:
        lines = [f"+{line}" for line in lines]
    elif how == 4:
        lines = ["```py", *lines, "```"]
    elif how == 5:
        lines = [rng.choice(TEXTS) for _ in lines]
    return rng.choice(["\n", "\r\n"]).join(lines)


def test_no_quote_whatever_finds_a_line_that_says_something_else(world):
    rng, found = random.Random(2), 0
    for file in world[2][1] + world[2][2]:
        after = numbered(world[1][file.path])
        for hunk in file.hunks or ():
            side = [line.text for line in hunk.lines]
            for _ in range(6 if side else 0):
                first = rng.randrange(len(side))
                quote = mutated(rng, side[first : first + rng.randrange(1, 5)])
                place = anchor(file, quote, near=rng.choice([None, 1, 10]))
                if place is None:
                    continue
                found += 1
                start = place.start_line or place.line
                shown = [folded(line) for line in after[start - 1 : place.line]]
                assert {place.line, start} <= new_side_lines(file)
                assert quote_allows(quote, shown), (quote, shown)
    assert found > 300


def quote_allows(quote: str, shown: list[str]) -> bool:
    """Whether the lines say what the quote says, told independently of how it was looked for."""
    lines = [line for line in quote.replace("\r\n", "\n").split("\n") if not line.startswith("```")]
    plain = trimmed([folded(line) for line in lines])
    marked = trimmed([folded(line[1:]) for line in lines if line[:1] != "-"])
    slipped = trimmed([folded(line[1:]) for line in lines])
    return shown in (plain, marked, slipped) or (
        len(shown) == 1 and any(one and one in shown[0] for one in plain + marked)
    )


def file_of(patch: str) -> FileDiff:
    return FileDiff("a.py", "modified", parse_patch(patch))


PATCH = """@@ -1,6 +1,8 @@ def f():
 import os
-old = call(1)
+new = call(1)
     return
+    return
 }
+total = compute(price, tax)
 x = 1
 last"""


@pytest.mark.parametrize(
    ("quote", "place"),
    [
        ("new = call(1)", Anchor(2)),
        ("  new  =  call(1)  ", Anchor(2)),
        ("+new = call(1)", Anchor(2)),
        ("-old = call(1)\n+new = call(1)", Anchor(2)),
        ("import os\nnew = call(1)", Anchor(2, 1)),
        ("\n\nnew = call(1)\n\n", Anchor(2)),
        ("```py\nnew = call(1)\n```", Anchor(2)),
        ("compute(price, tax)", Anchor(6)),
        ("import os", Anchor(1)),
        ("-x = 1", Anchor(7)),
        ("}", Anchor(5)),
        ("old = call(1)", None),
        ("-old = call(1)", None),
        ("return", None),
        ("    return", None),
        ("compute(pric", None),
        ("ast", None),
        ("12: new = call(1)", None),
        ("invented = True", None),
        ("", None),
        (" \n\t", None),
        ("```\n```", None),
        ("new = call(1)\n}", None),
    ],
)
def test_where_a_quote_is_found(quote, place):
    assert anchor(file_of(PATCH), quote) == place


def test_an_exact_copy_wins_over_another_indentation():
    file = file_of("@@ -1,2 +1,4 @@\n a\n+x = one()\n+    x = one()\n b")
    assert anchor(file, "    x = one()") == Anchor(3)
    assert anchor(file, "x = one()") == Anchor(2)
    assert anchor(file, "  x = one()") is None


def test_an_added_line_wins_over_context_and_two_are_no_answer():
    assert anchor(file_of("@@ -1,2 +1,3 @@\n same(1)\n+same(1)\n b"), "same(1)") == Anchor(2)
    twice = file_of("@@ -1,1 +1,2 @@\n+same(1)\n a\n@@ -9,1 +10,2 @@\n+same(1)\n b")
    assert anchor(twice, "same(1)") is None
    assert anchor(twice, "same(1)", near=12) == Anchor(10)


def test_a_quote_over_two_hunks_has_no_place():
    assert (
        anchor(file_of("@@ -1 +1 @@\n-a\n+first()\n@@ -5 +5 @@\n-b\n+second()"), "first()\nsecond()") is None
    )


def test_N3_a_file_without_a_patch_has_no_lines():
    file = FileDiff("a.png", "added", None)
    assert (new_side_lines(file), added_lines(file), anchor(file, "x"), render(file)) == (
        set(),
        set(),
        None,
        "",
    )


def test_the_render_is_the_diff_and_its_numbers_are_the_new_side():
    assert render(file_of("@@ -1,2 +1,2 @@ f\n a\n-b\n+c")) == "@@ f\n a\n-b\n+c"
    assert render(file_of("@@ -7,2 +8,2 @@\n a\n-b\n+c"), numbered=True) == "@@\n    8  a\n      -b\n    9 +c"


@pytest.mark.parametrize(
    "patch",
    [
        "garbage",
        "@@ -1 +1 @@",
        "@@ -1,2 +1,2 @@\n a",
        "@@ -1 +1 @@\n a\n b",
        "@@ -1,1 +1,2 @@\n a\n-b",
        "@@@ -1 -1 +1 @@@\n  a",
        "@@ -0,1 +1 @@\n a",
        "@@ -1 +1 @@\n a\n@@ -1 +1 @@\n a",
        "@@ -1 +1 @@\n\\ No newline at end of file\n a",
        "@@ -1 +1 @@\n*a",
        "@@ -99999999999 +1 @@\n a",
        "@@ -\u0661 +1 @@\n a",
        "--- a/x\n+++ b/x\n@@ -1 +1 @@\n a",
    ],
)
def test_what_is_no_patch_has_no_line_numbers(patch):
    with pytest.raises(BadPatch):
        parse_patch(patch)


def test_counts_headings_and_missing_line_ends_of_a_patch():
    (hunk,) = parse_patch("@@ -0,0 +1 @@\n+a\n\\ No newline at end of file")
    assert (hunk.old_start, hunk.old_count, hunk.new_start, hunk.new_count, hunk.heading) == (0, 0, 1, 1, "")
    (hunk,) = parse_patch("@@ -1,2 +1,2 @@ class A: # @@ x\n-a\n\\ No newline at end of file\n+b\n c\n")
    assert hunk.heading == "class A: # @@ x"
    assert [line.kind for line in hunk.lines] == ["-", "+", " "]
    assert parse_patch("") == ()


@given(
    st.text()
    | st.lists(st.sampled_from(["@@ -1,2 +1,2 @@", " a", "+b", "-c", "\\ x", "", "@@ -5 +5 @@ f"])).map(
        "\n".join
    )
)
def test_any_text_is_a_patch_or_a_bad_one(text):
    try:
        hunks = parse_patch(text)
    except BadPatch:
        return
    for hunk in hunks:
        assert [line.new for line in hunk.new_side] == list(
            range(hunk.new_start, hunk.new_start + hunk.new_count)
        )


@settings(max_examples=examples(200))
@given(st.text(max_size=200))
def test_any_text_is_a_git_diff_or_a_bad_one(text):
    for start in ("", "diff --git a/x b/x\n", "diff --git a/x b/x\n--- a/x\n+++ b/x\n"):
        try:
            parse_git_diff(start + text)
        except BadPatch:
            continue


def only(folder: Path) -> FileDiff:
    (file,) = parse_git_diff(diff(folder))
    return file


LONG = b"".join(b"line %d\n" % number for number in range(30))


def test_added_removed_and_empty_files(repo):
    committed(repo, {"old.py": b"a\nb\n", "keep": b"x\n", "empty_then": b""})
    committed(repo, {"old.py": None, "new.py": b"c", "empty_now": b"", "empty_then": None})
    files = {file.path: file for file in parse_git_diff(diff(repo, "--no-renames"))}
    assert {path: file.status for path, file in files.items()} == {
        "old.py": "removed", "new.py": "added", "empty_now": "added", "empty_then": "removed",
    }  # fmt: skip
    assert files["empty_now"].hunks is None
    assert new_side_lines(files["old.py"]) == set()
    assert new_side_lines(files["new.py"]) == {1}
    assert files["new.py"].old_path is None


def test_renames_copies_and_modes(repo):
    committed(repo, {"a.py": LONG, "same.py": LONG + b"same\n", "run": b"x\n"})
    (repo / "run").chmod(0o755)
    committed(repo, {"a.py": None, "b.py": LONG + b"more\n", "same.py": None, "moved.py": LONG + b"same\n"})
    files = {file.path: file for file in parse_git_diff(diff(repo, "-M"))}
    assert (files["b.py"].status, files["b.py"].old_path) == ("renamed", "a.py")
    assert added_lines(files["b.py"]) == {31}
    assert (files["moved.py"].status, files["moved.py"].old_path, files["moved.py"].hunks) == (
        "renamed",
        "same.py",
        None,
    )
    assert (files["run"].status, files["run"].hunks, files["run"].old_path) == ("changed", None, None)
    committed(repo, {"c.py": LONG + b"more\n"})
    copy = parse_git_diff(diff(repo, "-C", "--find-copies-harder"))[0]
    assert (copy.path, copy.status, copy.old_path, copy.hunks) == ("c.py", "copied", "b.py", None)


def test_a_file_with_new_mode_and_new_text_is_modified(repo):
    committed(repo, {"run": b"x\n"})
    (repo / "run").chmod(0o755)
    committed(repo, {"run": b"y\n"})
    assert (only(repo).status, added_lines(only(repo))) == ("modified", {1})


@pytest.mark.parametrize("flag", ["--no-renames", "--binary"])
def test_binary_files_have_no_lines(repo, flag):
    committed(repo, {"x.png": b"\x00\x01" * 99, "z": b"a\n"})
    committed(repo, {"x.png": b"\x00\x02" * 99, "z": b"b\n"})
    binary, text = parse_git_diff(diff(repo, flag))
    assert (binary.path, binary.status, binary.hunks) == ("x.png", "modified", None)
    assert added_lines(text) == {1}


def test_a_submodule_is_one_line(repo):
    committed(repo, {"a": b"x\n"})
    head = git(repo, "rev-parse", "HEAD").decode().strip()
    git(repo, "update-index", "--add", "--cacheinfo", f"160000,{head},sub")
    git(repo, "commit", "-q", "-m", "sub")
    assert (only(repo).path, only(repo).status) == ("sub", "added")
    assert anchor(only(repo), f"Subproject commit {head}") == Anchor(1)


@pytest.mark.parametrize(
    "name",
    [
        "with space.py", "ünï/côdé.py", "日本.py", 'quo"te.py', "back\\slash.py", "tab\there.py",
        "new\nline.py", "a b/c", " b/x b/x", "x b/x", "trailing ", "bell\a",
        "cr\r", "\u2028", "b/b", "é b/é", "-dash", "👩\u200d💻",
    ],
)  # fmt: skip
@pytest.mark.parametrize("quote", ["true", "false"])
def test_odd_paths_come_through(repo, name, quote):
    git(repo, "config", "core.quotePath", quote)
    committed(repo, {name: b"a\n", f"r/{name}": LONG})
    committed(repo, {name: b"b\n", f"r/{name}": None, f"s/{name}": LONG})
    files = {file.path: file for file in parse_git_diff(diff(repo))}
    assert set(files) == {name, f"s/{name}"}
    assert files[name].blob == git(repo, "hash-object", "--", name).decode().strip()[: len(files[name].blob)]
    assert files[f"s/{name}"].old_path == f"r/{name}"
    committed(repo, {name: None})
    assert (only(repo).path, only(repo).status) == (name, "removed")
    committed(repo, {name: b""})
    assert (only(repo).path, only(repo).status) == (name, "added")


def test_a_path_that_is_no_utf8_is_as_the_file_system_says(repo):
    name = os.fsdecode(b"caf\xe9.txt")
    committed(repo, {"x": b"x\n"})
    committed(repo, {name: b"a\n"})
    assert only(repo).path == name


@pytest.mark.parametrize(
    "text",
    ["diff --cc a\n", "--- a\n+++ b\n@@ -1 +1 @@\n-a\n+b\n", "diff --git a/x b/y\n", "diff --git x y\n"],
)
def test_what_git_did_not_write_so_is_refused(text):
    with pytest.raises(BadPatch):
        parse_git_diff(text)
