"""The patch that a person is given where Hob may not push it: git takes it, and it makes the same files."""

from collections.abc import Mapping
from pathlib import Path
from subprocess import run

import pytest

from bot.proposals import MOST_PATCH, diff

BEFORE = {
    "tea.py": "a = 1\nb = 2\nc = 3\n",
    "crlf.txt": "one\r\ntwo\r\n",
    "bare.txt": "one\ntwo",
    "größe ü/x y.py": "x = 1\n",
    "gone.py": "x = 1\n",
    "feed.txt": "a\x0cb\u2028c\n\x0b\nd\n",
}


def applied(at: Path, before: Mapping[str, str], patch: str) -> dict[str, str]:
    for path, text in before.items():
        (at / path).parent.mkdir(parents=True, exist_ok=True)
        (at / path).write_bytes(text.encode())
    given = run(["git", "apply", "-"], cwd=at, input=patch.encode(), capture_output=True, check=False)
    assert given.returncode == 0, given.stderr
    files = (one for one in at.rglob("*") if one.is_file())
    return {one.relative_to(at).as_posix(): one.read_bytes().decode() for one in files}


@pytest.mark.parametrize(
    "after",
    [
        {"tea.py": "a = 1\nb = 3\nc = 3\n"},
        {"tea.py": "a = 1\nb = 2\nc = 3"},
        {"crlf.txt": "one\r\nthree\r\n"},
        {"bare.txt": "one\nthree"},
        {"bare.txt": "one\ntwo\n"},
        {"größe ü/x y.py": "x = 2\n"},
        {"gone.py": None},
        {"new/one.py": "x = 1\n", "new/bare.py": "x = 1"},
        {"gone.py": None, "moved.py": "x = 1\n"},
        {"feed.txt": "a\x0cb\u2028e\n\x0b\nd\n"},
        {"new/empty.py": ""},
        {"gone.py": ""},
    ],
)
def test_git_applies_it_and_makes_the_same_files(tmp_path: Path, after: Mapping[str, str | None]) -> None:
    wanted = {path: text for path, text in {**BEFORE, **after}.items() if text is not None}
    assert applied(tmp_path, BEFORE, diff(BEFORE, after)) == wanted


def test_what_is_too_long_has_whole_files_and_says_what_is_left_out(tmp_path: Path) -> None:
    long = {f"long_{n}.py": f"x = '{'ü' * 9_000}{n}'\n" for n in range(4)}
    after = {**long, "huge.py": "y" * MOST_PATCH, "tea.py": "a = 2\n"}
    patch = diff(BEFORE, after)
    assert len(patch.encode()) <= MOST_PATCH + 200
    assert patch.startswith(
        "# Not whole: 3 of 6 files are too long to stand here: huge.py, long_2.py, long_3.py\n"
    )
    made = applied(tmp_path, BEFORE, patch)
    assert made == {
        **BEFORE,
        "long_0.py": long["long_0.py"],
        "long_1.py": long["long_1.py"],
        "tea.py": "a = 2\n",
    }
