"""What an index answers, whatever happened to it."""

import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.core.knowledge import Edge, GraphNode, KnownIssue
from bot.core.source import Chunk, Import, Reference
from bot.knowledge.storage import IndexStore
from bot.knowledge.storage.types import Blob, IndexedCommit, IndexedFile, IndexStoreError, WordTable
from tests.long import LONG

WORDS = ("crash", "worker", "lease", "guid", "get_user", "été", "x1")
TABLES: tuple[WordTable, ...] = ("chunk", "file", "path", "commit", "issue")


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[[], IndexStore]]:
    """Opens the same index again and again."""
    index_stores: list[IndexStore] = []

    def open_it() -> IndexStore:
        index_stores.append(IndexStore.open(tmp_path / "1.db"))
        return index_stores[-1]

    yield open_it
    for index_store in index_stores:
        index_store.close()


@pytest.fixture
def index_store(opened: Callable[[], IndexStore]) -> IndexStore:
    return opened()


def sha(number: int) -> str:
    return f"{number:040x}"


def blob(number: int, *texts: str) -> Blob:
    """A file with a function for each text, after which it is called."""
    chunks = tuple(
        (Chunk("function", f"Box.{text.split()[0]}" if text else "", at, at + 1, f"def {text}"), text)
        for at, text in enumerate(texts, 1)
    )
    refers = tuple(Reference(word, at) for at, text in enumerate(texts, 1) for word in text.split())
    whole = " ".join(texts)
    return Blob(sha(number), "python", len(texts), whole, chunks, refers, (Import("os", 1), Import("os", 1)))


def commit(number: int, text: str, *paths: str) -> tuple[IndexedCommit, str]:
    return IndexedCommit(sha(number), "Ada", "ada@example.org", 1000 + number, text, "body", paths), text


def issue(number: int, text: str) -> tuple[KnownIssue, str]:
    return KnownIssue(number, "issue", "open", text, "body", "ada", ("bug",), 1, 2, 0), text


_texts = st.lists(st.sampled_from(WORDS), min_size=1, max_size=12).map(" ".join)
_numbers = st.integers(1, 12)
_steps: "st.SearchStrategy[Callable[[IndexStore | Left], None]]" = st.one_of(
    st.builds(
        lambda number, texts, tip: lambda index_store: index_store.put_blobs([blob(number, *texts)], tip=tip),
        _numbers,
        st.lists(_texts, min_size=1, max_size=4),
        st.booleans(),
    ),
    st.builds(
        lambda path, number: (
            lambda index_store: index_store.put_files(
                [IndexedFile(f"src/{WORDS[path % 7]}{path}.py", sha(number))]
            )
        ),
        _numbers,
        _numbers,
    ),
    st.builds(
        lambda number: (
            lambda index_store: index_store.put_files([IndexedFile(f"lib/{number}", sha(number), "binary")])
        ),
        _numbers,
    ),
    st.builds(
        lambda number: lambda index_store: index_store.drop_files([f"lib/{number}", f"src/crash{number}.py"]),
        _numbers,
    ),
    st.builds(
        lambda numbers: lambda index_store: index_store.drop_blobs(map(sha, numbers)), st.lists(_numbers)
    ),
    st.builds(
        lambda share, numbers: lambda index_store: index_store.drop_others(share, list(map(sha, numbers))),
        st.sampled_from([0, 0.25, 1]),
        st.lists(_numbers),
    ),
    st.builds(
        lambda number, text, path: (
            lambda index_store: index_store.put_commits([commit(number, text, f"src/{path}.py", "a b")])
        ),
        _numbers,
        _texts,
        _numbers,
    ),
    st.builds(lambda number: lambda index_store: index_store.drop_commits([sha(number)]), _numbers),
    st.builds(
        lambda number, text: lambda index_store: index_store.put_issues([issue(number, text)]),
        _numbers,
        _texts,
    ),
    st.builds(lambda number: lambda index_store: index_store.drop_issues([number]), _numbers),
    st.just(lambda index_store: index_store.tidy()),
)


