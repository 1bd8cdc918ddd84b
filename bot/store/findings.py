"""What reviews judged, said or not, for people to look up: no effect depends on it."""

import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

from sqlalchemy import ColumnElement, case, exists, func, select, true, update

from bot.core.findings import FindingState, JudgedFinding, fingerprint
from bot.core.settings import Severity
from bot.store.columns import fit, with_words
from bot.store.database import Database
from bot.store.tables import findings, memory, repositories

Outcome = Literal["", "fixed", "dismissed"]
"""`fixed`: its code is gone since; `dismissed`: a person said that it is not wanted."""
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
MOST = 500
"""Findings of one run that are kept."""
Grouping = Literal["source", "category", "severity", "model", "repo", "week"]
WEEK = 7 * 86_400
_EPOCH_MONDAY = 4 * 86_400
"""Seconds from the epoch, a Thursday, to the first Monday after it."""


@dataclass(frozen=True, slots=True)
class FoundRow:
    """One finding of a run. `at` is epoch seconds; `why` says why it was not said."""

    id: int
    run_id: int
    repo_id: int
    repo: str
    number: int
    head_sha: str
    fingerprint: str
    path: str
    line: int | None
    severity: Severity
    category: str
    source: str
    model: str
    title: str
    state: FindingState
    why: str
    outcome: Outcome
    liked: int
    disliked: int
    at: float


@dataclass(frozen=True, slots=True)
class FindingQuery:
    """What to look for; empty values ask for everything. `words` are looked for in title, path and
    category."""

    repo: str = ""
    repo_id: int = 0
    number: int = 0
    run_id: int = 0
    state: str = ""
    severity: str = ""
    source: str = ""
    outcome: Outcome | None = None
    words: str = ""
    since: float = 0.0


@dataclass(frozen=True, slots=True)
class FindingGroup:
    """How findings that were said fared, of one value of a grouping."""

    value: str
    said: int
    fixed: int
    dismissed: int
    liked: int
    disliked: int


class Findings:
    """The table `findings`. Raises `StoreUnavailable`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(
        self,
        run_id: int,
        repo_id: int,
        number: int,
        head_sha: str,
        model: str,
        judged: Sequence[JudgedFinding],
        fixed: Collection[str] = (),
    ) -> None:
        """Keeps what a run judged, once however often it is told, and marks earlier ones as fixed."""
        rows = [
            {
                "run_id": run_id,
                "n": n,
                "repo_id": repo_id,
                "number": number,
                "head_sha": fit(head_sha, 64),
                "model": fit(model, 200) if one.finding.source == "model" else "",
                "at": time.time(),
                **_row(one),
            }
            for n, one in enumerate(judged[:MOST])
        ]
        with self._db.write() as connection:
            if rows:
                connection.execute(self._db.insert(findings).on_conflict_do_nothing(), rows)
            if fixed:
                gone = findings.c.fingerprint.in_(sorted(fixed)) & (findings.c.run_id != run_id)
                which = _of(repo_id, number) & gone
                connection.execute(update(findings).where(which).values(outcome="fixed"))

    def fingerprints(self, repo_id: int, number: int) -> frozenset[str]:
        """Of all that was judged there; 0 is what belongs to no pull request."""
        asked = select(findings.c.fingerprint).where(_of(repo_id, number)).distinct()
        with self._db.read() as connection:
            return frozenset(connection.execute(asked).scalars())

    def page(self, query: FindingQuery, before: int | None, limit: int) -> list[FoundRow]:
        """The newest that fit, those with a smaller id than `before`."""
        which = _which(query)
        if before is not None:
            which &= findings.c.id < before
        asked = _selected().where(which).order_by(findings.c.id.desc()).limit(limit)
        with self._db.read() as connection:
            return [_found(row) for row in connection.execute(asked).mappings()]

    def get(self, number: int) -> FoundRow | None:
        """By its id."""
        with self._db.read() as connection:
            row = connection.execute(_selected().where(findings.c.id == number)).mappings().first()
            return _found(row) if row else None

    def groups(self, by: Grouping, query: FindingQuery, limit: int = 50) -> list[FindingGroup]:
        """How what was said fared, by one of its properties; most said first, weeks newest first."""
        value = _grouped(by)
        sums = (
            func.count(),
            func.sum(case((_OUTCOME == "fixed", 1), else_=0)),
            func.sum(case((_OUTCOME == "dismissed", 1), else_=0)),
            func.sum(findings.c.liked),
            func.sum(findings.c.disliked),
        )
        asked = select(value, *sums).select_from(_JOINED).where(_which(query), findings.c.state == "said")
        order = value.desc() if by == "week" else func.count().desc()
        asked = asked.group_by(value).order_by(order).limit(limit)
        with self._db.read() as connection:
            return [
                FindingGroup(str(row[0] or ""), *(int(number or 0) for number in row[1:]))
                for row in connection.execute(asked)
            ]

    def opinions(self, repo_id: int, number: int, told: Iterable[tuple[str, int, int]]) -> None:
        """(fingerprint, thumbs up, thumbs down) of remarks on a pull request, as they stand now. An opinion
        is noted; it dismisses nothing."""
        with self._db.write() as connection:
            for name, liked, disliked in told:
                which = _of(repo_id, number) & (findings.c.fingerprint == name) & (findings.c.state == "said")
                connection.execute(update(findings).where(which).values(liked=liked, disliked=disliked))


def _row(one: JudgedFinding) -> dict[str, Any]:
    finding = one.finding
    return {
        "fingerprint": fingerprint(finding),
        "path": fit(finding.path, 1_000),
        "line": finding.line,
        "severity": finding.severity,
        "category": fit(finding.category, 100),
        "source": fit(finding.source, 40),
        "title": fit(finding.title, 300),
        "state": one.state,
        "why": fit(one.why, 100),
        "outcome": "",
        "liked": 0,
        "disliked": 0,
    }


def _of(repo_id: int, number: int) -> ColumnElement[bool]:
    return (findings.c.repo_id == repo_id) & (findings.c.number == number)


_JOINED = findings.outerjoin(repositories, repositories.c.id == findings.c.repo_id)
_DISMISSED = exists().where(
    (memory.c.repo_id == findings.c.repo_id)
    & (memory.c.fingerprint == findings.c.fingerprint)
    & (memory.c.kind == "dismissal")
)
_OUTCOME = case((_DISMISSED, "dismissed"), else_=findings.c.outcome)
_REPO = func.coalesce(repositories.c.name, "")


def _selected() -> Any:
    own = [one for one in findings.c if one.name not in ("n", "outcome")]
    return select(*own, _OUTCOME.label("outcome"), _REPO.label("repo")).select_from(_JOINED)


def _which(query: FindingQuery) -> ColumnElement[bool]:
    which: ColumnElement[bool] = true()
    if query.repo:
        which &= func.lower(_REPO) == query.repo.lower()
    for name in ("repo_id", "number", "run_id", "state", "severity", "source"):
        if value := getattr(query, name):
            which &= findings.c[name] == value
    if query.outcome is not None:
        which &= query.outcome == _OUTCOME
    if query.since:
        which &= findings.c.at >= query.since
    return which & with_words(query.words, findings.c.title, findings.c.path, findings.c.category)


def _grouped(by: Grouping) -> ColumnElement[Any]:
    if by == "repo":
        return _REPO
    if by == "week":
        return func.floor((findings.c.at - _EPOCH_MONDAY) / WEEK) * WEEK + _EPOCH_MONDAY
    return cast("ColumnElement[Any]", findings.c[by])


def _found(row: Any) -> FoundRow:
    return FoundRow(**row)
