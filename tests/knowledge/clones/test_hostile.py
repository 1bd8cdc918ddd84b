"""What must not be found anywhere, what repositories try, and what a kill leaves."""

import asyncio
import base64
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.core.errors import HobError
from bot.knowledge.clones import Clones
from bot.knowledge.fetching import git, remote
from bot.log import hide
from bot.testing.github import submodule, symlink
from tests.knowledge.clones.conftest import Fetching

FETCH = """
import asyncio, sys
from pathlib import Path
from bot.knowledge.clone import Remote
from bot.knowledge.clones import Clones
folder, url, header = sys.argv[1:4]
async def authorization(renew): return sys.stdin.readline().strip() or header
asyncio.run(Clones(Path(folder), 64).update(7, Remote(url, authorization)))
"""


def basic(token: str) -> str:
    return base64.b64encode(f"x-access-token:{token}".encode()).decode()


def processes(part: str) -> Iterator[tuple[int, bytes]]:
    """(process id, `cmdline` or `environ`) of all that run now."""
    for entry in Path("/proc").glob(f"[0-9]*/{part}"):
        try:
            yield int(entry.parent.name), entry.read_bytes()
        except OSError:
            continue


def everything(folder: Path) -> bytes:
    return b"\0".join(one.read_bytes() for one in folder.rglob("*") if one.is_file())


async def under_way(fetching: Fetching) -> None:
    async with asyncio.timeout(20):
        while not any(str(fetching.folder).encode() in said for _, said in processes("cmdline")):
            await asyncio.sleep(0.02)


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="no /proc here")
async def test_S6_the_token_is_in_the_environment_of_git_and_nowhere_else(
    fetching: Fetching, caplog: pytest.LogCaptureFixture
) -> None:
    fetching.github.fault("POST", "git-upload-pack fetch", kind="apply_then_hang", seconds=30)
    fetch = asyncio.ensure_future(fetching.clones.update(fetching.repo.id, fetching.origin()))
    while not fetching.github.fetches or fetching.github.fetches[-1].fault == "":
        await asyncio.sleep(0.02)
    secrets = [fetching.tokens[0].encode(), basic(fetching.tokens[0]).encode()]
    ours = {pid for pid, said in processes("cmdline") if str(fetching.folder).encode() in said}
    assert ours
    assert not [said for _, said in processes("cmdline") if any(one in said for one in secrets)]
    holders = {pid for pid, said in processes("environ") if any(one in said for one in secrets)}
    assert holders
    session = {os.getsid(pid) for pid in holders}
    assert session == {os.getsid(next(iter(ours)))}, "a process that is not this git has it"
    for pid in holders:
        assert Path(f"/proc/{pid}/environ").stat().st_mode & 0o077 == 0
    fetching.github.release_hanging()
    with pytest.raises(HobError) as raised:
        await fetch
    await fetching.clones.update(fetching.repo.id, fetching.origin())
    for text in (everything(fetching.clones.folder), caplog.text.encode(), repr(raised.value).encode()):
        assert not any(one in text for one in secrets)
    assert b"127.0.0.1" not in (fetching.folder / "config").read_bytes(), "the clone knows where it is from"


async def test_S6_what_git_complains_of_is_told_without_the_token(fetching: Fetching) -> None:
    origin = fetching.origin()
    header = await origin.authorization(False)
    hide(fetching.tokens[0])
    hide(header.partition(" ")[2])
    environ = remote(origin.url, header)
    fetching.folder.mkdir(parents=True)
    for leak in (fetching.tokens[0], header):
        with pytest.raises(HobError) as raised:
            await git(fetching.folder, "rev-parse", "--verify", leak, environ=environ)
        assert fetching.tokens[0][:40] not in str(raised.value)
        assert header[6:46] not in str(raised.value)


async def test_S6_the_header_goes_to_its_own_repository_only(fetching: Fetching) -> None:
    """git reads the setting for the address that it asks; a longer or other one does not fit."""
    environ = remote("https://github.com/octo/tea.git", "Basic c2VjcmV0")
    await git(fetching.clones.folder.parent, "version")
    for url, given in (
        ("https://github.com/octo/tea.git/info/refs", True),
        ("https://github.com/octo/tea.gitx", False),
        ("https://github.com/evil/tea.git", False),
        ("https://github.com.evil.example/octo/tea.git", False),
        ("http://github.com/octo/tea.git", False),
    ):
        arguments = ("config", "--get-urlmatch", "http.extraHeader", url)
        try:
            told = await git(fetching.clones.folder.parent, *arguments, environ=environ)
        except HobError:
            told = b""
        assert (b"c2VjcmV0" in told) is given, url


