"""A real git repository, searched and read."""

import os
import subprocess
from pathlib import Path

import pytest

from bot.core.errors import UserError
from bot.repository import LocalRepository, terms
from tests.agents.conftest import git, make_repository


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    many = {f"docs/page{number}.md": "tea and common words\n" for number in range(20)}
    long = (
        "\n".join(f"line {number}" for number in range(1, 101)) + "\ndef verify_signature(body): ...\nend\n"
    )
    (tmp_path / "house").mkdir()
    return make_repository(
        tmp_path / "house",
        {
            "web/guard.py": long,
            "tests/test_guard.py": "verify_signature(b'')\n",
            "ünï cødé.md": "Müsli\n",
            **many,
        },
    )


async def test_the_rarest_words_lead(checkout: Path) -> None:
    found = await LocalRepository.at(checkout).search("Where is verify_signature called in common?")
    assert {found[0].path, found[1].path} == {"web/guard.py", "tests/test_guard.py"}
    guard = next(each for each in found if each.path == "web/guard.py")
    assert (guard.start, guard.end) == (93, 102)
    assert "101: def verify_signature(body): ..." in guard.numbered
    assert len({each.path for each in found}) <= 8


async def test_from_a_folder_within_the_whole_repository_is_searched(checkout: Path) -> None:
    found = await LocalRepository.at(checkout / "docs").search("verify_signature")
    assert {each.path for each in found} == {"web/guard.py", "tests/test_guard.py"}


async def test_paths_beyond_ascii_and_changes_not_committed(checkout: Path) -> None:
    (checkout / "ünï cødé.md").write_text("Müsli und Kaffee\n")
    (found,) = await LocalRepository.at(checkout).search("kaffee")
    assert (found.path, found.lines) == ("ünï cødé.md", ("Müsli und Kaffee",))
    assert await LocalRepository.at(checkout).read("ünï cødé.md", 1, 9) == found


async def test_lines_are_given_as_far_as_they_exist(checkout: Path) -> None:
    repository = LocalRepository.at(checkout)
    excerpt = await repository.read("web/guard.py", -5, 3)
    assert excerpt is not None
    assert (excerpt.start, excerpt.lines) == (1, ("line 1", "line 2", "line 3"))
    assert (await repository.read("web/guard.py", 102, 10**9)).lines == ("end",)  # type: ignore[union-attr]
    for start, end in ((103, 110), (5, 4), (10**12, 10**12)):
        assert await repository.read("web/guard.py", start, end) is None


async def test_S7_nothing_outside_the_tracked_text_files_is_read(checkout: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hunter2 verify_signature\n")
    (checkout / "untracked.env").write_text("hunter2\n")
    (checkout / "link").symlink_to(secret)
    (checkout / "folder").symlink_to(tmp_path)
    (checkout / "blob").write_bytes(b"hunter2\0")
    git(checkout, "add", "link", "folder", "blob")
    repository = LocalRepository.at(checkout)
    assert await repository.search("hunter2") == ()
    paths = ("link", "untracked.env", "blob", "folder/secret", "../secret", str(secret), "", "web", ":/", "*")
    for path in (*paths, "web/../web/guard.py", "a\0b", "--help", ":(glob)**"):
        assert await repository.read(path, 1, 9) is None, path


async def test_S1_a_repository_cannot_have_its_programs_run(checkout: Path, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    script = tmp_path / "evil.sh"
    script.write_text(f"#!/bin/sh\ntouch {canary}\n")
    script.chmod(0o755)
    for key in ("core.fsmonitor", "core.pager", "pager.grep", "diff.evil.textconv", "core.hooksPath"):
        git(checkout, "config", key, str(script))
    (checkout / ".gitattributes").write_text("* diff=evil\n")
    git(checkout, "add", ".gitattributes")
    canary.unlink(missing_ok=True)
    repository = LocalRepository.at(checkout)
    assert await repository.search("verify_signature")
    assert await repository.read("web/guard.py", 1, 2)
    assert not canary.exists()


async def test_variables_of_git_do_not_lead_elsewhere(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    assert await LocalRepository.at(checkout).search("verify_signature")


@pytest.mark.parametrize(
    "query", ["", "  ", "the of and", "?!", "-e", "--open-files-in-pager=sh", "\0", "a" * 10_000]
)
async def test_queries_that_hold_nothing_find_nothing(query: str, checkout: Path) -> None:
    assert await LocalRepository.at(checkout).search(query) == ()


def test_what_a_question_is_searched_by() -> None:
    assert terms("How is the tea steeped in bot/tea.py?") == ("bot/tea.py", "steep", "tea")
    assert "verify_signature" in terms("Where's `verify_signature()` called?")


def test_a_folder_in_no_repository_is_said(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(UserError) as error:
            LocalRepository.at(folder)
        assert "--folder" in error.value.hint


def test_a_worktree_is_a_repository(checkout: Path, tmp_path: Path) -> None:
    subprocess.run(
        ["git", "-C", checkout, "worktree", "add", "-q", tmp_path / "other"], check=True, env=os.environ
    )
    assert LocalRepository.at(tmp_path / "other").root == tmp_path / "other"
