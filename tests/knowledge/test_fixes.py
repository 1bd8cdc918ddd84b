"""What mended an issue, and since when: as pull requests, commits, tags and changelogs show it."""

from pathlib import Path
from typing import Any

import pytest

from bot.core.knowledge import Fix, KnownIssue
from bot.knowledge.fixes import fix, section_naming
from bot.knowledge.git import TAGS, Git
from bot.knowledge.indexing import update
from bot.knowledge.issues import RepositoryIssues
from bot.knowledge.storage import IndexStore
from bot.testing.github.git import GitRepo

CHANGES = (
    "# Changes\n\n## Unreleased\n\n- Tea (#9)\n\n## [1.10.0-rc.1] - 2026-01-02\n\n- Kettle, #12\n\n"
    "1.9\n---\n\n* Pot (#3)\n"
)


@pytest.mark.parametrize(
    ("text", "number", "section"),
    [
        (CHANGES, 12, "1.10.0-rc.1"),
        (CHANGES, 3, "1.9"),
        (CHANGES, 9, "Unreleased"),
        (CHANGES, 1, ""),
        ("## v2.0\n\nsee https://github.com/o/r/issues/7", 7, "v2.0"),
        ("- Kettle (#12)\n", 12, ""),
        ("## Kettle\n\n- #12\n", 12, ""),
    ],
)
def test_a_changelog_names_it_under_a_version(text: str, number: int, section: str) -> None:
    assert section_naming(text, {number}) == section


def issue(
    number: int, state: Any = "closed", body: str = "", *, pull: bool = False, closed: int = 100
) -> Any:
    kind = "pull_request" if pull else "issue"
    return KnownIssue(number, kind, state, "Kettle", body, "ann", closed=closed)


def told(folder: Path, issues: list[KnownIssue], *messages: str, tag: str = "") -> Fix | None:
    """What is said of issue 1; the tag is of the second commit, `{before}` in a message the one before."""
    repo, head = GitRepo(folder / "tea.git"), None
    for place, message in enumerate(("Start", *messages)):
        files, message = {"a.py": f"A = {place}\n"}, message.format(before=head)
        head = repo.write(
            "refs/heads/main", files, parent=head, message=message, author="ann", at=1e9 + place
        )
        if tag and place == 1:
            repo.point(f"{TAGS}{tag}", head)
    git = Git(repo.path, own=True)
    index_store = IndexStore.open(folder / "tea.db")
    try:
        update(index_store, git, git.commit("main"))
        RepositoryIssues(index_store, "o/r").store(issues)
        return fix(index_store, git, "o/r", 1)
    finally:
        index_store.close()


MERGED = issue(2, "merged", "Fixes #1", pull=True)


@pytest.mark.parametrize("message", ["Merge pull request #2 from o/fix", "Stop at the brim (#2)"])
def test_the_first_tag_that_has_the_merge(tmp_path: Path, message: str) -> None:
    found = told(tmp_path, [issue(1), MERGED], message, tag="v1.2")
    assert found is not None
    assert (found.pull, found.tag, len(found.commit)) == (2, "v1.2", 40)


@pytest.mark.parametrize(
    ("issues", "messages"),
    [
        ([issue(1, "open"), MERGED], ["Stop (#2)"]),
        ([issue(1), issue(2, "open", "Fixes #1", pull=True)], ["Tea"]),
        ([issue(1), issue(2, "merged", "Fixes #1", pull=True, closed=9_999)], ["Tea"]),
        ([issue(1), issue(2, "merged", "Does not fix #1", pull=True)], ["Tea"]),
        ([issue(1)], ["Like #1", "Fixes #12", "Fixes o/other#1"]),
        ([issue(1)], []),
    ],
)
def test_nothing_is_said_that_nothing_shows(
    tmp_path: Path, issues: list[KnownIssue], messages: list[str]
) -> None:
    assert told(tmp_path, issues, *messages) is None


def test_where_the_merge_cannot_be_found_no_version_is_said(tmp_path: Path) -> None:
    assert told(tmp_path, [issue(1), MERGED], "Stop (#22)", tag="v1.2") == Fix(pull=2)


def test_what_was_reverted_mended_nothing(tmp_path: Path) -> None:
    reverts = 'Revert "Stop (#2)"\n\nThis reverts commit {before}.'
    assert told(tmp_path, [issue(1), MERGED], "Stop (#2)", reverts, tag="v1.2") is None
