"""How far Hob has looked for what it missed, and what it found; kept so that any process goes on from there.

One row, replaced as a whole: whoever read an older one cannot write over a newer.
"""

import time
import zlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from msgspec import DecodeError, Struct, field
from msgspec.json import decode, encode
from sqlalchemy import Connection, delete, select, update

from bot.core.errors import Superseded
from bot.store.columns import fit
from bot.store.database import Database
from bot.store.tables import inbox, meta, runs
from bot.store.types import RunSpec

KEY = "reconciliation"
MOST_RECOVERED = 500
FOUND = "found:"
"""How the GUID of a delivery begins that Hob made of work that it found: none of GitHub's has a colon."""
FORGOTTEN = "forgotten:"
FORGOTTEN_SECONDS = 7 * 86_400.0
"""How long it is known when a repository was forgotten; GitHub keeps deliveries for half of that."""


class MissedDelivery(Struct):
    """A delivery that the inbox lacks. `id`: of an attempt that GitHub kept; `at`: epoch seconds by GitHub's
    clock, as all times here; `again`: it was sent again already; `failures`: to read its payload."""

    id: int
    guid: str
    event: str
    at: float
    again: bool = False
    failures: int = 0


class Tally(Struct):
    """What was found: how many of each."""

    deliveries: int = 0
    pull_requests: int = 0
    issues: int = 0
    comments: int = 0
    lost: int = 0
    """Deliveries whose payload was not to be had."""

    def add(self, other: "Tally") -> None:
        for name in self.__struct_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def __bool__(self) -> bool:
        return any(getattr(self, name) for name in self.__struct_fields__)

    def __str__(self) -> str:
        told = (
            (self.deliveries, "deliver{} recovered", ("y", "ies")),
            (self.pull_requests, "pull request{} found", ("", "s")),
            (self.issues, "issue{} found", ("", "s")),
            (self.comments, "comment{} found", ("", "s")),
            (self.lost, "deliver{} lost", ("y", "ies")),
        )
        return ", ".join(f"{many} {words.format(ends[many != 1])}" for many, words, ends in told if many)


class BackFill(Struct):
    """Work that is older than the deliveries that GitHub still has: made from `since` to `until`. Where it
    has got to: `installations` are those that wait, `repositories` those that wait of the first of them;
    `step`, `position` and `page` within the first repository."""

    since: float
    until: float
    installations: list[int] | None = None
    listed: int = 0
    """Pages of repositories of the first installation that were read."""
    repositories: list[dict[str, object]] = field(default_factory=list)
    step: str = ""
    position: float = 0.0
    page: int = 1
    failing_since: float = 0.0
    """GitHub answers other questions, but not this one; 0.0: it does."""
    not_before: float = 0.0


class Progress(Struct):
    """`watermark`: every delivery up to then was looked at. While a look goes on (`began` is not 0), it goes
    on at `cursor`, from the newest of then to the watermark. `started`: the first look of all; of what is
    older only deliveries that GitHub could not hand over were missed."""

    watermark: float = 0.0
    started: float = 0.0
    began: float = 0.0
    cursor: str = ""
    oldest: float = 0.0
    missed: list[MissedDelivery] = field(default_factory=list)
    given_up: dict[str, float] = field(default_factory=dict)
    """GUIDs that are said to be lost, and their times, while they are looked at still."""
    back_fill: BackFill | None = None
    recovered: list[str] = field(default_factory=list)
    """GUIDs of the latest that GitHub had not brought, the newest last."""
    found: Tally = field(default_factory=Tally)
    """In all."""
    newest: Tally = field(default_factory=Tally)
    """In the last round that found something, which was at `found_at`."""
    found_at: float = 0.0
    looked_at: float = 0.0

    @property
    def waiting(self) -> bool:
        """Whether something is left for the next round."""
        rest = self.back_fill
        return bool(self.began or self.missed or (rest and rest.not_before <= self.looked_at))

    def recover(self, guid: str) -> None:
        self.recovered = [*self.recovered[1 - MOST_RECOVERED :], guid]

    def note(self, found: Tally) -> None:
        """What the last look found."""
        if found:
            self.found.add(found)
            self.newest, self.found_at = found, self.looked_at


