"""The index of one repository in SQLite and in PostgreSQL: what each takes to be built, to take a push and to
answer, and whether both give the same results. `python -m tests.bench.databases REPOSITORY` (a folder)."""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from typing import TypeVar

from bot.knowledge.git import Git
from bot.knowledge.index import update
from bot.knowledge.search import Search
from bot.knowledge.shelf import Shelf
from tests.bench.figure import Figure
from tests.knowledge.shelves import both, cluster_with_vectors

QUERIES, PUSHES = 300, 10
_T = TypeVar("_T")


@dataclass
class Times:
    """Seconds."""

    build: float = 0.0
    pushes: list[float] = field(default_factory=list)
    queries: list[float] = field(default_factory=list)


@dataclass
class Compared:
    """`alike`: for each query whether the ten best files are the same in the same order, with the same
    passages."""

    files: int
    sqlite: Times
    postgres: Times
    octets: tuple[int, int]
    alike: list[bool] = field(default_factory=list)


def compare(git: Git, tip: str, queries: Sequence[str], folder: Path, url: str) -> Compared:
    """Builds both as of some commits before `tip`, brings them to it a commit at a time, asks both."""
    line = git.history(tip, most=PUSHES + 1)
    commits = [commit.sha for commit in line][::-1]
    with both(folder, url) as shelves:
        times = (Times(), Times())
        for shelf, time_of in zip(shelves, times, strict=True):
            time_of.build, _ = _timed(lambda shelf=shelf: update(shelf, git, commits[0]))  # type: ignore[misc]
            for sha in commits[1:]:
                seconds, _ = _timed(lambda shelf=shelf, sha=sha: update(shelf, git, sha))  # type: ignore[misc]
                time_of.pushes.append(seconds)
        sizes = [shelf.sizes() for shelf in shelves]
        compared = Compared(sizes[0].files, *times, octets=(sizes[0].octets, sizes[1].octets))
        for query in queries:
            found = [
                _asked(shelf, git, query, time_of) for shelf, time_of in zip(shelves, times, strict=True)
            ]
            compared.alike.append(found[0] == found[1])
        return compared


def figures(folder: Path, repositories: Sequence[Path]) -> Iterator[Figure]:
    """Of all these together."""
    with cluster_with_vectors() as cluster:
        for number, path in enumerate(repositories):
            git = Git(path)
            tip = git.commit()
            queries = [f"{c.subject}\n{c.body}" for c in git.history(tip, most=QUERIES)]
            own = folder / str(number)
            own.mkdir()
            yield from _figures(path.parent.name, compare(git, tip, queries, own, cluster.new_database()))


def _figures(name: str, compared: Compared) -> Iterator[Figure]:
    same = sum(compared.alike) / max(1, len(compared.alike))
    about = f"{name}, {compared.files} files"
    yield Figure(f"the same ten from both ({about})", f"{same:.1%}", ">= 95 %", same >= 0.95)
    for what, own, other, bar in (
        ("query, 95th of 100", _late(compared.postgres.queries), _late(compared.sqlite.queries), 0.05),
        ("push, median", median(compared.postgres.pushes), median(compared.sqlite.pushes), 0.1),
        ("full index", compared.postgres.build, compared.sqlite.build, 5.0 * compared.files / 1000),
    ):
        yield Figure(
            f"PostgreSQL: {what} ({about})",
            f"{own:.3f} s",
            f"<= {bar:.2f} s",
            own <= bar,
            f"SQLite {other:.3f} s",
        )
    room, baseline = compared.octets[1], compared.octets[0]
    most = 60e6 * compared.files / 1000
    yield Figure(
        f"PostgreSQL: room ({about})",
        f"{room / 1e6:.1f} MB",
        f"<= {most / 1e6:.0f} MB",
        room <= most,
        f"SQLite {baseline / 1e6:.1f} MB",
    )


def _asked(shelf: Shelf, git: Git, query: str, times: Times) -> list[tuple[str, int]]:
    seconds, found = _timed(lambda: Search(shelf, git).search(query, 10))
    times.queries.append(seconds)
    return [(each.path, each.start) for each in found]


def _timed(work: Callable[[], _T]) -> tuple[float, _T]:
    begun = time.perf_counter()
    value = work()
    return time.perf_counter() - begun, value


def _late(seconds: Sequence[float]) -> float:
    return quantiles(seconds, n=20)[-1]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for figure in figures(Path(folder), [Path(name) for name in sys.argv[1:]]):
            print(f"{figure.name}: {figure.measured} (bar {figure.bar}; {figure.baseline})", flush=True)


if __name__ == "__main__":
    main()
