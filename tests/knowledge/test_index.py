"""An index follows its repository: what changed, what went, what was rewritten, what nobody should read."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.source import LeftOut
from bot.knowledge.git import Git, TreeEntry
from bot.knowledge.indexing import plan
from bot.knowledge.parsing.reader import WORTH_PROCESSES, Source, read_all
from bot.knowledge.parsing.reader_pool import CRASHED
from bot.knowledge.storage import IndexStore
from bot.knowledge.storage.types import IndexedFile
from bot.testing.github.git import GitRepo, submodule, symlink
from tests.knowledge.conftest import CUP, TEA, Services


def test_a_first_index_has_files_symbols_uses_imports_and_history(tea: Services) -> None:
    sizes = tea.index_store.sizes()
    assert (sizes.files, sizes.left_out, sizes.commits) == (3, 0, 1)
    assert sizes.languages["Python"] == 2
    assert {each.chunk.symbol for each in tea.index_store.defined(["steep", "POUR"])} == {"steep", "Pot.pour"}
    assert [(use.path, use.lines) for use in tea.index_store.uses(["steep"], 9)] == [("src/tea.py", (13,))]
    assert [(each.path, each.target) for each in tea.index_store.imports()] == [("src/tea.py", "time")]
    (commit,) = tea.index_store.recent(9)
    assert commit.subject == "Make tea"
    assert commit.paths == ("README.md", "src/cup.py", "src/tea.py")


def test_a_push_reads_only_what_changed(tea: Services) -> None:
    old = tea.index_store.blobs_of(["src/cup.py"])["src/cup.py"]
    tip = tea.commit({"src/cup.py": CUP + "\n\ndef wash():\n    pass\n"}, "Wash up")
    updated = tea.index()
    assert (updated.read, updated.commits, updated.removed) == (1, 1, 0)
    assert tea.files_read() == 1
    assert tea.index_store.state("tip") == tip
    assert [each.chunk.symbol for each in tea.index_store.defined(["wash"])] == ["wash"]
    assert tea.index_store.known([old]) == set()


def test_what_is_up_to_date_costs_nothing(tea: Services) -> None:
    assert tea.index().read == 0
    assert tea.told == []


def test_a_renamed_file_is_not_read_again_and_a_deleted_one_goes(tea: Services) -> None:
    tea.commit({"src/cup.py": None, "src/mug.py": CUP, "README.md": None})
    updated = tea.index()
    assert tea.files_read() == 0
    assert updated.removed == 2
    assert sorted(tea.index_store.files()) == ["src/mug.py", "src/tea.py"]


def test_a_force_push_leaves_nothing_of_the_old_history(tea: Services) -> None:
    base = tea.repo.resolve("main")
    tea.commit({"src/secret.py": "def hidden():\n    pass\n"}, "Add what should not be there", at=2e9)
    tea.index()
    tip = tea.commit({"src/new.py": "def shown():\n    pass\n"}, "Another way", parent=base, at=2e9)
    updated = tea.index()
    assert updated.forgotten == 1
    assert tea.index_store.known_commits() == {base, tip}
    assert "src/secret.py" not in tea.index_store.files()
    assert tea.search.search("what should not be there", kinds=["commit"]) == []


def test_a_history_that_begins_anew_is_followed_when_the_old_is_gone(tea: Services) -> None:
    tip = tea.commit({"src/tea.py": TEA}, "Begin anew", parent=None)
    tea.repo.run("reflog", "expire", "--expire=now", "--all")
    tea.repo.run("gc", "--quiet", "--prune=now")
    updated = tea.index()
    assert (updated.forgotten, updated.commits) == (1, 1)
    assert tea.index_store.known_commits() == {tip}
    assert list(tea.index_store.files()) == ["src/tea.py"]


def test_what_is_left_out_says_why(checkout: Services) -> None:
    checkout.commit(
        {
            "a/loop": symlink("../a/loop"),
            "a/up": symlink(".."),
            "lib": submodule("1" * 40),
            "big.bin": b"\0" * (100 << 20),
            "film.mp4": b"version https://git-lfs.github.com/spec/v1\noid sha256:"
            + b"a" * 64
            + b"\nsize 9\n",
            "picture.png": b"\x89PNG\0\0",
            "vendor/x.js": "function x() {}\n",
            "uv.lock": "name\n",
            "good.py": "def good():\n    pass\n",
        }
    )
    checkout.index()
    assert checkout.left_out() == {
        "a/loop": "symbolic link",
        "a/up": "symbolic link",
        "lib": "submodule",
        "big.bin": "over 1 MB",
        "film.mp4": "Git LFS pointer",
        "picture.png": "binary",
        "vendor/x.js": "vendored",
        "uv.lock": "lock file",
    }
    assert checkout.index_store.sizes().files == 1


def test_a_link_that_becomes_a_file_of_the_same_bytes_is_read(checkout: Services) -> None:
    checkout.commit({"x": symlink("def x(): pass")})
    checkout.index()
    checkout.commit({"x": "def x(): pass"})
    checkout.index()
    assert checkout.left_out() == {}
    assert checkout.index_store.sizes().files == 1


def test_broken_encodings_are_read_as_far_as_they_can_be(checkout: Services) -> None:
    checkout.commit(
        {
            "latin.py": "def grüße():\n    pass\n".encode("latin-1"),
            "wide.py": "def wide_one():\n    pass\n".encode("utf-16"),
            "cut.py": b"def cut_one():\n    return '\xe2\x82'\n",
            "empty.py": b"",
        }
    )
    checkout.index()
    assert checkout.left_out() == {}
    assert {each.chunk.symbol for each in checkout.index_store.defined(["wide_one", "cut_one"])} == {
        "wide_one",
        "cut_one",
    }


LONG = "x = 1\n" * 8_000
NAMES = [
    "--help",
    "-rf",
    "a\nb.py",
    "quo\"te'.py",
    "tab\t.py",
    "wörter/日本.py",
    ":(top)x.py",
    " .py",
    "*.py",
    "x;y.py",
]


def test_files_may_be_called_anything(checkout: Services) -> None:
    checkout.commit({name: f"def number_{at}():\n    pass\n" for at, name in enumerate(NAMES)})
    checkout.index()
    assert sorted(checkout.index_store.files()) == sorted(NAMES)
    assert checkout.index_store.recent(1)[0].paths == tuple(sorted(NAMES))
    for at, name in enumerate(NAMES):
        assert name in [found.path for found in checkout.search.search(f"number_{at}", k=3)]


def test_a_name_that_is_no_utf8_is_left_out_and_said(checkout: Services) -> None:
    checkout.commit({"ok.py": "x = 1\n"})
    blob = checkout.repo.run("hash-object", "-w", "--stdin", data=b"y = 1\n").strip()
    tree = checkout.repo.run("mktree", "-z", data=b"100644 blob " + blob + b"\tb\xff.py\0").strip().decode()
    checkout.repo.run("config", "user.name", "Ann")
    checkout.repo.run("config", "user.email", "ann@example.com")
    tip = checkout.repo.run("commit-tree", tree, data=b"").strip().decode()
    checkout.repo.point("refs/heads/main", tip)
    checkout.index()
    assert checkout.left_out() == {"b�.py": "its name is not UTF-8"}


def test_one_text_under_two_names_is_read_once_and_found_under_both(checkout: Services) -> None:
    checkout.commit({"one.py": TEA, "two.py": TEA})
    checkout.index()
    assert checkout.files_read() == 1
    assert {found.path for found in checkout.search.search("steep leaves")} == {"one.py", "two.py"}


def test_many_files_are_read_in_processes_of_their_own(checkout: Services) -> None:
    checkout.commit({f"{at}.py": f"def number_{at}():\n    return 1\n{LONG}" for at in range(40)})
    updated = checkout.index(processes=2)
    assert updated.read == 40
    assert checkout.told[-2][:2] == (40, 40)
    assert [each.chunk.symbol for each in checkout.index_store.defined(["number_39"])] == ["number_39"]


class Bomb(bytes):
    """Kills the process that receives it, as a broken parser would."""

    def __reduce__(self) -> tuple[object, tuple[int]]:
        return os._exit, (11,)


def test_a_file_that_kills_its_reader_costs_itself_only() -> None:
    good = [Source(f"{at}.py", f"{at:040}", b"def x():\n    pass\n") for at in range(3)]
    sources = [*good[:2], Source("bad.py", "b" * 40, Bomb(b"boom")), good[2]]
    outcomes = list(read_all(sources, WORTH_PROCESSES, 2))
    assert {blob.sha for outcome in outcomes for blob in outcome.blobs} == {each.sha for each in good}
    assert {sha: why for outcome in outcomes for sha, why in outcome.left_out.items()} == {"b" * 40: CRASHED}


def test_S5_a_file_that_takes_all_memory_costs_itself_only() -> None:
    good = Source("a.py", "a" * 40, b"def x():\n    pass\n")
    hostile = Source("a.go", "b" * 40, b"%q(\n" * 15_000)
    outcomes = list(read_all([good, hostile], 1, 1, apart=True))
    assert [blob.sha for outcome in outcomes for blob in outcome.blobs] == [good.sha]
    assert {sha: why for outcome in outcomes for sha, why in outcome.left_out.items()} == {"b" * 40: CRASHED}


_BUILD = """
import sys
from pathlib import Path
from bot.knowledge.git import Git
from bot.knowledge.indexing import update
from bot.knowledge.storage import IndexStore

