"""Clones of real repositories, fetched over HTTP: what they hold, what they cost, what they withstand."""

import asyncio
import os
from pathlib import Path

import pytest

from bot.core.errors import GitHubError, Gone, TemporaryError
from bot.knowledge.clones import RepositoryTooLarge
from bot.testing.github.git import GitRepo
from tests.knowledge.clones.conftest import Fetching


async def test_the_newest_texts_and_the_whole_history_are_there_after_two_requests(
    fetching: Fetching,
) -> None:
    fetching.repo.commit({"tea.py": "def brew():\n    return 2\n"}, "Brew hotter")
    old = fetching.repo.git.resolve("main~1")
    updated = await fetching.clones.update(fetching.repo.id, fetching.origin())
    assert updated.tip == fetching.repo.git.resolve("main")
    assert fetching.text("tea.py") == "def brew():\n    return 2\n"
    assert fetching.text("lib/pot.py") == "POT = 1\n"
    assert fetching.packs_asked() == 2
    assert [one.message for one in GitRepo(fetching.folder).log(str(old), updated.tip)] == ["Brew hotter"]
    assert fetching.text("tea.py", str(old)) is None, "an old text was fetched"


async def test_a_push_costs_one_request(fetching: Fetching) -> None:
    await fetching.clones.update(fetching.repo.id, fetching.origin())
    fetching.repo.commit({"tea.py": "def pour():\n    return 3\n", "new.py": "NEW = 1\n"}, "Pour")
    before = fetching.packs_asked()
    await fetching.clones.update(fetching.repo.id, fetching.origin())
    assert fetching.packs_asked() - before == 1
    assert (fetching.text("tea.py"), fetching.text("new.py")) == ("def pour():\n    return 3\n", "NEW = 1\n")


async def test_nothing_is_fetched_when_nothing_has_changed(fetching: Fetching) -> None:
    await fetching.clones.update(fetching.repo.id, fetching.origin())
    before = fetching.packs_asked()
    await fetching.clones.update(fetching.repo.id, fetching.origin())
    assert fetching.packs_asked() == before


async def test_a_history_rewritten_by_force_is_followed(fetching: Fetching) -> None:
    await fetching.clones.update(fetching.repo.id, fetching.origin())
    root = fetching.repo.git.write(
        "refs/heads/main", {"other.py": "X = 1\n"}, parent=None, message="Anew", author="mona", at=1e9
    )
    updated = await fetching.clones.update(fetching.repo.id, fetching.origin())
    assert updated.tip == root
    assert fetching.text("other.py") == "X = 1\n"
    assert fetching.text("tea.py") is None


async def test_a_text_that_came_back_from_older_history_is_fetched(fetching: Fetching) -> None:
    fetching.repo.commit({"tea.py": "x = 2\n"}, "Two")
    await fetching.clones.update(fetching.repo.id, fetching.origin())
    fetching.repo.commit({"tea.py": "def brew():\n    return 1\n"}, "Back to one")
    await fetching.clones.update(fetching.repo.id, fetching.origin())
    assert fetching.text("tea.py") == "def brew():\n    return 1\n"


async def test_large_files_are_left_out_and_not_asked_for_again(fetching: Fetching) -> None:
    fetching.repo.commit({"film.bin": os.urandom(2 << 20), "a.py": "A = 1\n"}, "A film")
    await fetching.clones.update(fetching.repo.id, fetching.origin())
    assert GitRepo(fetching.folder).objects(["refs/hob/tip:film.bin"]) == {}
    assert fetching.text("a.py") == "A = 1\n"
    before = fetching.packs_asked()
    await fetching.clones.update(fetching.repo.id, fetching.origin())
    assert fetching.packs_asked() == before


async def test_S9_texts_of_unknown_size_are_cut_off_when_they_are_too_large_together(
    fetching: Fetching,
) -> None:
    fetching.repo.commit({"film.bin": os.urandom(8 << 20)}, "A film")
    await fetching.clones.update(fetching.repo.id, fetching.origin())
    (fetching.folder / "hob-left-out").unlink()
    fetching.github.fault("POST", "git-upload-pack fetch", kind="apply_then_hang")
    await fetching.clones.update(fetching.repo.id, fetching.origin())
    assert GitRepo(fetching.folder).objects(["refs/hob/tip:film.bin"]) == {}
    assert sum(one.stat().st_size for one in fetching.folder.rglob("*") if one.is_file()) < 1 << 20
    before = fetching.packs_asked()
    await fetching.clones.update(fetching.repo.id, fetching.origin())
    assert fetching.packs_asked() == before


