"""A base merged into a head in the clone: what git cannot merge, and the tree of the merge commit."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from bot.core.merging import Conflict, ConflictHunk, MergedTree, MergeTried
from bot.core.refs import Sha
from bot.git import environment
from bot.testing.github.git import Content, executable, submodule, symlink
from bot.testing.github.pulls import PullRequest
from tests.knowledge.clones.conftest import Fetching

LINES = "".join(f"line {n}\n" for n in range(20))


def changed(**lines: str) -> str:
    """The file with other lines: `l3="x"`."""
    return "".join(lines.get(f"l{n}", f"line {n}") + "\n" for n in range(20))


def parted(
    fetching: Fetching,
    before: Mapping[str, Content],
    ours: Mapping[str, Content],
    theirs: Mapping[str, Content],
) -> PullRequest:
    """A pull request, and a base that moved on meanwhile."""
    fetching.repo.commit(dict(before), "Before")
    pull = fetching.repo.open_pull_request("Change", dict(ours), author="ann")
    fetching.repo.commit(dict(theirs), "Meanwhile")
    assert isinstance(pull, PullRequest)
    return pull


def tips(fetching: Fetching, pull: PullRequest) -> tuple[Sha, Sha]:
    return Sha(pull.head_sha), Sha(fetching.repo.git.resolve("refs/heads/main") or "")


async def tried(fetching: Fetching, pull: PullRequest) -> MergeTried:
    async with fetching.clones.held(fetching.repo.id) as held:
        return await held.tried(fetching.origin(), *tips(fetching, pull))


async def completed(fetching: Fetching, pull: PullRequest, **texts: str) -> MergedTree:
    async with fetching.clones.held(fetching.repo.id) as held:
        named = {path.replace("__", "."): text for path, text in texts.items()}
        return await held.completed(fetching.origin(), *tips(fetching, pull), named)


async def one(fetching: Fetching, pull: PullRequest) -> Conflict:
    (conflict,) = (await tried(fetching, pull)).conflicts
    return conflict


async def test_a_conflict_is_told_in_hunks_with_all_three_versions(fetching: Fetching) -> None:
    pull = parted(
        fetching,
        {"a.txt": LINES},
        {"a.txt": changed(l3="ours", l10="ours too")},
        {"a.txt": changed(l3="theirs", l16="theirs alone")},
    )
    found = await tried(fetching, pull)
    assert (found.why, found.behind) == ("", 1)
    (conflict,) = found.conflicts
    assert conflict.hunks == (ConflictHunk("line 3\n", "ours\n", "theirs\n"),)
    expected = changed(l3="X", l10="ours too", l16="theirs alone")
    assert conflict.text(lambda _, __: "X\n") == expected


def merged_by_git(fetching: Fetching, pull: PullRequest, folder: Path, texts: Mapping[str, str]) -> str:
    """The tree that `git merge` in a work tree makes, with these texts where it cannot."""
    head, base = tips(fetching, pull)
    files = {**environment(own=True), "GIT_ALLOW_PROTOCOL": "file"}

    def git(*arguments: str, fine: tuple[int, ...] = (0,)) -> str:
        who = [part for one in ("user.name=a", "user.email=a@b.c") for part in ("-c", one)]
        asked = ["git", "-C", str(folder), *who, *arguments]
        done = subprocess.run(asked, capture_output=True, text=True, check=False, env=files)
        assert done.returncode in fine, done.stderr
        return done.stdout.strip()

    subprocess.run(
        ["git", "clone", "-q", "--no-checkout", str(fetching.repo.git.path), str(folder)], check=True
    )
    git("fetch", "-q", "origin", head, base)
    git("checkout", "-q", head)
    git("merge", "-q", "--no-edit", base, fine=(0, 1))
    for path, text in texts.items():
        (folder / path).write_text(text, newline="")
    git("add", "-A")
    git("commit", "-q", "--allow-empty", "-m", "Merge")
    assert git("rev-parse", "HEAD^2") == base
    return git("rev-parse", "HEAD^{tree}")


CASES: dict[
    str, tuple[Mapping[str, Content], Mapping[str, Content], Mapping[str, Content], dict[str, str]]
] = {
    "one hunk beside clean changes of both": (
        {"a.txt": LINES, "b.txt": LINES, "c.txt": LINES, "gone.txt": "x\n"},
        {"a.txt": changed(l3="ours"), "b.txt": changed(l2="ours"), "new/ours.txt": "1\n"},
        {"a.txt": changed(l3="theirs"), "b.txt": changed(l15="theirs"), "c.txt": "2\n", "gone.txt": None},
        {"a.txt": changed(l3="both")},
    ),
    "modes, links and submodules that one side brings": (
        {"a.txt": LINES, "run.sh": "echo 1\n", "link": symlink("a.txt")},
        {"a.txt": changed(l3="ours"), "run.sh": executable("echo 1\n"), "mod": submodule("1" * 40)},
        {"a.txt": changed(l3="theirs"), "run.sh": "echo 2\n", "link": symlink("run.sh")},
        {"a.txt": changed(l3="both")},
    ),
    "a mode of one side on a file in conflict": (
        {"run.sh": LINES},
        {"run.sh": executable(changed(l3="ours"))},
        {"run.sh": changed(l3="theirs")},
        {"run.sh": changed(l3="both")},
    ),
    "a file that the base moved": (
        {"a.txt": LINES, "b.txt": "x\n"},
        {"a.txt": changed(l3="ours")},
        {"a.txt": None, "moved.txt": changed(l3="theirs"), "b.txt": "y\n"},
        {"moved.txt": changed(l3="both")},
    ),
    "a folder that the base moved": (
        {"old/a.txt": LINES, "old/b.txt": LINES + "b\n", "c.txt": LINES},
        {"old/a.txt": changed(l3="ours"), "c.txt": changed(l3="ours")},
        {
            "old/a.txt": None,
            "old/b.txt": None,
            "new/a.txt": LINES,
            "new/b.txt": LINES + "b\n",
            "c.txt": changed(l3="t"),
        },
        {"c.txt": changed(l3="both")},
    ),
    "bytes of no text beside it": (
        {"a.txt": LINES, "p.png": b"\0\1", "q.png": b"\0\2"},
        {"a.txt": changed(l3="ours"), "p.png": b"\0\3"},
        {"a.txt": changed(l3="theirs"), "q.png": b"\0\4"},
        {"a.txt": changed(l3="both")},
    ),
    "nothing of the head's is left": ({"a.txt": "1\n"}, {"a.txt": "2\n"}, {"a.txt": "3\n"}, {"a.txt": "3\n"}),
    "nothing of the base's is left": ({"a.txt": "1\n"}, {"a.txt": "2\n"}, {"a.txt": "3\n"}, {"a.txt": "2\n"}),
    "names that look like something else": (
        {"--x": "1\n", ":(top)é": "1\n", 'a "b".txt': "1\n", "<<<<<<< a": "1\n"},
        {"--x": "2\n", ":(top)é": "2\n", 'a "b".txt': "2\n", "<<<<<<< a": "2\n"},
        {"--x": "3\n", ":(top)é": "3\n", 'a "b".txt': "3\n", "<<<<<<< a": "3\n"},
        dict.fromkeys(("--x", ":(top)é", 'a "b".txt', "<<<<<<< a"), "4\n"),
    ),
}


@pytest.mark.parametrize("case", CASES)
async def test_the_tree_is_the_one_that_git_merge_makes(
    fetching: Fetching, tmp_path: Path, case: str
) -> None:
    before, ours, theirs, texts = CASES[case]
    pull = parted(fetching, before, ours, theirs)
    assert {
        conflict.path: conflict.why for conflict in (await tried(fetching, pull)).conflicts
    } == dict.fromkeys(texts, "")
    async with fetching.clones.held(fetching.repo.id) as held:
        made = await held.completed(fetching.origin(), *tips(fetching, pull), texts)
    assert made.why == ""
    assert made.tree == merged_by_git(fetching, pull, tmp_path / "work", texts)
    known = {one.sha for one in made.files if one.sha}
    assert known <= fetching.repo.git.objects(known).keys() | {"1" * 40}
    assert made.files
    assert len(made.files) <= max(len(ours), len(theirs)) + len(texts)


async def test_a_base_far_ahead_costs_only_what_the_head_changed(fetching: Fetching) -> None:
    many = {f"src/{n}.py": f"x = {n}\n" for n in range(300)}
    pull = parted(
        fetching, {"a.txt": LINES}, {"a.txt": changed(l3="ours")}, {"a.txt": changed(l3="theirs"), **many}
    )
    made = await completed(fetching, pull, a__txt="both\n")
    assert [one.path for one in made.files] == ["a.txt"]
    assert made.beside == tips(fetching, pull)[1]
    assert len(made.brought) == 301


@pytest.mark.parametrize(
    ("before", "ours", "theirs", "path", "why"),
    [
        ({"a.txt": LINES}, {"a.txt": changed(l3="x")}, {"a.txt": None}, "a.txt", "the other deletes it"),
        ({}, {"n.txt": "1\n"}, {"n.txt": "2\n"}, "n.txt", "both sides add it"),
        ({"p": b"\0\1"}, {"p": b"\0\2"}, {"p": b"\0\3"}, "p", "no text"),
        ({"p": b"caf\xe9 1\n"}, {"p": b"caf\xe9 2\n"}, {"p": b"caf\xe9 3\n"}, "p", "no text"),
        ({"l": symlink("a")}, {"l": symlink("b")}, {"l": symlink("c")}, "l", "symbolic link"),
        (
            {"m": submodule("1" * 40)},
            {"m": submodule("2" * 40)},
            {"m": submodule("3" * 40)},
            "m",
            "submodule",
        ),
        ({"a": LINES}, {"a": None, "b": LINES}, {"a": None, "c": LINES}, "a", "rename"),
        ({"a": LINES}, {"a": symlink("b")}, {"a": changed(l3="x")}, "a", "link"),
        ({"yarn.lock": "1\n"}, {"yarn.lock": "2\n"}, {"yarn.lock": "3\n"}, "yarn.lock", "write it anew"),
        ({"a": "1\n"}, {"a": "2\n" * 200_000}, {"a": "3\n"}, "a", "too large"),
        ({"a": "1\n"}, {"a": "=" * 300 + "\n"}, {"a": "3\n"}, "a", "markers"),
    ],
)
async def test_what_is_no_matter_of_lines_is_left_to_people_and_named(
    fetching: Fetching,
    before: Mapping[str, Content],
    ours: Mapping[str, Content],
    theirs: Mapping[str, Content],
    path: str,
    why: str,
) -> None:
    found = await tried(fetching, parted(fetching, before, ours, theirs))
    told = {conflict.path: conflict.why for conflict in found.conflicts}
    assert why in told[path]
    assert not any(conflict.hunks for conflict in found.conflicts)


async def test_a_file_on_one_side_and_a_folder_on_the_other_is_left(fetching: Fetching) -> None:
    found = await tried(fetching, parted(fetching, {"x": "1\n"}, {"d": "2\n"}, {"d/e": "3\n"}))
    assert any("folder" in conflict.why for conflict in found.conflicts)


async def test_line_ends_that_one_side_changed_are_no_conflict_of_lines(fetching: Fetching) -> None:
    windows = LINES.replace("\n", "\r\n")
    pull = parted(fetching, {"a.txt": LINES}, {"a.txt": windows}, {"a.txt": changed(l3="theirs")})
    conflict = await one(fetching, pull)
    assert conflict.hunks == ()
    assert conflict.finished(conflict.text(lambda _, hunk: hunk.ours)) == changed(l3="theirs").replace(
        "\n", "\r\n"
    )


async def test_the_end_of_a_last_line_is_as_the_side_has_it_that_changed_it(fetching: Fetching) -> None:
    pull = parted(fetching, {"a.txt": "a\nb\n"}, {"a.txt": "a\nours"}, {"a.txt": "a\ntheirs\n"})
    conflict = await one(fetching, pull)
    assert conflict.hunks == (ConflictHunk("b\n", "ours\n", "theirs\n"),)
    assert conflict.finished(conflict.text(lambda _, hunk: hunk.ours)) == "a\nours"


async def test_lines_like_markers_are_lines(fetching: Fetching) -> None:
    lesson = "<<<<<<< HEAD\nmine\n=======\nyours\n>>>>>>> main\n"
    ours, theirs = lesson.replace("mine", "ours"), lesson.replace("mine", "||||||||||| x")
    conflict = await one(fetching, parted(fetching, {"a.md": lesson}, {"a.md": ours}, {"a.md": theirs}))
    assert conflict.hunks == (ConflictHunk("mine\n", "ours\n", "||||||||||| x\n"),)
    assert conflict.text(lambda _, hunk: hunk.theirs) == theirs


async def test_without_conflicts_and_with_nothing_to_merge(fetching: Fetching) -> None:
    pull = parted(fetching, {"a.txt": LINES}, {"a.txt": changed(l3="ours")}, {"b.txt": "1\n"})
    assert await tried(fetching, pull) == MergeTried(behind=1)
    fetching.repo.git.merge_base.cache_clear()
    ahead = fetching.repo.open_pull_request("Ahead", {"c.txt": "1\n"}, author="ann")
    assert isinstance(ahead, PullRequest)
    assert await tried(fetching, ahead) == MergeTried(behind=0)


async def test_histories_that_cross_are_merged_as_git_does(fetching: Fetching, tmp_path: Path) -> None:
    fetching.repo.commit({"a.txt": LINES}, "Before")
    pull = fetching.repo.open_pull_request("Change", {"a.txt": changed(l3="ours")}, author="ann")
    assert isinstance(pull, PullRequest)
    fetching.repo.commit({"a.txt": changed(l10="theirs")}, "Meanwhile")
    head, base = tips(fetching, pull)
    git = fetching.repo.git
    git.point("refs/heads/main", git.merge(base, head, "One way", "bob", 1e9))
    git.point(f"refs/heads/{pull.head_ref}", git.merge(head, base, "The other way", "ann", 1e9))
    pull.push({"a.txt": changed(l3="ours", l10="theirs", l15="left")}, author="ann")
    fetching.repo.commit({"a.txt": changed(l3="ours", l10="theirs", l15="right")}, "Again")
    conflict = await one(fetching, pull)
    assert conflict.hunks == (ConflictHunk("line 15\n", "left\n", "right\n"),)
    text = conflict.text(lambda _, __: "both\n")
    made = await completed(fetching, pull, a__txt=text)
    assert made.tree == merged_by_git(fetching, pull, tmp_path / "work", {"a.txt": text})


async def test_no_driver_filter_or_hook_of_the_repository_runs_and_the_clone_stays_as_it_is(
    fetching: Fetching, tmp_path: Path
) -> None:
    proof = tmp_path / "proof"
    attributes = "*.txt merge=evil filter=evil diff=evil\n"
    config = f'[merge "evil"]\n\tdriver = touch {proof}\n[filter "evil"]\n\tsmudge = touch {proof}\n'
    both = {".gitattributes": attributes, ".gitconfig": config, "config": config}
    pull = parted(
        fetching, {"a.txt": LINES, **both}, {"a.txt": changed(l3="ours")}, {"a.txt": changed(l3="theirs")}
    )
    await one(fetching, pull)
    before = sorted(fetching.folder.glob("**/*"))
    made = await completed(fetching, pull, a__txt="both\n")
    assert made.tree
    assert not proof.exists()
    assert sorted(fetching.folder.glob("**/*")) == before


async def test_a_commit_that_is_there_no_more_and_unrelated_histories_are_told(fetching: Fetching) -> None:
    pull = parted(fetching, {"a.txt": LINES}, {"a.txt": "1\n"}, {"a.txt": "2\n"})
    async with fetching.clones.held(fetching.repo.id) as held:
        gone = await held.tried(fetching.origin(), Sha("1" * 40), tips(fetching, pull)[1])
    assert "somebody pushed" in gone.why
    root = fetching.repo.git.write(
        "refs/heads/root", {"z": "1\n"}, parent=None, message="x", author="a", at=1e9
    )
    async with fetching.clones.held(fetching.repo.id) as held:
        other = await held.tried(fetching.origin(), Sha(root), tips(fetching, pull)[1])
    assert "no common history" in other.why


async def test_a_git_that_is_too_old_is_told(
    fetching: Fetching, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pull = parted(fetching, {"a.txt": LINES}, {"a.txt": "1\n"}, {"a.txt": "2\n"})
    await tried(fetching, pull)
    old = tmp_path / "bin" / "git"
    old.parent.mkdir()
    real = subprocess.run(["which", "git"], capture_output=True, text=True, check=True).stdout.strip()
    usage = "usage: git merge-tree <base-tree> <branch1> <branch2>"
    old.write_text(
        f'#!/bin/sh\ncase " $* " in *" merge-tree "*) echo "{usage}" >&2; exit 129;; esac\nexec {real} "$@"\n'
    )
    old.chmod(0o755)
    monkeypatch.setenv("PATH", f"{old.parent}:/usr/bin:/bin")
    assert "git 2.38" in (await tried(fetching, pull)).why
