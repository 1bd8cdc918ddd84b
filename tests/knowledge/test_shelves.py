"""What an index answers, whatever happened to it."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.core.knowing import Edge, Issue, Node
from bot.core.source import Chunk, Import, Reference
from bot.knowledge.shelf import Blob, Commit, File, ShelfError, Table
from bot.knowledge.sqlite import Shelf

WORDS = ("crash", "worker", "lease", "guid", "get_user", "été", "x1")
TABLES: tuple[Table, ...] = ("chunk", "file", "path", "commit", "issue")


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[[], Shelf]]:
    """Opens the same index again and again."""
    shelves: list[Shelf] = []

    def open_it() -> Shelf:
        shelves.append(Shelf.open(tmp_path / "1.db"))
        return shelves[-1]

    yield open_it
    for shelf in shelves:
        shelf.close()


@pytest.fixture
def shelf(opened: Callable[[], Shelf]) -> Shelf:
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


def commit(number: int, text: str, *paths: str) -> tuple[Commit, str]:
    return Commit(sha(number), "Ada", "ada@example.org", 1000 + number, text, "body", paths), text


def issue(number: int, text: str) -> tuple[Issue, str]:
    return Issue(number, "issue", "open", text, "body", "ada", ("bug",), 1, 2, 0), text


_texts = st.lists(st.sampled_from(WORDS), min_size=1, max_size=12).map(" ".join)
_numbers = st.integers(1, 12)
_steps: "st.SearchStrategy[Callable[[Shelf | Left], None]]" = st.one_of(
    st.builds(
        lambda number, texts: lambda shelf: shelf.put_blobs([blob(number, *texts)]),
        _numbers,
        st.lists(_texts, min_size=1, max_size=4),
    ),
    st.builds(
        lambda path, number: (
            lambda shelf: shelf.put_files([File(f"src/{WORDS[path % 7]}{path}.py", sha(number))])
        ),
        _numbers,
        _numbers,
    ),
    st.builds(
        lambda number: lambda shelf: shelf.put_files([File(f"lib/{number}", sha(number), "binary")]), _numbers
    ),
    st.builds(
        lambda number: lambda shelf: shelf.drop_files([f"lib/{number}", f"src/crash{number}.py"]), _numbers
    ),
    st.builds(lambda numbers: lambda shelf: shelf.drop_blobs(map(sha, numbers)), st.lists(_numbers)),
    st.builds(
        lambda number, text, path: (
            lambda shelf: shelf.put_commits([commit(number, text, f"src/{path}.py", "a b")])
        ),
        _numbers,
        _texts,
        _numbers,
    ),
    st.builds(lambda number: lambda shelf: shelf.drop_commits([sha(number)]), _numbers),
    st.builds(lambda number, text: lambda shelf: shelf.put_issues([issue(number, text)]), _numbers, _texts),
    st.builds(lambda number: lambda shelf: shelf.drop_issues([number]), _numbers),
    st.just(lambda shelf: shelf.tidy()),
)


def answers(shelf: Shelf) -> dict[str, Any]:
    """Everything a shelf says, in words that are alike in all: the ids of passages are each one's own."""
    shas = [sha(number) for number in range(1, 13)]
    files = shelf.files()
    found: dict[str, Any] = {
        "known": shelf.known(shas),
        "spare": set(shelf.spare()),
        "files": files,
        "blobs of": shelf.blobs_of(files),
        "paths": shelf.paths(shas),
        "paths like": shelf.paths_like(["CRASH1.py", "3"]),
        "chunks of": sorted(
            (each.blob, each.chunk.start, each.chunk.symbol) for each in shelf.chunks_of(shas)
        ),
        "defined": sorted(each.chunk.symbol for each in shelf.defined(["crash", "Box.LEASE"])),
        "uses": shelf.uses(["guid", "été"], 50),
        "references": {each: shelf.references_of(each) for each in shas},
        "imports": shelf.imports(),
        "commits": shelf.known_commits(),
        "recent": shelf.recent(50),
        "touching": shelf.touching(["a b", "src/1.py"], 3),
        "one commit": shelf.commit(sha(1)),
        "issues": shelf.issues(range(13)),
        "issue numbers": shelf.issue_numbers(),
        "sizes": _sizes(shelf),
    }
    for table in TABLES:
        for terms in (("crash",), ("lease", "guid", "lease"), ("get_user", "été", "nothing"), WORDS):
            hits = shelf.match(table, terms, 100)
            found[f"{table} {terms}"] = sorted((-hit.score, _name(shelf, table, hit.id)) for hit in hits)
            held = shelf.holding(table, terms, [hit.id for hit in hits])
            found[f"holding {table} {terms}"] = sorted((_name(shelf, table, key), held[key]) for key in held)
        found[f"frequencies {table}"] = shelf.frequencies(table, WORDS)
    return found


