"""An index's file that is cut, foreign, old, or in use by others."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import apsw
import pytest

from bot.core.knowledge import Edge, GraphNode, KnownIssue
from bot.core.source import Chunk
from bot.knowledge.local import with_index_store
from bot.knowledge.storage import IndexStore
from bot.knowledge.storage.types import Blob, Damaged, IndexedCommit, IndexedFile, IndexStoreError
from tests.knowledge.conftest import Services

SHA = "ab" * 20


def small(path: Path) -> IndexStore:
    index_store = IndexStore.open(path)
    put(index_store, 1)
    return index_store


def put(index_store: IndexStore, number: int) -> None:
    words = " ".join(f"word{number}x{at}" for at in range(500))
    chunk = Chunk("function", f"f{number}", 1, 2, "def f")
    index_store.put_blobs([Blob(f"{number:040}", "Python", 2, words, ((chunk, words),))])
    index_store.put_files([IndexedFile(f"{number}.py", f"{number:040}")])


def test_the_file_is_for_its_owner_only(tmp_path: Path) -> None:
    small(tmp_path / "new" / "index.db").close()
    for file in (tmp_path / "new").iterdir():
        assert file.stat().st_mode & 0o077 == 0, file


@pytest.mark.parametrize("part", [0.1, 0.5, 0.99])
def test_an_index_cut_short_is_built_again_and_says_so(tmp_path: Path, part: float) -> None:
    path = tmp_path / "index.db"
    small(path).close()
    raw = path.read_bytes()
    path.write_bytes(raw[: int(len(raw) * part)])
    index_store = IndexStore.open(path)
    assert index_store.rebuilt
    assert index_store.sizes().files == 0
    put(index_store, 2)
    assert index_store.sizes().files == 1
    index_store.close()
    assert IndexStore.open(path).rebuilt == ""


def test_damage_found_later_is_mended_by_building_again(tea: Services, tmp_path: Path) -> None:
    path = tea.index_store.path
    tea.index_store.tidy()
    tea.index_store.close()
    raw = bytearray(path.read_bytes())
    raw[8192:] = b"\xa5" * (len(raw) - 8192)
    path.write_bytes(raw)

    def found(index_store: IndexStore) -> tuple[str, list[str]]:
        checkout = Services(tea.repo, index_store)
        checkout.index()
        return index_store.rebuilt, [each.path for each in checkout.search.search("steep leaves")]

    rebuilt, paths = with_index_store(path, found)
    assert "damaged" in rebuilt
    assert paths == ["src/tea.py"]
    tea.index_store = IndexStore.open(path)
    assert tea.index_store.rebuilt == ""


def test_a_foreign_file_is_kept_aside(tmp_path: Path) -> None:
    path = tmp_path / "index.db"
    path.write_text("a person's notes")
    index_store = IndexStore.open(path)
    assert "no index of Hob" in index_store.rebuilt
    assert (tmp_path / "index.not-an-index").read_text() == "a person's notes"
    index_store.close()


def test_another_programs_database_is_kept_aside(tmp_path: Path) -> None:
    path = tmp_path / "index.db"
    other = apsw.Connection(str(path))
    other.execute("CREATE TABLE theirs (x)")
    other.close()
    IndexStore.open(path).close()
    kept = apsw.Connection(str(tmp_path / "index.not-an-index"))
    assert kept.execute("SELECT name FROM sqlite_schema").fetchall() == [("theirs",)]
    kept.close()


def test_who_only_reads_meets_damage_later_and_the_next_push_mends_it(tmp_path: Path) -> None:
    path = tmp_path / "index.db"
    index_store = small(path)
    index_store.put_files(IndexedFile(f"{number}.py", f"{number:040}") for number in range(1_000))
    index_store.tidy()
    last = index_store.one("SELECT max(pageno) FROM dbstat WHERE name = 'file' AND pagetype = 'leaf'")
    index_store.close()
    raw = bytearray(path.read_bytes())
    raw[4096 * (last - 1) : 4096 * last] = b"\xa5" * 4096
    path.write_bytes(raw)
    reader = IndexStore.open(path, whole=False)
    assert reader.rebuilt == ""
    with pytest.raises(Damaged):
        reader.sizes()
    reader.close()
    again = IndexStore.open(path)
    assert "damaged" in again.rebuilt
    again.close()


def test_an_index_of_another_version_is_built_again(tmp_path: Path) -> None:
    path = tmp_path / "index.db"
    index_store = small(path)
    index_store.connection.pragma("user_version", 999)
    index_store.tidy()
    index_store.close()
    again = IndexStore.open(path)
    assert again.rebuilt == "it was made by another version of Hob"
    assert again.sizes().files == 0
    again.close()


def test_one_that_was_damaged_is_not_thrown_away_twice(tmp_path: Path) -> None:
    """Two processes find the damage; the second must not delete what the first has built."""
    path = tmp_path / "index.db"
    first, second = small(path), IndexStore.open(path)
    first.discard()
    built = small(path)
    second.discard()
    assert IndexStore.open(path).sizes().files == 1
    built.close()


_WRITE = """
import sys
from pathlib import Path
from bot.knowledge.storage import IndexStore
from tests.knowledge.test_sqlite import put

