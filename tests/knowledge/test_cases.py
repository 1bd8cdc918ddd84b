"""Cases for the bench, cut from a small history."""

from pathlib import Path

import pytest

from bot.testing.github.git import Content, GitRepo
from tests.bench.knowledge.cases import (
    Case,
    cut,
    for_tuning,
    from_json,
    patch_lines,
    repositories,
    stripped,
    to_json,
)

MAIN = "refs/heads/main"
START = {
    "src/app.py": "a = 1\n\n\ndef put():\n    return 1\n\n\ndef get():\n    return 2\n",
    "src/side.py": "b = 1\n",
    "tests/test_app.py": "c = 1\n",
    "README.md": "d\n",
}


class History:
    """Commits one after another."""

    def __init__(self, path: Path) -> None:
        self.repo = GitRepo(path)
        self.head: str | None = None
        self.commit("Start", START)

    def commit(self, message: str, files: dict[str, Content]) -> str:
        self.head = self.repo.write(
            MAIN, files, parent=self.head, message=message, author="ann", at=1_700_000_000
        )
        return self.head

    def cases(self, most: int = 40) -> list[Case]:
        return list(cut("app", self.repo.path, most))


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "app.git")


def test_a_fix_becomes_its_words_its_parent_and_the_lines_that_it_changed(history: History) -> None:
    parent = history.head
    app = START["src/app.py"].replace("return 2", "return 3") + "\n\ndef new():\n    return 4\n"
    sha = history.commit(
        "Fix get in src/app.py, it returned too little (#12)\n\nSeen by Ann.", {"src/app.py": app}
    )
    case = history.cases()[0]
    assert (case.commit, case.snapshot) == (sha, parent)
    assert (case.title, case.body) == ("Fix get in , it returned too little", "Seen by Ann.")
    assert case.lines == {"src/app.py": [(9, 9)]}


def test_what_is_inserted_lies_between_two_lines(history: History) -> None:
    history.commit(
        "Fix put that forgets to count",
        {"src/app.py": START["src/app.py"].replace("put():\n", "put():\n    n()\n")},
    )
    assert history.cases()[0].lines == {"src/app.py": [(5, 4)]}


def test_tests_and_documents_are_no_gold(history: History) -> None:
    history.commit(
        "Fix the wrong value of the side",
        {"src/side.py": "b = 2\n", "tests/test_app.py": "c = 2\n", "README.md": "e\n"},
    )
    assert history.cases()[0].files == ["src/side.py"]


@pytest.mark.parametrize(
    ("message", "files"),
    [
        ("Add a thing to the side of it", {"src/side.py": "b = 2\n"}),
        ('Revert "Fix the wrong value of it"', {"src/side.py": "b = 2\n"}),
        ("Fix it", {"src/side.py": "b = 2\n"}),
        ("Fix typo in the name of the side", {"src/side.py": "b = 2\n"}),
        ("Fix the wrong test of the app", {"tests/test_app.py": "c = 2\n"}),
        ("Fix the missing file of the other side", {"src/side.py": "b = 2\n", "src/other.py": "n = 1\n"}),
        ("Fix what is gone from the side", {"src/side.py": None}),
        ("Fix the wrong value everywhere at once", {f"src/f{n}.py": "x = 1\n" for n in range(9)}),
    ],
)
def test_other_commits_are_passed_over(history: History, message: str, files: dict[str, Content]) -> None:
    history.commit(message, files)
    assert history.cases() == []


def test_no_more_than_asked_for_and_the_same_each_time(history: History) -> None:
    for number in range(12):
        history.commit(f"Fix the wrong value of side number {number}", {"src/side.py": f"b = {number + 2}\n"})
    cases = history.cases(3)
    assert len(cases) == 3
    assert cases == history.cases(3)


def test_messages_keep_only_their_authors_words() -> None:
    message = (
        "parser: don't drop lib/parse.js's last line\n\nSee https://example.com/x and 1a2b3c4d5e, GH-7.\n"
        "Fixes #12\nSigned-off-by: Ann <ann@example.com>\n"
    )
    assert stripped(message).splitlines()[0] == "parser: don't drop 's last line"
    for gone in ("https", "1a2b3c4d5e", "#12", "Signed", "parse.js"):
        assert gone not in stripped(message)


def test_a_case_survives_its_file(history: History) -> None:
    history.commit("Fix the wrong value of the side", {"src/side.py": "b = 2\n"})
    case = history.cases()[0]
    assert from_json(to_json(case)) == case


def test_patches_of_others_are_read_too() -> None:
    patch = (
        "diff --git a/src/a.c b/src/a.c\n--- a/src/a.c\n+++ b/src/a.c\n@@ -3,0 +4 @@ int x\n+y\n"
        "@@ -10,2 +12 @@\n-a\n-b\n+c\n"
        "diff --git a/docs/a.md b/docs/a.md\n--- a/docs/a.md\n+++ b/docs/a.md\n@@ -1 +1 @@\n-a\n+b\n"
        "diff --git a/src/new.c b/src/new.c\n--- /dev/null\n+++ b/src/new.c\n@@ -0,0 +1 @@\n+a\n"
    )
    assert patch_lines(patch) == {"src/a.c": [(4, 3), (10, 11)]}


def test_repositories_are_found_as_clones_bare_and_mirrored(tmp_path: Path) -> None:
    for name in ("bare.git", "clone/.git", "owner+name/repo"):
        GitRepo(tmp_path / name)
    (tmp_path / "empty").mkdir()
    assert set(repositories(tmp_path)) == {"bare", "clone", "owner+name"}
    assert repositories(tmp_path / "nowhere") == {}


def test_a_repository_is_always_of_the_same_half() -> None:
    halves = {name: for_tuning(name) for name in map(str, range(50))}
    assert 10 < sum(halves.values()) < 40
    assert halves == {name: for_tuning(name) for name in halves}
