"""An index that has lived through many pushes answers as a fresh one, and is as small and quick."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random

import apsw
import pytest

from bot.knowledge import indexing
from bot.knowledge.git import Git
from bot.knowledge.indexing import put_blobs, update
from bot.knowledge.search.search import Search
from bot.knowledge.search.snapshot import snapshot_at
from bot.knowledge.storage import IndexStore
from bot.knowledge.storage.types import IndexStoreError
from bot.testing.github.git import GitRepo
from tests.knowledge.conftest import CUP, Services
from tests.long import LONG

PUSHES = 500 if LONG else 15
FILES = 24
MORE = 1.3
"""What a life may cost beside a fresh index."""
WORDS = [
    f"{a}{b}"
    for a in ("ket", "cup", "pot", "leaf", "brew", "tray")
    for b in ("le", "bot", "ta", "ming", "rix")
]


def text(random: Random, number: int) -> str:
    """A file of some functions, none like another."""
    functions = []
    for at in range(random.randint(2, 6)):
        words = random.choices(WORDS, k=12)
        name = f"{words[0]}_{words[1]}_{number}_{at}"
        body = "\n".join(
            f"    {a} = {b}({c!r})" for a, b, c in zip(words, words[1:], words[2:], strict=False)
        )
        functions.append(f"def {name}({words[2]}):\n    '''{' '.join(words[:5])}'''\n{body}\n")
    return "\n\n".join(functions)


class Life:
    """A history written as `git fast-import` reads it: one branch of pushes, and heads of pull requests that
    beside it. A push replaces, adds, renames or deletes a few files; one in ten is a force push back."""

    def __init__(self, seed: int) -> None:
        self.random, self.marks, self.stream = Random(seed), 0, bytearray()
        self.files: dict[str, str] = {}
        self.trees: dict[int, dict[str, str]] = {}
        self.pushes: list[int] = []
        self.heads: list[int] = []
        tip = self.commit(0, {f"src/{WORDS[n % 30]}/m{n}.py": text(self.random, n) for n in range(FILES)})
        for _ in range(PUSHES):
            self.pushes.append(tip)
            self.heads.append(self.commit(tip, self.change(tip)))
            onto = self.random.choice(self.pushes[-3:]) if self.random.random() < 0.1 else tip
            tip = self.commit(onto, self.change(onto))
        self.pushes.append(tip)

    def change(self, onto: int) -> dict[str, str | None]:
        tree, random = self.trees[onto], self.random
        made: dict[str, str | None] = {}
        for path in random.sample(sorted(tree), random.randint(1, 4)):
            number = self.marks * 10 + len(made)
            match random.randrange(8):
                case 0 if len(tree) > FILES // 2:
                    made[path] = None
                case 1:
                    made |= {path: None, f"src/moved/m{number}.py": tree[path]}
                case 2 if len(tree) < 2 * FILES:
                    made[f"src/new/m{number}.py"] = text(random, number)
                case _:
                    made[path] = text(random, number)
        return made

    def commit(self, onto: int, change: "dict[str, str | None] | dict[str, str]") -> int:
        self.marks += 1
        said = f"Mend {' '.join(self.random.choices(WORDS, k=5))}".encode()
        at = 1_000_000_000 + self.marks
        self.stream += f"commit refs/marks/{self.marks}\nmark :{self.marks}\n".encode()
        self.stream += (
            f"committer Ann <ann@example.org> {at} +0000\ndata {len(said)}\n".encode() + said + b"\n"
        )
        self.stream += f"from :{onto}\n".encode() if onto else b""
        tree = dict(self.trees.get(onto, {}))
        for path, new in change.items():
            if new is None:
                self.stream += f"D {path}\n".encode()
                del tree[path]
            else:
                data = new.encode()
                self.stream += f"M 100644 inline {path}\ndata {len(data)}\n".encode() + data + b"\n"
                tree[path] = new
        self.trees[self.marks] = tree
        return self.marks

    def queries(self) -> list[str]:
        return [" ".join(self.random.choices(WORDS, k=k)) for k in (1, 2, 3, 5, 8, 13, 40) for _ in range(3)]


@contextmanager
def visited(index_store: IndexStore) -> Iterator[list[int]]:
    """How many pages SQLite looked at within."""

    def count() -> int:
        kinds = (apsw.SQLITE_DBSTATUS_CACHE_HIT, apsw.SQLITE_DBSTATUS_CACHE_MISS)
        return sum(index_store.connection.status(kind)[0] for kind in kinds)

    told, before = [0], count()
    yield told
    told[0] = count() - before


@pytest.mark.timeout(1200 if LONG else 120)
def test_an_index_that_has_lived_finds_the_same_and_costs_the_same_as_a_fresh_one(tmp_path: Path) -> None:
    life = Life(seed=1)
    repo = GitRepo(tmp_path / "repo.git")
    repo.run("fast-import", "--quiet", data=bytes(life.stream))
    git = Git(repo.path)
    shas = {mark: repo.resolve(f"refs/marks/{mark}") for mark in [*life.pushes, *life.heads]}
    queries = life.queries()
    with closing(IndexStore.open(tmp_path / "lived.db")) as lived:
        for at, (push, head) in enumerate(zip(life.pushes, [*life.heads, 0], strict=True)):
            update(lived, git, shas[push], processes=1)
            if at % 8 == 7 and head:
                assert Search(lived, git).search(queries[0], at=shas[head])
    with closing(IndexStore.open(tmp_path / "fresh.db")) as fresh:
        update(fresh, git, shas[life.pushes[-1]], processes=1)
    with (
        closing(IndexStore.open(tmp_path / "lived.db")) as lived,
        closing(IndexStore.open(tmp_path / "fresh.db")) as fresh,
    ):
        with visited(lived) as by_lived:
            found = [Search(lived, git).search(query) for query in queries]
        with visited(fresh) as by_fresh:
            assert found == [Search(fresh, git).search(query) for query in queries]
        assert all(found)
        for table in ("chunk", "file", "path", "commit"):
            rows = f"SELECT count(*) FROM {table}_words"
            assert lived.one(rows) == fresh.one(rows), table
        assert by_lived[0] <= MORE * by_fresh[0]
        assert lived.sizes().octets <= MORE * fresh.sizes().octets


def tips(services: Services) -> list[tuple[str, float]]:
    """What a search at the tip finds, with scores to the last bit."""
    with services.search.signals("fill the cup and steep the leaves") as signals:
        return [(path, score) for part in signals.parts.values() for path, score in sorted(part.items())]


def test_what_is_read_for_a_pull_request_changes_no_answer_about_the_tip(tea: Services) -> None:
    before = tips(tea)
    head = tea.repo.write(
        "refs/heads/pull",
        {f"src/steep{n}.py": f"def steep_leaves_{n}(cup):\n    return cup.fill({n})\n" for n in range(30)},
        parent=tea.repo.resolve("main"),
        message="Steep",
        author="Ann",
        at=1e9,
    )
    assert tea.search.search("steep_leaves_7", at=head)[0].path == "src/steep7.py"
    assert tips(tea) == before
    assert [one.path for one in tea.search.search("steep_leaves_7")] == ["src/tea.py"]


def test_a_text_counts_for_another_commit_as_it_would_for_the_tip(tea: Services) -> None:
    """Its words are in tables of their own, in which every word would be common."""
    head = tea.repo.write(
        "refs/heads/pull",
        {"src/cup.py": CUP + "\n"},
        parent=tea.repo.resolve("main"),
        message="Air",
        author="Ann",
        at=1e9,
    )
    with tea.search.signals("fill a cup") as tip, tea.search.signals("fill a cup", head) as other:
        for part in ("chunk", "file"):
            assert other.parts[part] == pytest.approx(tip.parts[part])


@pytest.mark.parametrize("tip", [{}, {"empty.py": ""}, {"a.bin": b"\0"}])
def test_another_commit_is_searched_where_the_tip_has_nothing(
    checkout: Services, tip: dict[str, str | bytes]
) -> None:
    old = checkout.commit({"src/cup.py": CUP}, "Cups")
    checkout.commit({"src/cup.py": None, **tip}, "None")
    checkout.index()
    assert checkout.search.search("fill") == []
    assert [one.path for one in checkout.search.search("fill a cup " * 200, at=old)] == ["src/cup.py"]


def test_a_pull_request_is_read_whole_while_the_tip_moves_on(tea: Services) -> None:
    old = tea.repo.resolve("main")
    head = tea.repo.write(
        "refs/heads/pull",
        {"src/mug.py": "def mug_of_tea(): ..."},
        parent=old,
        message="Mug",
        author="A",
        at=1e9,
    )
    asked = {at: tea.search.search("fill the mug_of_tea", at=at) for at in (old, head)}
    assert {one.path for one in asked[head]} >= {"src/mug.py", "src/cup.py"}
    tea.commit({"src/cup.py": "class Glass:\n    pass\n"})
    tea.index()
    for at, found in asked.items():
        again = tea.search.search("fill the mug_of_tea", at=at)
        assert {(one.path, one.start, one.sha) for one in again} == {
            (one.path, one.start, one.sha) for one in found
        }


@pytest.mark.parametrize("at", ["tip", "before"])
def test_a_push_that_lands_in_the_middle_of_a_search_takes_nothing_from_it(
    tea: Services, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    """It replaces a file of the commit that is searched, after that was seen to be there."""
    before = tea.repo.resolve("main")
    tea.commit({"README.md": "# Tea\n\nHot.\n"})
    tea.index()
    sha = tea.repo.resolve("main") if at == "tip" else before
    pushes = [1]

    def and_a_push(*values: object) -> object:
        made = snapshot_at(*values)  # type: ignore[arg-type]
        if pushes:
            pushes.pop()
            tea.commit({"src/cup.py": "class Glass:\n    pass\n"})
            tea.index()
        return made

    monkeypatch.setattr("bot.knowledge.search.search.snapshot_at", and_a_push)
    found = tea.search.search("Cup fill", at=sha)
    assert found[0].path == "src/cup.py"
    assert {one.sha for one in found} == {sha}


def test_what_was_read_for_a_pull_request_is_the_tips_once_it_is_merged(tea: Services) -> None:
    head = tea.repo.write(
        "refs/heads/pull",
        {"src/mug.py": "def mug_of_tea(): ..."},
        parent=tea.repo.resolve("main"),
        message="M",
        author="A",
        at=1e9,
    )
    assert tea.search.search("mug_of_tea", at=head)
    assert len(tea.index_store.others()) == 1
    tea.repo.run("update-ref", "refs/heads/main", head)
    tea.index()
    assert tea.index_store.others() == []
    assert tea.search.search("mug_of_tea")[0].path == "src/mug.py"


def test_a_push_that_fails_in_the_middle_leaves_the_tip_before_it(
    tea: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, first = tips(tea), tea.repo.resolve("main")
    tea.commit({"src/cup.py": "class Glass:\n    pass\n", "README.md": None})

    def full(*_: object) -> None:
        raise IndexStoreError("no room is left on the disk")

    with monkeypatch.context() as patched:
        patched.setattr(IndexStore, "drop_others", full)
        with pytest.raises(IndexStoreError):
            tea.index()
    assert tea.index_store.state("tip") == first
    assert [path for path, _ in tips(tea)] == [path for path, _ in before]
    tea.index()
    assert tea.index_store.spare() == []
    assert "README.md" not in tea.index_store.files()


def test_a_force_push_back_reads_again_what_was_dropped(tea: Services) -> None:
    before, first = tips(tea), tea.repo.resolve("main")
    tea.commit({"src/cup.py": "class Glass:\n    pass\n", "src/tea.py": None})
    tea.index()
    tea.repo.run("update-ref", "refs/heads/main", first)
    tea.index()
    assert tea.files_read() == 2
    assert tips(tea) == before


def test_an_index_keeps_the_newest_commits_as_a_fresh_one_does(
    tea: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "MOST_COMMITS", 5)
    monkeypatch.setattr(indexing, "_FULL", 8)
    for number in range(12):
        tea.commit({f"only/{number}.py": "x = 1\n", f"only/{number - 1}.py": None}, f"Step {number}")
        assert tea.index().forgotten == 0
        assert tea.index_store.count_commits() <= 8
    assert tea.search.search("Step 11", kinds=["commit"])
    assert not tea.search.search("Make tea", kinds=["commit"])
    assert "only/1.py" not in tea.index_store.path_names(range(100)).values()


def test_an_index_made_before_is_taken_over_and_becomes_small(tea: Services) -> None:
    """It has what was read for other commits among the tip's words, and never gives room back."""
    fillers = {f"{n}.py": text(Random(n), n) for n in range(60)}
    head = tea.repo.write(
        "refs/heads/pull", fillers, parent=tea.repo.resolve("main"), message="Fill", author="Ann", at=1e9
    )
    before = tips(tea)
    put_blobs(tea.index_store, tea.git, {entry.sha: entry.path for entry in tea.git.tree(head)})
    found = tea.search.search("steep the leaves")
    old = tea.index_store.connection
    for sql in ("DROP TABLE {}_terms", "DROP TABLE {}_words"):
        for table in ("other_chunk", "other_file"):
            old.execute(sql.format(table))
    old.execute("ALTER TABLE blob DROP COLUMN tip")
    old.execute("PRAGMA auto_vacuum = none")
    old.execute("VACUUM")
    old.execute("PRAGMA user_version = 1")
    tea.index_store.close()
    tea.index_store = IndexStore.open(tea.index_store.path)
    assert tea.index_store.rebuilt == ""
    assert tea.search.search("steep the leaves") == found
    large = tea.index_store.one("PRAGMA page_count")
    tea.repo.run("update-ref", "refs/heads/main", head)
    tea.index()
    tea.repo.run("update-ref", "refs/heads/main", f"{head}~1")
    tea.index()
    assert tips(tea) == before
    assert tea.index_store.one("PRAGMA page_count") < 0.8 * large
    assert IndexStore.open(tea.index_store.path).rebuilt == ""