def answers(index_store: IndexStore) -> dict[str, Any]:
    """Everything an index says, in words that are alike in all: the ids of passages are each one's own."""
    shas = [sha(number) for number in range(1, 13)]
    files = index_store.files()
    found: dict[str, Any] = {
        "known": index_store.known(shas),
        "known of the tip": index_store.known(shas, tip=True),
        "others": set(index_store.others()),
        "spare": set(index_store.spare()),
        "files": files,
        "blobs of": index_store.blobs_of(files),
        "paths": index_store.paths(shas),
        "paths like": index_store.paths_like(["CRASH1.py", "3"]),
        "chunks of": sorted(
            (each.blob, each.chunk.start, each.chunk.symbol) for each in index_store.chunks_of(shas)
        ),
        "defined": sorted(each.chunk.symbol for each in index_store.defined(["crash", "Box.LEASE"])),
        "uses": index_store.uses(["guid", "été"], 50),
        "references": {each: index_store.references_of(each) for each in shas},
        "imports": index_store.imports(),
        "commits": index_store.known_commits(),
        "recent": index_store.recent(50),
        "touching": index_store.touching(["a b", "src/1.py"], 3),
        "one commit": index_store.commit(sha(1)),
        "issues": index_store.issues(range(13)),
        "issue numbers": index_store.issue_numbers(),
        "sizes": _sizes(index_store),
    }
    for table in TABLES:
        for others in (False, True):
            for terms in (("crash",), ("lease", "guid", "lease"), ("get_user", "été", "nothing"), WORDS):
                hits = index_store.match(table, terms, 100, others=others)
                found[f"{table} {terms} {others}"] = sorted(
                    (-hit.score, _name(index_store, table, hit.id)) for hit in hits
                )
                held = index_store.holding(table, terms, [hit.id for hit in hits], others=others)
                found[f"holding {table} {terms} {others}"] = sorted(
                    (_name(index_store, table, key), held[key]) for key in held
                )
            found[f"frequencies {table} {others}"] = index_store.frequencies(table, WORDS, others=others)
        found[f"totals {table}"] = index_store.totals(table)
    words = index_store.rows("SELECT word FROM word")
    found["rows"] = sorted(words), index_store.one("SELECT count(*) FROM path")
    return found


def _sizes(index_store: IndexStore) -> tuple[Any, ...]:
    sizes = index_store.sizes()
    return sizes.files, sizes.left_out, sizes.chunks, sizes.commits, sizes.issues, dict(sizes.languages)


def _name(index_store: IndexStore, table: WordTable, number: int) -> str:
    match table:
        case "chunk":
            return str([(each.blob, each.chunk) for each in index_store.chunks([number])])
        case "file":
            return index_store.blobs([number])[number]
        case "path":
            return index_store.path_names([number])[number]
        case "commit":
            return index_store.commits([number])[number].sha
        case _:
            return str(number)


