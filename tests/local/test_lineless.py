"""What `hob review` says of a local change without lines, or of one that only points elsewhere."""

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot.cli.review import local
from bot.core.skip_rules import BINARY, LFS, SUBMODULE
from tests.agents.conftest import git, make_repository
from tests.fakes.models import FakeOllama
from tests.local.test_reader import AUTHOR

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 12345\n"
FILES = {
    "tea.py": "brew = 1\n",
    "old.py": "one = 1\ntwo = 2\nthree = 3\n",
    "empty.py": "",
    "model.bin": POINTER.format("a" * 64),
}
Make = Callable[[Path], object]


def write(path: str, content: str | bytes) -> Make:
    def make(checkout: Path) -> None:
        (checkout / path).parent.mkdir(parents=True, exist_ok=True)
        (checkout / path).write_bytes(content if isinstance(content, bytes) else content.encode())

    return make


def submodule(path: str, letter: str) -> Make:
    return lambda checkout: git(
        checkout, "update-index", "--add", "--cacheinfo", f"160000,{letter * 40},{path}"
    )


def mode(path: str) -> Make:
    return lambda checkout: (checkout / path).chmod(0o755)


def rename(old: str, new: str) -> Make:
    return lambda checkout: git(checkout, "mv", old, new)


def link(path: str, target: str) -> Make:
    def make(checkout: Path) -> None:
        (checkout / path).unlink(missing_ok=True)
        (checkout / path).symlink_to(target)

    return make


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A repository with a submodule, on a branch that left main, and a host that finds nothing."""
    (tmp_path / "house").mkdir()
    checkout = make_repository(tmp_path / "house", FILES)
    submodule("lib", "a")(checkout)
    git(checkout, *AUTHOR, "commit", "-qm", "A submodule")
    git(checkout, "branch", "-M", "main")
    git(checkout, "switch", "-qc", "brew")
    (tmp_path / "hob.toml").touch(0o600)
    monkeypatch.chdir(tmp_path)
    with FakeOllama() as host:
        host.answer = lambda _: {"findings": [], "summary": ""}
        monkeypatch.setenv("HOB_HOSTS", json.dumps([{"name": "mini", "url": host.url}]))
        monkeypatch.setenv("HOB_HOB__DATA_DIR", str(tmp_path / "data"))
        yield checkout


CASES: dict[str, tuple[list[Make], str]] = {
    "emptied": ([write("old.py", "")], ""),
    "emptied, and another mode": ([write("old.py", ""), mode("old.py")], ""),
    "new and empty": ([write("pkg/__init__.py", "")], ""),
    "renamed": ([rename("old.py", "new.py")], ""),
    "renamed, and another mode": ([rename("old.py", "new.py"), mode("new.py")], ""),
    "an empty file renamed": ([rename("empty.py", "none.py")], ""),
    "another mode": ([mode("tea.py")], ""),
    "an empty file's mode": ([mode("empty.py")], ""),
    "a name with blanks and quotes": ([rename("old.py", 'a "b"\tc é.py')], ""),
    "a link": ([link("now", "tea.py")], ""),
    "a submodule moved on": ([submodule("lib", "b")], SUBMODULE),
    "a new submodule": ([submodule("deep/lib", "b")], SUBMODULE),
    "an LFS pointer changed": ([write("model.bin", POINTER.format("b" * 64))], LFS),
    "a new LFS pointer": ([write("new.bin", POINTER.format("b" * 64))], LFS),
    "binary": ([write("pot.png", b"\0\1\2")], BINARY),
}


@pytest.mark.parametrize("more", [[], [write("tea.py", "brew = 2\n")]], ids=["alone", "beside code"])
@pytest.mark.parametrize("name", CASES)
async def test_a_local_review_reads_what_has_no_lines_and_names_what_nobody_could_read(
    checkout: Path, name: str, more: list[Make]
) -> None:
    makes, why = CASES[name]
    if more and name == "another mode":
        more = [write("other.py", "pot = 1\n")]
    for make in (*makes, *more):
        make(checkout)
    if paths := _paths(checkout):
        git(checkout, "add", "--", *paths)
    git(checkout, *AUTHOR, "commit", "-qm", "Change")
    judged = await local.judge(checkout, "main..brew", "", no_model=False)
    files = 1 + len(more)
    assert judged.coverage.total == files
    if why:
        assert [one.why for one in judged.coverage.unread] == [why]
        assert (len(judged.coverage.read), judged.conclusion) == (len(more), "neutral")
    else:
        assert judged.coverage.unread == ()
        assert (len(judged.coverage.read), judged.conclusion) == (files, "success")


def _paths(checkout: Path) -> list[str]:
    """What the folder holds that is no submodule."""
    told = subprocess.run(
        ["git", "-C", str(checkout), "ls-files", "-mo", "-z"], capture_output=True, check=True
    )
    names = told.stdout.decode().split("\0")
    return [name for name in names if name and not name.endswith("lib")]
