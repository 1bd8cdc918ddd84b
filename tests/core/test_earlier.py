"""What is new since an earlier head."""

import difflib

from hypothesis import given
from hypothesis import strategies as st

from bot.core.diff import FileDiff, added_lines, parse_patch
from bot.core.incremental_review import ReviewedHead, new_since
from bot.core.refs import Sha

BASE = [f"line {number}" for number in range(1, 41)]


def changed(base: list[str], head: list[str], path: str = "a.py") -> FileDiff:
    lines = list(difflib.unified_diff(base, head, lineterm="", n=3))[2:]
    return FileDiff(path, "modified", parse_patch("\n".join(lines)))


def since(base: list[str], before: list[str], head: list[str], read: bool = True) -> tuple[set[int], bool]:
    """(added lines that are asked about, whether the file counts as read before)"""
    earlier = ReviewedHead(
        Sha("e" * 40), frozenset({"a.py"} if read else ()), {"a.py": "\n".join(before) + "\n"}
    )
    fresh, known = new_since([changed(base, head)], {"a.py": "\n".join(head) + "\n"}, earlier)
    return {number for file in fresh for number in added_lines(file)}, known == ("a.py",)


def with_line(lines: list[str], place: int, text: str) -> list[str]:
    return [*lines[:place], text, *lines[place:]]


def test_only_the_hunks_of_a_push_are_new() -> None:
    first = with_line(BASE, 5, "first")
    second = with_line(first, 30, "second")
    assert since(BASE, first, second) == ({31}, False)
    assert since(BASE, second, second) == (set(), True)


def test_a_file_that_was_not_read_is_new_whole() -> None:
    first = with_line(BASE, 5, "first")
    assert since(BASE, first, first, read=False) == ({6}, False)


def test_after_a_rebase_a_hunk_is_known_where_it_has_moved() -> None:
    first = with_line(BASE, 20, "first")
    other = with_line(BASE, 0, "from main")
    assert since(other, first, with_line(other, 21, "first")) == (set(), True)


def test_a_line_that_was_taken_away_again_is_new() -> None:
    first = with_line(BASE, 5, "first")
    fewer = [line for line in first if line != "line 30"]
    earlier = ReviewedHead(Sha("e" * 40), frozenset({"a.py"}), {"a.py": "\n".join(first)})
    fresh, known = new_since([changed(BASE, fewer)], {"a.py": "\n".join(fewer)}, earlier)
    assert known == ()
    assert [line.text for hunk in fresh[0].hunks or () for line in hunk.lines if line.kind == "-"] == [
        "line 30"
    ]


def test_a_copy_of_lines_that_were_read_is_new() -> None:
    base = ["a", "b", "c", "d"] * 3
    first = [*base, "x = 1", *base]
    twice = [*first, "x = 1", *base]
    asked, known = since(base, first, twice)
    assert asked
    assert not known


def test_what_cannot_be_compared_is_new() -> None:
    file = changed(BASE, with_line(BASE, 5, "first"))
    earlier = ReviewedHead(Sha("e" * 40), frozenset({"a.py"}))
    assert new_since([file], {"a.py": "x"}, earlier) == ((file,), ())


@given(st.lists(st.sampled_from("abcd"), max_size=12), st.lists(st.sampled_from("abcdx"), max_size=12))
def test_nothing_is_new_where_nothing_was_pushed_and_nothing_new_is_missed(
    base: list[str], head: list[str]
) -> None:
    if base == head:
        return
    assert since(base, head, head) == (set(), True) or not head
    fresh, _ = since(base, base, head)
    added = {number for number in added_lines(changed(base, head)) if "x" in head[number - 1]}
    assert added <= fresh