class Left:
    """What steps leave behind, kept in dictionaries."""

    def __init__(self) -> None:
        self.blobs: dict[str, tuple[Blob, bool]] = {}
        """With whether they are the tip's, in the order in which they were put."""
        self.files: dict[str, IndexedFile] = {}
        self.commits: dict[str, tuple[IndexedCommit, str]] = {}
        self.issues: dict[int, tuple[KnownIssue, str]] = {}

    def put_blobs(self, blobs: Iterable[Blob], *, tip: bool = True) -> None:
        for each in blobs:
            if each.sha not in self.blobs or tip > self.blobs[each.sha][1]:
                self.drop_blobs([each.sha])
                self.blobs[each.sha] = each, tip

    def put_files(self, files: Iterable[IndexedFile]) -> None:
        self.files |= {each.path: each for each in files}

    def drop_files(self, paths: Iterable[str]) -> None:
        for path in paths:
            self.files.pop(path, None)

    def drop_blobs(self, shas: Iterable[str]) -> None:
        for each in shas:
            self.blobs.pop(each, None)

    def drop_others(self, share: float, keep: Collection[str] = ()) -> None:
        others = [sha for sha, (_, tip) in self.blobs.items() if not tip]
        most = int(share * sum(not file.why for file in self.files.values()))
        self.drop_blobs(sha for sha in others[: max(0, len(others) - most)] if sha not in keep)

    def put_commits(self, commits: Iterable[tuple[IndexedCommit, str]]) -> None:
        self.commits = {each.sha: (each, words) for each, words in commits} | self.commits

    def drop_commits(self, shas: Iterable[str]) -> None:
        for each in shas:
            self.commits.pop(each, None)

    def put_issues(self, issues: Iterable[tuple[KnownIssue, str]]) -> None:
        self.issues |= {each.number: (each, words) for each, words in issues}

    def drop_issues(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            self.issues.pop(number, None)

    def tidy(self) -> None: ...

    def put_into(self, index_store: IndexStore) -> None:
        """All at once."""
        for tip in (False, True):
            index_store.put_blobs([each for each, at_tip in self.blobs.values() if at_tip == tip], tip=tip)
        index_store.put_files(self.files.values())
        index_store.put_commits(self.commits.values())
        index_store.put_issues(self.issues.values())


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(_steps, min_size=5, max_size=40))
def test_after_any_steps_an_index_answers_as_one_that_never_held_what_is_gone(
    tmp_path_factory: pytest.TempPathFactory, steps: Sequence[Callable[[IndexStore | Left], None]]
) -> None:
    """The scores too, to the last bit."""
    folder, left = tmp_path_factory.mktemp("index"), Left()
    with (
        closing(IndexStore.open(folder / "1.db")) as stepped,
        closing(IndexStore.open(folder / "2.db")) as fresh,
    ):
        for step in steps:
            step(stepped)
            step(left)
        left.put_into(fresh)
        assert answers(stepped) == answers(fresh)


@settings(max_examples=100 if LONG else 10, deadline=None)
@given(
    texts=st.lists(_texts, min_size=1, max_size=20),
    terms=st.lists(st.sampled_from([*WORDS, "nothing"]), min_size=1, max_size=30),
    limit=st.integers(1, 30),
)
def test_a_term_counts_as_often_as_it_is_given(texts: list[str], terms: list[str], limit: int) -> None:
    """As if FTS5 were asked for it so often, which takes the time of each."""
    with TemporaryDirectory() as folder, closing(IndexStore.open(Path(folder) / "1.db")) as index_store:
        index_store.put_commits(commit(number, each) for number, each in enumerate(texts))
        repeated = " OR ".join(f'"{term}"' for term in terms)
        told = index_store.rows(
            "SELECT rowid, -rank FROM commit_words WHERE commit_words MATCH ? ORDER BY rank", [repeated]
        )
        found = index_store.match("commit", terms, limit)
    scores = dict(told)
    assert [hit.score for hit in found] == pytest.approx([score for _, score in told[:limit]])
    assert {hit.id: hit.score for hit in found} == pytest.approx({hit.id: scores[hit.id] for hit in found})


def test_a_transaction_is_all_or_nothing(index_store: IndexStore) -> None:
    def fails() -> None:
        with index_store.writing():
            index_store.put_issues([issue(1, "crash")])
            index_store.set_state("watermark", "1")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    assert (index_store.issue_numbers(), index_store.state("watermark")) == ([], "")
    assert index_store.match("issue", ["crash"], 5) == []


def test_what_is_read_within_is_of_one_moment(opened: Callable[[], IndexStore]) -> None:
    reader, writer = opened(), opened()
    with reader.reading():
        assert reader.issue_numbers() == []
        writer.put_issues([issue(1, "crash")])
        assert reader.match("issue", ["crash"], 5) == []
        assert reader.issue_numbers() == []
    assert reader.issue_numbers() == [1]


def test_only_one_builds_at_a_time(opened: Callable[[], IndexStore]) -> None:
    one, other = opened(), opened()
    with one.alone(0), pytest.raises(IndexStoreError, match="another process"), other.alone(0.05):
        pass
    with other.alone(0):
        pass


