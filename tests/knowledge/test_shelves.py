"""An index in SQLite and one in PostgreSQL give the same answers, whatever happened to both."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.core.knowing import Edge, Issue, Node
from bot.core.source import Chunk, Import, Reference
from bot.knowledge.postgres import Pgvector, PostgresShelf, names, pgvector, remove
from bot.knowledge.postgres.words import CROWDED
from bot.knowledge.shelf import SCHEMA, Blob, Commit, Damaged, File, Shelf, ShelfError, Table
from bot.knowledge.sqlite import SQLiteShelf
from tests.databases import Cluster
from tests.knowledge.shelves import Opened, both, cluster_with_vectors, running

pytestmark = pytest.mark.xdist_group("knowledge in PostgreSQL")
WORDS = ("crash", "worker", "lease", "guid", "get_user", "été", "x1")
TABLES: tuple[Table, ...] = ("chunk", "file", "path", "commit", "issue")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with cluster_with_vectors() as made:
        yield made


@pytest.fixture
def url(cluster: Cluster) -> str:
    return cluster.new_database()


@pytest.fixture(params=["sqlite", "postgresql"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Opened]]:
    """Opens the same index again and again."""
    shelves: list[Opened] = []
    url = request.getfixturevalue("url") if request.param == "postgresql" else ""

    def open_it() -> Opened:
        path = tmp_path / "1.db"
        shelves.append(PostgresShelf.open(url, "1") if url else SQLiteShelf.open(path))
        return shelves[-1]

    yield open_it
    for shelf in shelves:
        shelf.close()


@pytest.fixture
def shelf(opened: Callable[[], Opened]) -> Opened:
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
_steps: st.SearchStrategy[Callable[[Shelf], None]] = st.one_of(
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
    """Everything a shelf says, in words that are alike in both: the ids of passages are each one's own."""
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


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(_steps, min_size=5, max_size=40))
def test_both_answer_alike_after_any_steps(
    cluster: Cluster, tmp_path_factory: pytest.TempPathFactory, steps: Sequence[Callable[[Shelf], None]]
) -> None:
    """The scores too, to the last bit."""
    with both(tmp_path_factory.mktemp("shelf"), cluster.url("postgres"), uuid4().hex) as shelves:
        for step in steps:
            for shelf in shelves:
                step(shelf)
        sqlite, postgres = map(answers, shelves)
    assert postgres == sqlite


def test_many_writes_are_joined_and_lose_nothing(url: str) -> None:
    shelf = PostgresShelf.open(url, "1")
    for number in range(1, 3 * CROWDED):
        shelf.put_issues([issue(number, f"crash number{number}")])
    shelf.drop_issues([2])
    assert len(shelf.match("issue", ["crash"], 100)) == 3 * CROWDED - 2
    assert shelf.rows("SELECT max(level), count(*) FROM segment") == [(1, 2 + CROWDED - 1)]
    shelf.tidy()
    assert shelf.rows("SELECT count(*) FROM segment") == [(1,)]
    assert shelf.rows("SELECT count(*) FROM gone") == [(0,)]
    assert shelf.match("issue", ["number2"], 9) == []
    assert [hit.id for hit in shelf.match("issue", ["number3"], 9)] == [3]
    shelf.close()


def test_a_transaction_is_all_or_nothing(shelf: Opened) -> None:
    def fails() -> None:
        with shelf.writing():
            shelf.put_issues([issue(1, "crash")])
            shelf.set_state("watermark", "1")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    assert (shelf.issue_numbers(), shelf.state("watermark")) == ([], "")
    assert shelf.match("issue", ["crash"], 5) == []


def test_what_is_read_within_is_of_one_moment(opened: Callable[[], Opened]) -> None:
    reader, writer = opened(), opened()
    with reader.reading():
        assert reader.issue_numbers() == []
        writer.put_issues([issue(1, "crash")])
        assert reader.match("issue", ["crash"], 5) == []
        assert reader.issue_numbers() == []
    assert reader.issue_numbers() == [1]


def test_only_one_builds_at_a_time(opened: Callable[[], Opened]) -> None:
    one, other = opened(), opened()
    with one.alone(0), pytest.raises(ShelfError, match="another process"), other.alone(0.05):
        pass
    with other.alone(0):
        pass


def test_a_writer_waits_for_another(opened: Callable[[], Opened]) -> None:
    one, other = opened(), opened()
    with one.writing():
        one.set_state("tip", "1")
        waiting = threading.Thread(target=lambda: other.set_state("tip", "2"))
        waiting.start()
        time.sleep(0.05)
    waiting.join()
    assert one.state("tip") == "2"


def test_hostile_text_is_kept_as_far_as_it_can_be(shelf: Opened) -> None:
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