def _sizes(shelf: Shelf) -> tuple[Any, ...]:
    sizes = shelf.sizes()
    return sizes.files, sizes.left_out, sizes.chunks, sizes.commits, sizes.issues, dict(sizes.languages)


def _name(shelf: Shelf, table: Table, number: int) -> str:
    match table:
        case "chunk":
            return str([(each.blob, each.chunk) for each in shelf.chunks([number])])
        case "file":
            return shelf.blobs([number])[number]
        case "path":
            return shelf.path_names([number])[number]
        case "commit":
            return shelf.commits([number])[number].sha
        case _:
            return str(number)


class Left:
    """What steps leave behind, kept in dictionaries."""

    def __init__(self) -> None:
        self.blobs: dict[str, Blob] = {}
        self.files: dict[str, File] = {}
        self.commits: dict[str, tuple[Commit, str]] = {}
        self.issues: dict[int, tuple[Issue, str]] = {}
        self.paths: dict[str, None] = {}
        """Ever named: a path that is gone can still be searched for."""

    def put_blobs(self, blobs: Iterable[Blob]) -> None:
        self.blobs = {each.sha: each for each in blobs} | self.blobs

    def put_files(self, files: Iterable[File]) -> None:
        self.files |= {each.path: each for each in files}
        self.paths |= dict.fromkeys(self.files)

    def drop_files(self, paths: Iterable[str]) -> None:
        for path in paths:
            self.files.pop(path, None)

    def drop_blobs(self, shas: Iterable[str]) -> None:
        for each in shas:
            self.blobs.pop(each, None)

    def put_commits(self, commits: Iterable[tuple[Commit, str]]) -> None:
        new = {each.sha: (each, words) for each, words in commits}
        self.commits = new | self.commits
        self.paths |= dict.fromkeys(path for each, _ in new.values() for path in each.paths)

    def drop_commits(self, shas: Iterable[str]) -> None:
        for each in shas:
            self.commits.pop(each, None)

    def put_issues(self, issues: Iterable[tuple[Issue, str]]) -> None:
        self.issues |= {each.number: (each, words) for each, words in issues}

    def drop_issues(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            self.issues.pop(number, None)

    def tidy(self) -> None: ...

    def put_into(self, shelf: Shelf) -> None:
        """All at once."""
        shelf.put_files(File(path, sha(99), "binary") for path in self.paths)
        shelf.drop_files(self.paths)
        shelf.put_blobs(self.blobs.values())
        shelf.put_files(self.files.values())
        shelf.put_commits(self.commits.values())
        shelf.put_issues(self.issues.values())


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(_steps, min_size=5, max_size=40))
def test_after_any_steps_an_index_answers_as_one_that_never_held_what_is_gone(
    tmp_path_factory: pytest.TempPathFactory, steps: Sequence[Callable[[Shelf | Left], None]]
) -> None:
    """The scores too, to the last bit."""
    folder, left = tmp_path_factory.mktemp("shelf"), Left()
    with closing(Shelf.open(folder / "1.db")) as stepped, closing(Shelf.open(folder / "2.db")) as fresh:
        for step in steps:
            step(stepped)
            step(left)
        left.put_into(fresh)
        assert answers(stepped) == answers(fresh)


def test_a_transaction_is_all_or_nothing(shelf: Shelf) -> None:
    def fails() -> None:
        with shelf.writing():
            shelf.put_issues([issue(1, "crash")])
            shelf.set_state("watermark", "1")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    assert (shelf.issue_numbers(), shelf.state("watermark")) == ([], "")
    assert shelf.match("issue", ["crash"], 5) == []