def test_an_index_of_which_half_is_gone_is_small_again(checkout: Services, tmp_path: Path) -> None:
    """In one push or in several, with nothing put beside."""
    files = {f"src/m{n}.py": text(Random(n), n) for n in range(60)}
    checkout.commit(files)
    checkout.index()
    for few in (range(1, 5), range(5, 10), range(10, 50)):
        checkout.commit({f"src/m{n}.py": None for n in few})
        checkout.index()
        with closing(IndexStore.open(tmp_path / f"{len(few)}.db")) as fresh:
            update(fresh, checkout.git, checkout.git.commit("main"), processes=1)
            fresh.tidy()
            for table in ("chunk", "file"):
                room = f"SELECT sum(length(block)) FROM {table}_words_data"
                assert checkout.index_store.one(room) <= MORE * fresh.one(room), (table, few)


def test_a_push_leaves_no_log_beside_the_index_and_waits_for_no_reader(tea: Services) -> None:
    tea.commit({"src/mug.py": CUP})
    tea.index()
    log = tea.index_store.path.with_name(tea.index_store.path.name + "-wal")
    assert log.stat().st_size == 0
    with closing(IndexStore.open(tea.index_store.path)) as reader, reader.reading():
        assert reader.state("tip")
        tea.commit({"src/mug.py": None})
        tea.index()
        assert log.stat().st_size > 0
        assert "src/mug.py" in reader.files()
    tea.commit({"src/mug.py": CUP})
    tea.index()
    assert log.stat().st_size == 0


def test_ids_of_passages_are_never_given_twice(tea: Services) -> None:
    """A vector that was made for one that is gone meanwhile would be another's."""
    seen: set[int] = set()
    for text in ("def one(): ...", "def two(): ...", "", "def four(): ..."):
        tea.commit({"src/cup.py": text or None, "src/tea.py": None})
        tea.index()
        ids = {
            each.id for each in tea.index_store.chunks_of(tea.index_store.blobs_of(["src/cup.py"]).values())
        }
        assert not ids & seen
        seen |= ids
    assert len(seen) == 3


def test_what_pull_requests_hold_takes_little_room(tea: Services) -> None:
    """However many there are: of a small repository no more than the last one's own files."""
    for number in range(3):
        head = tea.repo.write(
            f"refs/heads/{number}",
            {f"src/a{number}.py": f"a{number} = 1\n", f"src/b{number}.py": f"b{number} = 1\n"},
            parent=tea.repo.resolve("main"),
            message="More",
            author="Ann",
            at=1e9,
        )
        tea.search.search("anything", at=head)
    assert len(tea.index_store.others()) == 2
    tea.commit({"README.md": "# Tea\n"})
    tea.index()
    assert tea.index_store.others() == []