index_store = IndexStore.open(Path(sys.argv[1]))
with index_store.alone(1), index_store.writing():
    put(index_store, 7)
    print("holds", flush=True)
    sys.stdin.readline()
print("done", flush=True)
"""


@pytest.fixture
def writer(tmp_path: Path) -> "subprocess.Popen[str]":
    small(tmp_path / "index.db").close()
    process = subprocess.Popen(
        [sys.executable, "-c", _WRITE, str(tmp_path / "index.db")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )  # fmt: skip
    assert process.stdout and process.stdout.readline() == "holds\n"
    return process


@pytest.mark.kills
def test_others_read_on_while_one_writes(tmp_path: Path, writer: "subprocess.Popen[str]") -> None:
    with writer:
        index_store = IndexStore.open(tmp_path / "index.db")
        assert [hit.id for hit in index_store.match("chunk", ["word1x1"], 9)] == [1]
        with index_store.reading():
            assert sorted(index_store.files()) == ["1.py"]
            assert writer.stdin and writer.stdout
            writer.stdin.write("\n")
            writer.stdin.flush()
            assert writer.stdout.readline() == "done\n"
            assert sorted(index_store.files()) == ["1.py"]
        assert sorted(index_store.files()) == ["1.py", "7.py"]
        index_store.close()


@pytest.mark.kills
def test_one_builds_at_a_time_and_a_killed_one_holds_nobody_up(
    tmp_path: Path, writer: "subprocess.Popen[str]"
) -> None:
    with writer:
        index_store = IndexStore.open(tmp_path / "index.db")
        with pytest.raises(IndexStoreError, match="another process"), index_store.alone(0.05):
            pass
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        with index_store.alone(5), index_store.writing():
            assert sorted(index_store.files()) == ["1.py"]
        index_store.close()


def test_a_transaction_that_fails_leaves_nothing(tmp_path: Path) -> None:
    index_store = small(tmp_path / "index.db")

    def half() -> None:
        with index_store.writing():
            put(index_store, 2)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half()
    assert sorted(index_store.files()) == ["1.py"]
    assert index_store.match("chunk", ["word2x1"], 9) == []
    index_store.close()


def test_a_broken_shelf_is_no_other_error(tmp_path: Path) -> None:
    assert issubclass(Damaged, IndexStoreError)
    folder = tmp_path / "index.db"
    folder.mkdir()
    with pytest.raises(IndexStoreError):
        IndexStore.open(folder)


def test_issues_edges_vectors_and_states_come_back(tmp_path: Path) -> None:
    index_store = small(tmp_path / "index.db")
    issue = KnownIssue(5, "issue", "open", "Tea is cold", "It is.", "ann", ("bug",), 1, 2, 0)
    other = KnownIssue(6, "pull_request", "merged", "x", "", "b")
    index_store.put_issues([(issue, "tea cold tea cold tea cold it"), (other, "x")])
    index_store.put_issues([(issue, "tea cold")])
    assert index_store.issues([5, 99]) == {5: issue}
    assert index_store.issue_numbers() == [5, 6]
    assert [hit.id for hit in index_store.match("issue", ["cold"], 9)] == [5]
    fixes = Edge("fixes", GraphNode("pull_request", "6"), GraphNode("issue", "5"))
    index_store.put_edges("issue 6", [fixes, Edge("mentions", fixes.source, fixes.target, 2.0)])
    index_store.put_edges("issue 6", [fixes])
    assert (
        index_store.edges(target=GraphNode("issue", "5"))
        == index_store.edges(source=fixes.source, kind="fixes")
        == [fixes]
    )
    assert index_store.without_vector("chunk", "m", 9) == [1]
    index_store.put_vectors("chunk", "m", [(1, [1.0, 0.0])])
    index_store.put_vectors("title", "m", [(5, [1.0, 1.0]), (6, [0.0, 1.0])])
    assert [(hit.id, round(hit.score, 3)) for hit in index_store.nearest("title", "m", [1.0, 1.0], 9)] == [
        (5, 1.0),
        (6, 0.707),
    ]
    assert index_store.nearest("title", "m", [1.0, 1.0, 1.0], 9) == []
    index_store.drop_blobs([f"{1:040}"])
    assert index_store.nearest("chunk", "m", [1.0, 0.0], 9) == []
    index_store.drop_issues([5])
    assert [hit.id for hit in index_store.nearest("title", "m", [1.0, 1.0], 9)] == [6]
    index_store.set_state("watermark", "9")
    assert (index_store.state("watermark"), index_store.state("other")) == ("9", "")
    index_store.close()


def test_words_may_hold_anything(tmp_path: Path) -> None:
    index_store = IndexStore.open(tmp_path / "index.db")
    index_store.put_commits([(IndexedCommit(SHA, "Ann", "a@b", 1, "s"), "grüße 日本 plain")])
    assert [hit.id for hit in index_store.match("commit", ["日本"], 9)] == [1]
    for hostile in ['"', "a OR b", "NEAR(", "*", "col:x", "\0", "' OR 1=1 --", ""]:
        assert index_store.match("commit", [hostile], 9) == []
    assert index_store.holding("commit", ["plain", "grüße", "no"], [1, 2]) == {1: ["plain", "grüße"], 2: []}
    assert index_store.frequencies("commit", ["plain", "no"]) == {"plain": 1, "no": 0}
    index_store.close()