def tell(done, of, what):
    print(what, done, flush=True)

if __name__ == "__main__":
    index_store = IndexStore.open(Path(sys.argv[1]))
    git = Git(Path(sys.argv[2]))
    update(index_store, git, git.commit("main"), tell, processes=1)
    print("end", flush=True)
"""


@pytest.mark.kills
def test_an_index_killed_in_the_middle_goes_on_where_it_was(tmp_path: Path) -> None:
    repo = GitRepo(tmp_path / "repo.git")
    files = {f"{at}.py": f"def number_{at}():\n    return {at}\n" for at in range(400)}
    tip = repo.write("refs/heads/main", files, parent=None, message="Count", author="Ann", at=1e9)
    path = tmp_path / "index.db"
    command = [sys.executable, "-c", _BUILD, str(path), str(repo.path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline().startswith("files 40")
        process.send_signal(signal.SIGKILL)
        assert "end" not in process.stdout.read()
    index_store = IndexStore.open(path)
    assert index_store.rebuilt == ""
    done = len(index_store.spare())
    assert 40 <= done < 400
    checkout = Services(repo, index_store)
    assert checkout.index().sha == tip
    assert checkout.files_read() == 400 - done
    assert index_store.sizes().files == 400
    assert index_store.spare() == []
    index_store.close()


@pytest.mark.kills
def test_readers_end_when_the_indexer_is_killed(tmp_path: Path) -> None:
    repo = GitRepo(tmp_path / "repo.git")
    files = {f"{at}.py": f"def number_{at}():\n    return 1\n{LONG}" for at in range(200)}
    repo.write("refs/heads/main", files, parent=None, message="Count", author="Ann", at=1e9)
    (tmp_path / "build.py").write_text(_BUILD.replace("processes=1", "processes=2"))
    command = [sys.executable, str(tmp_path / "build.py"), str(tmp_path / "index.db"), str(repo.path)]
    environ = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=environ, start_new_session=True
    ) as process:
        assert process.stdout
        process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        process.wait()
        for _ in range(200):
            if not _lives(process.pid):
                return
            time.sleep(0.05)
    raise AssertionError("a reader goes on")


def _lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


entries = st.lists(
    st.builds(
        TreeEntry,
        st.sampled_from(["a.py", "b.py", "c/d.py", "vendor/e.py"]),
        st.sampled_from(["1" * 40, "2" * 40]),
        st.sampled_from(["file", "symbolic link", "submodule"]),
        st.booleans(),
    ),
    unique_by=lambda entry: entry.path,
)


@settings(deadline=None)
@given(entries, entries)
def test_from_any_tree_to_any_other(old: list[TreeEntry], new: list[TreeEntry]) -> None:
    """What is applied gives the same files as reading the new tree from nothing."""

    def applied(have: dict[str, IndexedFile], tree: list[TreeEntry]) -> dict[str, IndexedFile]:
        change = plan(have, tree, most=3)
        read = {entry.path: IndexedFile(entry.path, entry.sha) for entry in change.read}
        settled = {file.path: file for file in change.settled}
        return {path: file for path, file in {**have, **settled, **read}.items() if path not in change.gone}

    assert applied(applied({}, old), new) == applied({}, new)


def test_a_partial_clone_is_never_filled_by_reading(checkout: Services, tmp_path: Path) -> None:
    checkout.commit({"small.py": TEA, "large.py": "x = 1\n" * 1000})
    checkout.repo.run("config", "uploadpack.allowFilter", "true")
    there = tmp_path / "partial.git"
    checkout.repo.run(
        "clone",
        "--quiet",
        "--bare",
        "--no-local",
        "--filter=blob:limit=1k",
        checkout.repo.path.as_uri(),
        str(there),
        GIT_ALLOW_PROTOCOL="file",
    )
    git = Git(there)
    tip = git.commit("main")
    sizes = git.sizes([entry.sha for entry in git.tree(tip)])
    assert len(sizes) == 1
    other = Services(GitRepo(there), IndexStore.open(tmp_path / "partial.db"))
    missing = LeftOut("large.py", "not in this clone")
    assert missing in other.index().left_out
    assert [commit.paths for commit in other.index_store.recent(9)] == [("large.py", "small.py")]
    assert git.sizes([entry.sha for entry in git.tree(tip)]) == sizes
    assert missing in other.index().left_out
    large = next(entry.sha for entry in git.tree(tip) if entry.path == "large.py")
    data = checkout.repo.run("cat-file", "blob", large)
    GitRepo(there).run("hash-object", "-w", "--stdin", data=data)  # somebody fetched it
    assert other.index().left_out == ()
    assert "large.py" in [path for path, one in other.index_store.files().items() if not one.why]
    other.index_store.close()
