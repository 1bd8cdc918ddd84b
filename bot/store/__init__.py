"""The memory of Hob: deliveries, runs, effects, usage. Sync SQLAlchemy; SQLite by default, PostgreSQL by
URL."""

from collections.abc import Collection

from sqlalchemy import select

from bot.store.access import AccessLook
from bot.store.calls import CallTotal, Ledger, ModelCalls, Total
from bot.store.database import Database
from bot.store.drafts import Drafts
from bot.store.findings import Findings
from bot.store.first_indexes import FirstIndexes
from bot.store.inbox import Delivery, Inbox, NewDelivery
from bot.store.known_issues import KnownIssues
from bot.store.known_repositories import KnownRepositories
from bot.store.mark_keys import MarkKeys
from bot.store.memory import Memories
from bot.store.outbox import Outbox
from bot.store.polling import PollingRow
from bot.store.pull_request_state import Pulls
from bot.store.reconciliation import Reconciliation
from bot.store.retention import OlderThan, forget, purge, repositories
from bot.store.routing import Decision, RunRouting
from bot.store.run_lifecycle import Recovered, Recovery
from bot.store.run_logs import RunLogs
from bot.store.runs import Runs, held
from bot.store.scans import Scans
from bot.store.schedule import Schedule
from bot.store.schema import await_schema, require_schema, schema_age
from bot.store.settings import Scope, Settings
from bot.store.tables import inbox
from bot.store.types import (
    ClaimRefused,
    EffectRow,
    Run,
    RunSpec,
    RunState,
    StoreUnavailable,
)
from bot.store.unfinished_checks import ended_of

__all__ = [
    "CallTotal",
    "ClaimRefused",
    "Decision",
    "Delivery",
    "EffectRow",
    "Inbox",
    "NewDelivery",
    "OlderThan",
    "Recovered",
    "Run",
    "RunSpec",
    "RunState",
    "Scope",
    "Store",
    "StoreUnavailable",
    "Total",
    "await_schema",
    "ended_of",
    "held",
    "migrate",
    "open_store",
]


class Store:
    """All tables of one database, by duty. Nothing is connected before the first use."""

    def __init__(self, url: str) -> None:
        self.database = Database(url)
        self.inbox = Inbox(self.database)
        self.routing = RunRouting(self.database)
        self.runs = Runs(self.database)
        self.schedule = Schedule(self.database)
        self.recovery = Recovery(self.database)
        self.outbox = Outbox(self.database)
        self.ledger = Ledger(self.database)
        self.calls = ModelCalls(self.database)
        self.settings = Settings(self.database)
        self.memory = Memories(self.database)
        self.drafts = Drafts(self.database)
        self.scans = Scans(self.database)
        self.findings = Findings(self.database)
        self.run_logs = RunLogs(self.database)
        self.issues = KnownIssues(self.database)
        self.pulls = Pulls(self.database)
        self.polling = PollingRow(self.database)
        self.access = AccessLook(self.database)
        self.known = KnownRepositories(self.database)
        self.first_indexes = FirstIndexes(self.database)
        self.reconciliation = Reconciliation(self.database)
        self.mark_keys = MarkKeys(self.database)

    def ping(self) -> None:
        """Raises `StoreUnavailable` when the database does not answer or has no tables."""
        with self.database.read() as connection:
            connection.execute(select(inbox.c.id).limit(1)).all()

    def schema_is_current(self) -> bool:
        """Whether this version works with the tables as they are (`hob migrate` makes it so)."""
        return schema_age(self.database) in ("current", "newer")

    def require_schema(self) -> None:
        """UserError where it does not."""
        require_schema(self.database)

    def server_key(self) -> bytes:
        """32 random bytes, made once for this database: signs the marks that Hob leaves on GitHub."""
        return self.mark_keys.first()

    def purge(self, older: OlderThan | float) -> int:
        """Deletes some of what is older (a time: settled deliveries, traces and drafts alone); call again
        while it gives more than 0."""
        if not isinstance(older, OlderThan):
            older = OlderThan(older, older, older)
        return purge(self.database, older)

    def forget(
        self,
        repo_ids: Collection[int],
        names: Collection[str] = (),
        installation: int = 0,
        guid: str = "",
        why: str = "access to the repository ended",
    ) -> int:
        """Ends what is under way for these repositories and deletes what was kept of them; see
        `bot.store.retention`."""
        return forget(self.database, repo_ids, names, installation, guid, why)

    def repositories(self, installation: int) -> set[int]:
        """The ids of the repositories of an installation, as far as deliveries are kept."""
        return repositories(self.database, installation)

    def close(self) -> None:
        """Stores what waits and closes the connections."""
        self.inbox.close()
        self.database.close()


def open_store(url: str) -> Store:
    """The store at SQLAlchemy's `url`: `sqlite:///path` or `postgresql+psycopg://…`. Connects on first
    use."""
    return Store(url)


def migrate(url: str, revision: str = "head") -> None:
    """Brings the database to the newest schema (or another `revision`). Safe when several processes do it
    at once. Raises `StoreUnavailable`."""
    from bot.store.migration import run

    run(url, revision)