def told(progress: Progress, now: float) -> str:
    """How things stand, in a line; `now` in epoch seconds."""
    if not progress.looked_at:
        return "nobody has looked for missed deliveries yet"
    said = [f"looked {_ago(now - progress.looked_at)} ago"]
    if progress.found_at:
        when = datetime.fromtimestamp(progress.found_at, UTC).strftime("%Y-%m-%d %H:%M UTC")
        said.append(f"last found {when}: {progress.newest}")
        said.append(f"in all {progress.found}")
    else:
        said.append("nothing was missed")
    if progress.missed:
        said.append(f"{len(progress.missed)} more deliveries are known and fetched next")
    if progress.began:
        said.append("goes on listing deliveries in the next round")
    if progress.back_fill:
        since = datetime.fromtimestamp(progress.back_fill.since, UTC).strftime("%Y-%m-%d %H:%M UTC")
        said.append(f"goes on looking through repositories for what happened since {since}")
    return "; ".join(said)


def _ago(seconds: float) -> str:
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"


@dataclass(frozen=True, slots=True)
class ListedDelivery:
    """What is asked about a delivery that GitHub lists."""

    guid: str
    at: float
    repository_id: int | None
    installation_id: int | None


class Reconciliation:
    """Raises `StoreUnavailable`. For one round at a time: `load`, then `save` after each step."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._last: bytes | None = None

    def load(self) -> Progress:
        """What was saved last; a new one where there is none, or none that this version can read."""
        with self._db.read() as connection:
            mine = select(meta.c.value).where(meta.c.key == KEY)
            self._last = connection.execute(mine).scalar_one_or_none()
        try:
            return decode(zlib.decompress(self._last), type=Progress) if self._last else Progress()
        except (DecodeError, zlib.error):
            return Progress()

    def save(self, progress: Progress) -> None:
        """`Superseded` where another process has saved since."""
        new = zlib.compress(encode(progress), 1)
        with self._db.write() as connection:
            if self._last is None:
                insert = self._db.insert(meta).values(key=KEY, value=new).on_conflict_do_nothing()
                done = connection.execute(insert).rowcount
            else:
                mine = (meta.c.key == KEY) & (meta.c.value == self._last)
                done = connection.execute(update(meta).where(mine).values(value=new)).rowcount
        if done != 1:
            raise Superseded("another process looks for what was missed")
        self._last = new

    def lacking(self, listed: Collection[ListedDelivery]) -> set[str]:
        """The GUIDs of those that never came in. What was about a repository before it was forgotten is not
        asked for again."""
        guids = {one.guid for one in listed}
        with self._db.read() as connection:
            known = set(connection.scalars(select(inbox.c.guid).where(inbox.c.guid.in_(guids))))
            known |= set(connection.scalars(select(runs.c.delivery).where(runs.c.delivery.in_(guids))))
            gone = _forgotten(connection)
        return {
            one.guid
            for one in listed
            if one.guid not in known
            and one.at > gone.get(f"{one.repository_id}", 0.0)
            and one.at > gone.get(f"installation {one.installation_id}", 0.0)
        }

    def forgotten(self, repo_id: int) -> float:
        """When a repository was last forgotten; 0.0: not lately."""
        with self._db.read() as connection:
            return _forgotten(connection).get(f"{repo_id}", 0.0)

    def is_known(self, specs: Iterable[RunSpec]) -> bool:
        """Whether one of these runs was made before, for the same target and head."""
        with self._db.read() as connection:
            for spec in specs:
                same = (runs.c.target == fit(spec.target, 200)) & (runs.c.handler == fit(spec.handler, 100))
                head = runs.c.head_sha.is_not_distinct_from(spec.head_sha)
                if connection.execute(select(runs.c.id).where(same & head).limit(1)).first():
                    return True
        return False


def forget(database: Database, connection: Connection, repo_ids: Collection[int], installation: int) -> None:
    """Notes that what was about these until now is not to come back."""
    now = time.time()
    names = [str(one) for one in repo_ids] + ([f"installation {installation}"] if installation else [])
    if names:
        old = [name for name, at in _forgotten(connection).items() if at < now - FORGOTTEN_SECONDS]
        keys = [f"{FORGOTTEN}{name}" for name in (*old, *names)]
        connection.execute(delete(meta).where(meta.c.key.in_(keys)))
        rows = [{"key": f"{FORGOTTEN}{name}", "value": str(now).encode()} for name in names]
        connection.execute(database.insert(meta).on_conflict_do_nothing(), rows)


def _forgotten(connection: Connection) -> dict[str, float]:
    which = select(meta.c.key, meta.c.value).where(meta.c.key.startswith(FORGOTTEN))
    return {key.removeprefix(FORGOTTEN): float(value) for key, value in connection.execute(which)}