async def test_heads_of_pull_requests_are_fetched_on_request(fetching: Fetching) -> None:
    await fetching.clones.update(fetching.repo.id, fetching.origin())
    pull = fetching.repo.open_pull_request("Stir", {"stir.py": "S = 1\n"}, author="eve", fork=True)
    sha = await fetching.clones.pull_head(fetching.repo.id, fetching.origin(), pull.number)
    assert sha == pull.head_sha
    assert fetching.text("stir.py", sha) == "S = 1\n"
    with pytest.raises(Gone):
        await fetching.clones.pull_head(fetching.repo.id, fetching.origin(), 99)


async def test_an_empty_repository_is_no_error(fetching: Fetching) -> None:
    fetching.repo.git.point("refs/heads/main", None)
    assert (await fetching.clones.update(fetching.repo.id, fetching.origin())).tip == ""


async def test_a_renamed_default_branch_is_followed(fetching: Fetching) -> None:
    await fetching.clones.update(fetching.repo.id, fetching.origin())
    fetching.repo.default_branch = "trunk-é"
    sha = fetching.repo.commit({"t.py": "T = 1\n"}, "Trunk")
    assert (await fetching.clones.update(fetching.repo.id, fetching.origin())).tip == sha


async def test_many_packs_become_one(fetching: Fetching, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.knowledge.clone.MOST_PACKS", 3)
    for number in range(6):
        fetching.repo.commit({f"f{number}.py": f"F = {number}\n"}, f"File {number}")
        await fetching.clones.update(fetching.repo.id, fetching.origin())
    assert len(list(fetching.folder.glob("objects/pack/*.pack"))) <= 4
    assert [fetching.text(f"f{number}.py") for number in range(6)] == [
        f"F = {number}\n" for number in range(6)
    ]


async def test_S9_a_repository_over_the_cap_is_not_cloned_and_that_is_said(fetching: Fetching) -> None:
    with pytest.raises(RepositoryTooLarge, match="over 64 MB"):
        await fetching.clones.update(fetching.repo.id, fetching.origin(size_kb=65 << 10))
    assert fetching.github.fetches == []


async def test_S9_a_pack_over_the_cap_is_cut_off_and_leaves_nothing(fetching: Fetching) -> None:
    small = type(fetching.clones)(fetching.clones.folder, 1)
    fetching.repo.commit({f"{n}.bin": os.urandom(1 << 19) for n in range(6)}, "Half a megabyte, six times")
    fetching.github.fault("POST", "git-upload-pack fetch", kind="apply_then_hang", times=9, seconds=20)
    with pytest.raises(RepositoryTooLarge):
        await small.update(fetching.repo.id, fetching.origin())
    assert small.known() == []


async def test_a_broken_clone_is_made_anew_and_that_is_said(fetching: Fetching) -> None:
    await fetching.clones.update(fetching.repo.id, fetching.origin())
    for pack in fetching.folder.glob("objects/pack/*.pack"):
        pack.chmod(0o600)
        pack.write_bytes(pack.read_bytes()[: pack.stat().st_size // 2])
    fetching.repo.commit({"new.py": "N = 1\n"}, "New")
    updated = await fetching.clones.update(fetching.repo.id, fetching.origin())
    assert "anew" in updated.note
    assert fetching.text("new.py") == "N = 1\n"
    assert fetching.text("tea.py") is not None


async def test_what_a_killed_git_left_is_taken_away(fetching: Fetching) -> None:
    await fetching.clones.update(fetching.repo.id, fetching.origin())
    for name in (
        "packed-refs.lock",
        "refs/hob/tip.lock",
        "objects/pack/tmp_pack_x",
        "objects/pack/pack-1.keep",
    ):
        (fetching.folder / name).write_text("")
    fetching.repo.commit({"new.py": "N = 1\n"}, "New")
    assert (await fetching.clones.update(fetching.repo.id, fetching.origin())).note == ""
    assert not list(fetching.folder.rglob("*.lock"))
    assert not (fetching.folder / "objects/pack/tmp_pack_x").exists()


async def test_a_clone_between_its_two_requests_is_completed(fetching: Fetching) -> None:
    fetching.repo.commit({"tea.py": "x = 2\n"}, "Two")
    await fetching.clones.update(fetching.repo.id, fetching.origin())
    (fetching.folder / "shallow").write_text(f"{fetching.repo.git.resolve('main')}\n")
    updated = await fetching.clones.update(fetching.repo.id, fetching.origin())
    assert not (fetching.folder / "shallow").exists()
    assert len(GitRepo(fetching.folder).log(str(fetching.repo.git.resolve("main~1")), updated.tip)) == 1


@pytest.mark.parametrize("status", [500, 503, 429])
async def test_what_passes_is_tried_later(fetching: Fetching, status: int) -> None:
    fetching.github.fault("*", "info/refs", kind="answer", status=status)
    with pytest.raises(TemporaryError):
        await fetching.clones.update(fetching.repo.id, fetching.origin())
    await fetching.clones.update(fetching.repo.id, fetching.origin())


async def test_a_pack_that_breaks_off_is_tried_later(fetching: Fetching) -> None:
    fetching.github.fault("POST", "git-upload-pack fetch", kind="apply_then_reset")
    with pytest.raises(TemporaryError):
        await fetching.clones.update(fetching.repo.id, fetching.origin())
    await fetching.clones.update(fetching.repo.id, fetching.origin())
    assert fetching.text("tea.py") == "def brew():\n    return 1\n"


async def test_R12_a_token_that_is_not_known_yet_or_any_more_is_renewed(fetching: Fetching) -> None:
    await fetching.clones.update(fetching.repo.id, fetching.origin())
    fetching.github.tokens[fetching.tokens[-1]].revoked = True
    fetching.repo.commit({"new.py": "N = 1\n"}, "New")
    await fetching.clones.update(fetching.repo.id, fetching.origin())
    assert len(fetching.tokens) == 2
    assert fetching.text("new.py") == "N = 1\n"


async def test_K2_a_repository_that_is_no_longer_ours_is_gone(fetching: Fetching) -> None:
    fetching.github.take_away(next(iter(fetching.github.installations.values())), fetching.repo)
    with pytest.raises(Gone):
        await fetching.clones.update(fetching.repo.id, fetching.origin())


async def test_N1_an_address_that_leads_elsewhere_is_not_followed(fetching: Fetching) -> None:
    other = fetching.github.origin.replace("127.0.0.1", "localhost")
    fetching.github.fault("*", "info/refs", kind="redirect", location=f"{other}/octo/tea.git/info/refs")
    with pytest.raises(GitHubError, match="elsewhere"):
        await fetching.clones.update(fetching.repo.id, fetching.origin())
    assert len(fetching.github.fetches) == 1


@pytest.mark.parametrize(
    "url",
    [
        *(
            "ext::touch canary",
            "file:///tmp",
            "/tmp",
            "ssh://localhost/x",
            "git://localhost/x",
            "--upload-pack=x",
        ),
        *("https::touch canary", "http://example.com/x.git", "https://[", "https://user@example.com/x.git"),
    ],
)
async def test_S8_other_ways_to_fetch_are_refused(fetching: Fetching, tmp_path: Path, url: str) -> None:
    canary = tmp_path / "canary"
    with pytest.raises(GitHubError, match="not one that is cloned from"):
        await fetching.clones.update(fetching.repo.id, fetching.origin(url.replace("canary", str(canary))))
    assert not canary.exists()


async def test_K2_a_fetch_under_way_ends_when_its_repository_is_forgotten(fetching: Fetching) -> None:
    fetching.github.fault("POST", "git-upload-pack fetch", kind="apply_then_hang", times=9)
    under_way = asyncio.ensure_future(fetching.clones.update(fetching.repo.id, fetching.origin()))
    while not list(fetching.folder.glob("objects/pack/tmp_*")) and not fetching.github.fetches:
        await asyncio.sleep(0.02)
    await asyncio.wait_for(fetching.clones.forget(fetching.repo.id), 10)
    with pytest.raises(Gone, match="forgotten"):
        await under_way
    assert fetching.clones.known() == []


async def test_a_forgetting_that_was_killed_is_completed(fetching: Fetching) -> None:
    await fetching.clones.update(fetching.repo.id, fetching.origin())
    (fetching.clones.folder / f"{fetching.repo.id}.forgotten").touch()
    (fetching.folder / "old").touch()
    await fetching.clones.update(fetching.repo.id, fetching.origin())
    assert not (fetching.folder / "old").exists()


async def test_a_cancelled_fetch_leaves_no_process(fetching: Fetching) -> None:
    fetching.github.fault("POST", "git-upload-pack fetch", kind="hang", times=9)
    under_way = asyncio.ensure_future(fetching.clones.update(fetching.repo.id, fetching.origin()))
    while not fetching.github.fetches:
        await asyncio.sleep(0.02)
    under_way.cancel()
    with pytest.raises(asyncio.CancelledError):
        await under_way
    gits = [
        one for one in Path("/proc").glob("[0-9]*/cmdline") if str(fetching.folder).encode() in _read(one)
    ]
    assert gits == []


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""