def test_a_writer_waits_for_another(opened: Callable[[], IndexStore]) -> None:
    one, other = opened(), opened()
    with one.writing():
        one.set_state("tip", "1")
        waiting = threading.Thread(target=lambda: other.set_state("tip", "2"))
        waiting.start()
        time.sleep(0.05)
    waiting.join()
    assert one.state("tip") == "2"


def test_hostile_text_is_kept_as_far_as_it_can_be(index_store: IndexStore) -> None:
    long = "x" * 5000
    name = f"{long}\u202e'; DROP TABLE issue; --"
    index_store.put_blobs(
        [Blob(sha(1), "", 1, "word", ((Chunk("function", name, 1, 1, "def \x01"), "word"),))]
    )
    index_store.put_files([IndexedFile(f"{long}.py", sha(1))])
    index_store.put_issues([(KnownIssue(1, "issue", "open", "a %s \\ b", "{}\x7f", "ada"), "a b")])
    index_store.put_edges(
        "issue 1", [Edge("mentions", GraphNode("issue", "1"), GraphNode("symbol", name), 2.0)]
    )
    assert list(index_store.files()) == [f"{long}.py"]
    assert [each.chunk.symbol for each in index_store.defined([name])] == [name]
    assert index_store.issues([1])[1].title == "a %s \\ b"
    assert [edge.weight for edge in index_store.edges(target=GraphNode("symbol", name))] == [2.0]
    assert index_store.match("issue", ["%s", "'", '"', "\\"], 5) == []


def test_edges_are_replaced_by_origin_and_found_from_both_ends(index_store: IndexStore) -> None:
    one, two, three = GraphNode("issue", "1"), GraphNode("issue", "2"), GraphNode("issue", "3")
    index_store.put_edges("issue 1", [Edge("duplicates", one, two), Edge("blocks", one, three)])
    index_store.put_edges("issue 3", [Edge("blocks", one, three, 4.0)])
    assert index_store.edges(source=one, kind="blocks") == [Edge("blocks", one, three, 5.0)]
    assert index_store.edges(target=two) == [Edge("duplicates", one, two)]
    index_store.put_edges("issue 1", [])
    assert index_store.edges() == [Edge("blocks", one, three, 4.0)]


def test_vectors_are_near_by_their_angle(index_store: IndexStore) -> None:
    index_store.put_blobs([blob(1, "crash", "lease", "guid")])
    index_store.put_files([IndexedFile("a.py", sha(1))])
    first, second, third = index_store.without_vector("chunk", "m@1", 9)
    index_store.put_vectors("chunk", "m@1", [(first, [1.0, 0.0]), (second, [0.6, 0.8])])
    index_store.put_vectors("chunk", "other", [(first, [0.0, 1.0])])
    assert index_store.without_vector("chunk", "m@1", 9) == [third]
    near = index_store.nearest("chunk", "m@1", [0.0, 1.0], 9)
    assert [hit.id for hit in near] == [second, first]
    assert [hit.score for hit in near] == pytest.approx([0.8, 0.0], abs=0.01)
    assert index_store.nearest("chunk", "m@1", [1.0, 0.0, 0.0], 9) == []
    index_store.drop_vectors("m@1")
    assert index_store.nearest("chunk", "other", [0.0, 1.0], 9) == []
    index_store.drop_blobs([sha(1)])
    assert index_store.nearest("chunk", "m@1", [0.0, 1.0], 9) == []


def test_an_issue_that_changes_loses_its_vectors(index_store: IndexStore) -> None:
    index_store.put_issues([issue(1, "crash"), issue(2, "lease")])
    for number in (1, 2):
        index_store.put_vectors("title", "m", [(number, [1.0, 0.5])])
    index_store.put_issues([issue(1, "guid")])
    assert index_store.without_vector("title", "m", 9) == [1]
    assert [hit.id for hit in index_store.nearest("title", "m", [1.0, 0.5], 9)] == [2]