async def test_S8_hostile_repositories_run_nothing_and_fetch_nothing_else(
    fetching: Fetching, tmp_path: Path
) -> None:
    canary = tmp_path / "canary"
    modules = (
        f'[submodule "x"]\n\tpath = x\n\turl = ext::sh -c "touch {canary}"\n\tupdate = !touch {canary}\n'
    )
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'a' * 64}\nsize 123\n"
    fetching.repo.commit(
        {
            ".gitmodules": modules,
            "x": submodule(str(fetching.repo.git.resolve("main"))),
            ".gitattributes": "* filter=lfs diff=lfs merge=lfs -text\n*.py filter=evil\n",
            ".lfsconfig": f"[lfs]\n\turl = {fetching.github.origin}/evil\n",
            "film.mp4": pointer,
            "out": symlink("/etc/passwd"),
            "loop": symlink("loop"),
            "hooks/post-checkout": f"#!/bin/sh\ntouch {canary}\n",
            "--upload-pack=touch canary": "an option?\n",
            'a\nb\t"c".py': "X = 1\n",
        },
        "Everything that is not nice",
    )
    fetching.repo.commit({"tea.py": "T = 2\n"}, "One more")
    for _ in range(2):
        updated = await fetching.clones.update(fetching.repo.id, fetching.origin())
        fetching.repo.commit({"tea.py": "T = 3\n"}, "And more")
    assert updated.tip
    assert not canary.exists()
    assert {one.path.partition(".git/")[0] for one in fetching.github.fetches} == {"/octo/tea"}
    assert [one for one in fetching.github.requests if "evil" in one.path] == []
    assert fetching.text("film.mp4") == pointer
    assert fetching.text("out") == "/etc/passwd"
    assert not list(fetching.folder.glob("hooks/*"))


async def test_S8_what_this_machine_configures_does_not_count(
    fetching: Fetching, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    canary = tmp_path / "canary"
    helper = tmp_path / "helper"
    helper.write_text(f"#!/bin/sh\ntouch {canary}\n")
    helper.chmod(0o755)
    (tmp_path / ".gitconfig").write_text(
        f"[credential]\n\thelper = !{helper}\n[core]\n\taskPass = {helper}\n\thooksPath = {tmp_path}\n"
        f'[url "http://127.0.0.1:9/"]\n\tinsteadOf = {fetching.github.origin}/\n'
    )
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login x password y\n")
    for name in ("HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    for name in ("GIT_ASKPASS", "SSH_ASKPASS", "GIT_SSH_COMMAND", "GIT_PROXY_COMMAND"):
        monkeypatch.setenv(name, str(helper))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_TRACE_CURL", str(tmp_path / "trace"))
    await fetching.clones.update(fetching.repo.id, fetching.origin())
    assert fetching.text("tea.py") is not None
    fetching.github.young_token_seconds = 9.0
    with pytest.raises(HobError):
        await fetching.clones.update(fetching.repo.id, fetching.origin())
    assert not canary.exists()
    assert not (tmp_path / "trace").exists()


@pytest.mark.kills
async def test_R1_a_worker_killed_in_the_middle_of_a_fetch_is_followed_by_one_that_resumes(
    fetching: Fetching, tmp_path: Path
) -> None:
    fetching.repo.commit({f"{n}.bin": os.urandom(300_000) for n in range(10)}, "Three megabytes")
    header = await fetching.origin().authorization(False)
    fetching.github.fault("POST", "git-upload-pack fetch", kind="apply_then_hang", seconds=2)
    folder = tmp_path / "killed"
    worker = subprocess.Popen(
        [sys.executable, "-c", FETCH, str(folder), fetching.origin().url, "x"],
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert worker.stdin
    worker.stdin.write(f"{header}\n".encode())
    worker.stdin.flush()
    clone = folder / "7.git"
    async with asyncio.timeout(30):
        while not list(clone.glob("objects/pack/tmp_pack_*")):
            await asyncio.sleep(0.02)
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    worker.stdin.close()
    (clone / "refs/hob").mkdir(parents=True, exist_ok=True)
    (clone / "refs/hob/tip.lock").touch()
    clones = Clones(folder, 64)
    updated = await clones.update(7, fetching.origin())
    assert updated.tip == fetching.repo.git.resolve("main")
    assert not list(clone.glob("objects/pack/tmp_*"))
    assert not [1 for _, said in processes("cmdline") if str(clone).encode() in said]


async def test_two_workers_at_one_repository_take_turns(fetching: Fetching, tmp_path: Path) -> None:
    other = Clones(fetching.clones.folder, 64)
    both = [clones.update(fetching.repo.id, fetching.origin()) for clones in (fetching.clones, other)]
    first, second = await asyncio.gather(*both)
    assert first.tip == second.tip != ""
    assert fetching.text("tea.py") is not None