def test_edges_are_replaced_by_origin_and_found_from_both_ends(shelf: Opened) -> None:
    one, two, three = Node("issue", "1"), Node("issue", "2"), Node("issue", "3")
    shelf.put_edges("issue 1", [Edge("duplicates", one, two), Edge("blocks", one, three)])
    shelf.put_edges("issue 3", [Edge("blocks", one, three, 4.0)])
    assert shelf.edges(source=one, kind="blocks") == [Edge("blocks", one, three, 5.0)]
    assert shelf.edges(target=two) == [Edge("duplicates", one, two)]
    shelf.put_edges("issue 1", [])
    assert shelf.edges() == [Edge("blocks", one, three, 4.0)]


def test_vectors_are_near_by_their_angle(shelf: Opened) -> None:
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


def test_an_issue_that_changes_loses_its_vectors(shelf: Opened) -> None:
    shelf.put_issues([issue(1, "crash"), issue(2, "lease")])
    for number in (1, 2):
        shelf.put_vectors("title", "m", [(number, [1.0, 0.5])])
    shelf.put_issues([issue(1, "guid")])
    assert shelf.without_vector("title", "m", 9) == [1]
    assert [hit.id for hit in shelf.nearest("title", "m", [1.0, 0.5], 9)] == [2]


# Of PostgreSQL alone


def test_repositories_do_not_see_each_other_and_are_deleted_alone(url: str) -> None:
    one, other = PostgresShelf.open(url, "1"), PostgresShelf.open(url, "2")
    for shelf, text in ((one, "crash"), (other, "crash lease")):
        shelf.put_issues([issue(7, text)])
        shelf.put_blobs([blob(1, text)])
        shelf.put_files([File("a.py", sha(1))])
        shelf.put_vectors("issue", "m", [(7, [1.0, 0.0])])
    assert one.match("issue", ["lease"], 5) == []
    assert names(url) == ["1", "2"]
    one.close()
    remove(url, "1")
    remove(url, "never there")
    assert names(url) == ["2"]
    assert [hit.id for hit in other.match("issue", ["crash"], 5)] == [7]
    assert [hit.id for hit in other.nearest("issue", "m", [1.0, 0.0], 5)] == [7]
    left = other.rows(
        "SELECT DISTINCT repo FROM posting UNION SELECT repo FROM vector UNION SELECT repo FROM chunk"
    )
    assert left == [(other.repo,)]
    other.close()


def test_pgvector_is_taken_where_the_server_has_it(url: str) -> None:
    before = pgvector(url)
    assert (before.installed, before.may) == ("", True)
    shelf = PostgresShelf.open(url, "1")
    assert shelf.has_vectors
    assert pgvector(url).installed == before.available != ""
    shelf.close()


def test_who_still_has_a_deleted_index_open_is_told(url: str) -> None:
    shelf = PostgresShelf.open(url, "1")
    remove(url, "1")
    with pytest.raises(Damaged, match="deleted by another process"):
        shelf.put_issues([issue(1, "crash")])
    shelf.close()
    again = PostgresShelf.open(url, "1")
    again.put_issues([issue(1, "crash")])
    again.close()


def test_tables_of_another_version_are_laid_anew(url: str, caplog: pytest.LogCaptureFixture) -> None:
    old = PostgresShelf.open(url, "1")
    old.put_issues([issue(1, "crash")])
    old.rows("UPDATE version SET number = %s", [SCHEMA + 1])
    new = PostgresShelf.open(url, "1")
    assert new.rebuilt == "it was made by another version of Hob"
    assert new.rebuilt in caplog.text
    assert new.issue_numbers() == []
    assert old.issue_numbers() == []
    with pytest.raises(Damaged, match="deleted"):
        old.put_issues([issue(1, "crash")])
    old.close()
    new.close()


def test_many_processes_may_lay_the_tables_at_once(url: str) -> None:
    made: list[PostgresShelf] = []
    opening = [threading.Thread(target=lambda: made.append(PostgresShelf.open(url, "1"))) for _ in range(6)]
    for thread in opening:
        thread.start()
    for thread in opening:
        thread.join()
    assert len({shelf.repo for shelf in made}) == 1
    assert len(made) == 6
    for shelf in made:
        shelf.close()


def test_a_server_without_pgvector_serves_all_the_rest() -> None:
    with running(Cluster()) as plain:
        url = plain.new_database()
        shelf = PostgresShelf.open(url, "1")
        assert (shelf.has_vectors, pgvector(url)) == (False, Pgvector())
        shelf.put_issues([issue(1, "crash worker")])
        shelf.put_vectors("issue", "m", [(1, [1.0])])
        assert shelf.nearest("issue", "m", [1.0], 5) == []
        assert shelf.without_vector("issue", "m", 5) == []
        shelf.drop_vectors("m")
        assert [hit.id for hit in shelf.match("issue", ["crash"], 5)] == [1]
        shelf.discard()


def test_a_server_that_is_away_is_said_in_one_line(url: str) -> None:
    shelf = PostgresShelf.open(url, "1")
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'hob' "
            "AND datname = current_database()"
        )
    with pytest.raises(ShelfError) as told:
        shelf.issue_numbers()
    assert "\n" not in str(told.value)
    with pytest.raises(ShelfError):
        PostgresShelf.open("postgresql+psycopg://hob@/none?host=/nowhere", "1")
