"""What the store takes and gives: plain values.

What can go wrong with the database.
"""

from dataclasses import dataclass
from typing import Literal, Protocol

from bot.core.errors import TemporaryError, UserError
from bot.core.events import Priority


class StoreUnavailable(TemporaryError):
    """The database is full, locked or out of reach. Nothing of what was asked has been stored; asking
    again may work. `waiting_helps`: unless a person has to do something first."""

    def __init__(self, message: str, *, waiting_helps: bool = True) -> None:
        super().__init__(message)
        self.waiting_helps = waiting_helps


def newer_schema(revision: str) -> UserError:
    return UserError(
        f"the database was made by a newer Hob (its schema is {revision[:40]})",
        "install that version again, or restore a backup of this one's",
    )


RunState = Literal["queued", "running", "planned", "done", "ignored", "superseded", "dead"]
"""`planned` is running with rows in the outbox; a failed run that will be tried again is `queued` with an
error."""

FINAL: tuple[RunState, ...] = ("done", "ignored", "superseded", "dead")
LIVE: tuple[RunState, ...] = ("running", "planned")

HeartbeatVerdict = Literal["ok", "lost", "superseded"]
"""What a heartbeat hears."""

EffectState = Literal["planned", "sending", "done", "rejected", "ambiguous", "waiting", "shadow", "purged"]
"""`shadow`: kept to be reported, never to be applied. `purged`: only the key is left, so that it is not
caused again."""


@dataclass(frozen=True, slots=True)
class RunSpec:
    """A run that a delivery asks for. `target` is what only one run may work on at a time,
    `repo_id#number`; `not_before` epoch seconds; with `supersedes`, older runs of the same handler and
    target are no longer wanted; with `joins`, this one is not, where one of them waits already and starts no
    later."""

    handler: str
    priority: Priority
    target: str
    head_sha: str | None = None
    not_before: float = 0.0
    supersedes: bool = False
    joins: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """One piece of work: one handler for one delivery. Times are epoch seconds."""

    id: int
    delivery: str
    handler: str
    priority: Priority
    target: str
    repo_id: int | None
    repo: str
    head_sha: str | None
    supersedes: bool
    state: RunState
    superseded: bool
    attempts: int
    crashes: int
    revivals: int
    owner: str
    lease_until: float
    fence: int
    not_before: float
    arrived_at: float
    created_at: float
    started_at: float | None
    finished_at: float | None
    error: str
    host: str
    model: str
    tokens_in: int
    tokens_out: int
    summary: str
    tokens_cached: int = 0
    """Of `tokens_in`, those that hosts had read before and did not read anew."""


@dataclass(frozen=True, slots=True)
class ClaimRefused:
    """Why a run was not claimed. `missing` and `finished`: nothing is left to do. `held`: another worker
    has it. `not_due`, `busy` (another run has the target): it stays queued, and the sweep
    tries again."""

    reason: Literal["missing", "finished", "held", "not_due", "busy"]


class PlannedEffect(Protocol):
    """An effect to be remembered before it is caused."""

    @property
    def key(self) -> str:
        """Names it for ever, at most 64 hexadecimal digits."""

    @property
    def kind(self) -> str:
        """The effect's type."""

    @property
    def payload(self) -> str:
        """JSON."""


@dataclass(frozen=True, slots=True)
class EffectRow:
    """An effect of the outbox. `run_id` is the run that is answerable for it; times are epoch seconds."""

    id: int
    key: str
    run_id: int
    target: str
    ordinal: int
    kind: str
    payload: str
    state: EffectState
    attempts: int
    not_before: float
    fence: int
    url: str
    github_id: int | None
    error: str
    created_at: float
    changed_at: float
