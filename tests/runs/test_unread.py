"""What of a change nobody could read, and what needs no reading."""

import pytest

from bot.testing.github.git import Content, executable, submodule, symlink
from tests.living import LivingHob

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 12345\n"
START: dict[str, Content] = {
    "tea.py": "brew = 1\n",
    "empty.py": "",
    "old.py": "one = 1\ntwo = 2\nthree = 3\n",
    "model.bin": POINTER.format("a" * 64),
    "lib": submodule("a" * 40),
    "now": symlink("tea.py"),
    "pot.png": b"\0\1\2",
}


async def checked(hob: LivingHob, changes: dict[str, Content]) -> tuple[str | None, str]:
    repo = hob.github.repository("octo/tea", files=START)
    pull = repo.open_pull_request("Change", changes, author="ann")
    await hob.works()
    (check,) = pull.check_runs
    return check.conclusion, f"{check.title}\n{check.text}"


@pytest.mark.parametrize("code", [{}, {"tea.py": "brew = 2\n"}])
@pytest.mark.parametrize(
    ("path", "content", "said"),
    [
        ("lib", submodule("b" * 40), "a submodule: what it points to was not read"),
        ("vendor/lib", submodule("b" * 40), "a submodule: what it points to was not read"),
        ("model.bin", POINTER.format("b" * 64), "a Git LFS pointer: what it points to was not read"),
        ("new.bin", POINTER.format("b" * 64), "a Git LFS pointer: what it points to was not read"),
        ("pot.png", b"\0\1\3", "no patch from GitHub (binary or too large)"),
    ],
)
async def test_what_a_change_only_points_to_is_told_and_turns_no_check_green(
    hob: LivingHob, path: str, content: Content, said: str, code: dict[str, Content]
) -> None:
    conclusion, told = await checked(hob, {path: content, **code})
    assert conclusion == "neutral"
    assert said in told


@pytest.mark.parametrize(
    "changes",
    [
        {"pkg/__init__.py": ""},
        {"empty.py": executable("")},
        {"old.py": ""},
        {"old.py": executable("")},
        {"tea.py": executable("brew = 1\n")},
        {"old.py": None, "new.py": START["old.py"]},
        {"now": symlink("old.py")},
        {"now.py": symlink("../kettle/tea.py"), "run.sh": symlink("tea --hot")},
        {"notes.txt": "Subproject commit " + "b" * 40 + "\n"},
        {"notes.txt": "We write\nversion https://git-lfs.github.com/spec/v1\noid sha256:1\n"},
    ],
)
async def test_what_has_no_changed_lines_or_only_looks_like_a_pointer_is_read(
    hob: LivingHob, changes: dict[str, Content]
) -> None:
    conclusion, told = await checked(hob, changes)
    number = len(changes) - (None in changes.values())
    assert (conclusion, told.partition("\n")[0]) == ("success", f"No findings in {number} of {number} files")