def test_what_is_read_within_is_of_one_moment(opened: Callable[[], Shelf]) -> None:
    reader, writer = opened(), opened()
    with reader.reading():
        assert reader.issue_numbers() == []
        writer.put_issues([issue(1, "crash")])
        assert reader.match("issue", ["crash"], 5) == []
        assert reader.issue_numbers() == []
    assert reader.issue_numbers() == [1]


def test_only_one_builds_at_a_time(opened: Callable[[], Shelf]) -> None:
    one, other = opened(), opened()
    with one.alone(0), pytest.raises(ShelfError, match="another process"), other.alone(0.05):
        pass
    with other.alone(0):
        pass


def test_a_writer_waits_for_another(opened: Callable[[], Shelf]) -> None:
    one, other = opened(), opened()
    with one.writing():
        one.set_state("tip", "1")
        waiting = threading.Thread(target=lambda: other.set_state("tip", "2"))
        waiting.start()
        time.sleep(0.05)
    waiting.join()
    assert one.state("tip") == "2"


def test_hostile_text_is_kept_as_far_as_it_can_be(shelf: Shelf) -> None:
    long = "x" * 5000
    name = f"{long}\u202e'; DROP TABLE issue; --"
    shelf.put_blobs([Blob(sha(1), "", 1, "word", ((Chunk("function", name, 1, 1, "def \x01"), "word"),))])
    shelf.put_files([File(f"{long}.py", sha(1))])
    shelf.put_issues([(Issue(1, "issue", "open", "a %s \\ b", "{}\x7f", "ada"), "a b")])
    shelf.put_edges("issue 1", [Edge("mentions", Node("issue", "1"), Node("symbol", name), 2.0)])
    assert list(shelf.files()) == [f"{long}.py"]
    assert [each.chunk.symbol for each in shelf.defined([name])] == [name]
    assert shelf.issues([1])[1].title == "a %s \\ b"
    assert [edge.weight for edge in shelf.edges(target=Node("symbol", name))] == [2.0]
    assert shelf.match("issue", ["%s", "'", '"', "\\"], 5) == []


def test_edges_are_replaced_by_origin_and_found_from_both_ends(shelf: Shelf) -> None:
    one, two, three = Node("issue", "1"), Node("issue", "2"), Node("issue", "3")
    shelf.put_edges("issue 1", [Edge("duplicates", one, two), Edge("blocks", one, three)])
    shelf.put_edges("issue 3", [Edge("blocks", one, three, 4.0)])
    assert shelf.edges(source=one, kind="blocks") == [Edge("blocks", one, three, 5.0)]
    assert shelf.edges(target=two) == [Edge("duplicates", one, two)]
    shelf.put_edges("issue 1", [])
    assert shelf.edges() == [Edge("blocks", one, three, 4.0)]


def test_vectors_are_near_by_their_angle(shelf: Shelf) -> None:
    shelf.put_blobs([blob(1, "crash", "lease", "guid")])
    shelf.put_files([File("a.py", sha(1))])
    first, second, third = shelf.without_vector("chunk", "m@1", 9)
    shelf.put_vectors("chunk", "m@1", [(first, [1.0, 0.0]), (second, [0.6, 0.8])])
    shelf.put_vectors("chunk", "other", [(first, [0.0, 1.0])])
    assert shelf.without_vector("chunk", "m@1", 9) == [third]
    near = shelf.nearest("chunk", "m@1", [0.0, 1.0], 9)
    assert [hit.id for hit in near] == [second, first]
    assert [hit.score for hit in near] == pytest.approx([0.8, 0.0], abs=0.01)
    assert shelf.nearest("chunk", "m@1", [1.0, 0.0, 0.0], 9) == []
    shelf.drop_vectors("m@1")
    assert shelf.nearest("chunk", "other", [0.0, 1.0], 9) == []
    shelf.drop_blobs([sha(1)])
    assert shelf.nearest("chunk", "m@1", [0.0, 1.0], 9) == []


def test_an_issue_that_changes_loses_its_vectors(shelf: Shelf) -> None:
    shelf.put_issues([issue(1, "crash"), issue(2, "lease")])
    for number in (1, 2):
        shelf.put_vectors("title", "m", [(number, [1.0, 0.5])])
    shelf.put_issues([issue(1, "guid")])
    assert shelf.without_vector("title", "m", 9) == [1]
    assert [hit.id for hit in shelf.nearest("title", "m", [1.0, 0.5], 9)] == [2]
