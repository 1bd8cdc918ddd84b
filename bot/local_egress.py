"""What may leave this machine for an online host where a person asks: `hob ask`, `chain`, `review`, `eval`,
scripts. The same policy, budget and ledger as for a run of the App (`bot.runs.egress_policy`)."""

import asyncio
import logging
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from bot import log as logs
from bot.config import Config
from bot.core import credentials
from bot.core.credentials import Hidden
from bot.core.inference import Usage
from bot.core.privacy import ONLINE, Budget, Online
from bot.git import git
from bot.github import hobyml
from bot.inference.egress import IN_FLIGHT, EgressGuard
from bot.sanitise.leaks import leaks
from bot.store import Store, StoreUnavailable, open_store

SETTINGS = Path(".github/hob.yml")
MOST_BYTES = 256 * 1024
REGULAR = ("100644", "100755")
log = logging.getLogger(__name__)


def spent_today(config: Config, store: Store) -> Budget:
    """`[budget]` and what online hosts have cost since midnight UTC."""
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
    totals = [store.ledger.total(midnight, host.name) for host in config.hosts if host.online]
    return Budget(
        config.budget.online_usd_per_day,
        config.budget.online_tokens_per_day,
        sum(total.cost_usd for total in totals),
        sum(total.tokens_in + total.tokens_out for total in totals),
    )


OWN = "one of Hob's own"
OLD_SCHEMA = "the database is not at the newest schema"


def cleaned(text: str) -> Hidden | None:
    """A text without the credentials of known shapes and Hob's own. None where one of its own is in it in
    a form that cannot be cut out: spaced, reversed, in base64."""
    hidden = credentials.without(text)
    own = logs.redact(hidden.text)
    kinds = (OWN,) * (own != hidden.text)
    return None if leaks(own, logs.hidden()) else Hidden(own, (*kinds, *hidden.kinds))


@dataclass(slots=True)
class Outgoing:
    """`root`: the local repository that is asked about, if there is one; whether it is public nobody can tell
    here. `base`: a repository and a commit of it whose settings count beside those that lie in `root`: who
    judges a change asks its base, for the change may have taken them away. The ledger is opened when an
    online host could serve; `close` it."""

    config: Config
    root: Path | None = None
    base: tuple[Path, str] | None = None
    _store: Store | None = field(default=None)

    def guard(self) -> EgressGuard:
        """For the prompts of this process."""
        online = self.config.privacy.online
        return EgressGuard(online, None, self._setting, self._spent, cleaned, self._record)

    def operators(self) -> EgressGuard:
        """For asking a host what it has, which tells it nothing of a repository. Where there is no ledger
        yet, nothing is spent."""

        async def spent() -> Budget:
            return replace(await self._spent(), closed="")

        return EgressGuard(self.config.privacy.online, private=False, spent=spent, clean=cleaned)

    def close(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None

    async def _setting(self) -> Online:
        """What the repository's own settings allow: they can only narrow."""
        try:
            text = await asyncio.to_thread(_text, self.root / SETTINGS) if self.root else None
            texts = [text, await _committed(*self.base) if self.base else None]
        except OSError:
            return "never"
        return min((hobyml.read(one)[0].online for one in texts), key=ONLINE.index)

    async def _spent(self) -> Budget:
        table = self.config.budget
        try:
            return await asyncio.to_thread(lambda: spent_today(self.config, self._open()))
        except StoreUnavailable as error:
            closed = f"what was spent today cannot be read ({error}): run `hob migrate`, or see `hob doctor`"
            return Budget(table.online_usd_per_day, table.online_tokens_per_day, closed=closed)

    async def _record(self, used: Usage, usd: float) -> None:
        name = f"local/{self.root.name}" if self.root else "local"
        try:
            await asyncio.to_thread(lambda: self._open().ledger.add(None, name, used, usd))
        except StoreUnavailable as error:
            if not any(host.online for host in self.config.hosts if host.name == used.host):
                return  # costs nothing: a folder without a database is no fault
            log.warning("a use of %s is not in the ledger: %s", used.host, error)
            IN_FLIGHT.add(usd, used.tokens_in + used.tokens_out)

    def _open(self) -> Store:
        if self._store is None:
            self._store = existing_store(self.config)
        elif not self._store.schema_is_current():
            raise StoreUnavailable(OLD_SCHEMA)
        return self._store


def existing_store(config: Config) -> Store:
    """The store where there is one at the newest schema; StoreUnavailable. Asking a model makes none."""
    store = open_store(config.store.database_url)
    missing = store.database.file.is_missing
    try:
        if not missing and store.schema_is_current():
            return store
    except StoreUnavailable:
        store.close()
        raise
    store.close()
    raise StoreUnavailable("there is no database yet" if missing else OLD_SCHEMA)


async def _committed(root: Path, commit: str) -> str | None:
    """The settings of a commit; None where it has none, OSError where git cannot say."""
    code, out = await git(root, "ls-tree", "-z", "--full-tree", commit, "--", SETTINGS.as_posix())
    if code:
        raise OSError("git does not list the commit")
    mode, _, blob = (out.split(b"\t")[0].decode() or "0 - -").split(" ")
    if mode not in REGULAR:
        return None
    code, out = await git(root, "cat-file", "blob", blob, most=MOST_BYTES)
    if code:
        raise OSError("git does not show the settings")
    return out.decode("utf-8", "replace")


def _text(file: Path) -> str | None:
    """None where there is no such file; OSError where it cannot be read."""
    try:
        with file.open("rb") as opened:
            return opened.read(MOST_BYTES).decode("utf-8", "replace")
    except FileNotFoundError:
        return None
