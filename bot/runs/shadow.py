"""Reports of what reviews that were only kept would have said: each week a file in the data directory, and
on request."""

import asyncio
import logging
import os
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from bot.config import load_config
from bot.core.effects import PostReview, SetCheck
from bot.core.errors import Gone, HobError, TemporaryError
from bot.core.finding_outcome import Followed, outcome
from bot.core.refs import Sha
from bot.core.shadow import Kept, ShadowReport, markdown
from bot.github.reader import PULL_REQUEST, JobReader
from bot.paths import make_private
from bot.runs.effect_policy import load
from bot.runs.preview import find
from bot.runs.services import Services, build
from bot.store import stats as stored
from bot.store.stats import Shadowed

log = logging.getLogger(__name__)
WEEK = timedelta(days=7)
WEEKS = 4
"""How many weeks back a report that is missing is written."""


@dataclass(frozen=True, slots=True)
class Week:
    """A week of the calendar, from Monday, in the configured time zone."""

    monday: datetime

    @classmethod
    def before(cls, now: datetime, back: int = 1) -> "Week":
        """The last one that is over where `now` is told, or one further `back`."""
        today = now.replace(hour=0, minute=0, second=0, microsecond=0)
        return cls(today - timedelta(days=today.weekday()) - back * WEEK)

    @property
    def name(self) -> str:
        """As ISO 8601 names it: `2026-W48`."""
        year, week, _ = self.monday.isocalendar()
        return f"{year}-W{week:02}"


async def write_reports(services: Services, now: float) -> list[Path]:
    """Those of the weeks before `now` (epoch seconds) that are missing: `shadow/2026-W48/octo--tea.md` under
    the data directory. Two dashes, for GitHub's names of owners have no two in a row. What passes is raised
    when the others are written: the run is tried again."""
    written: list[Path] = []
    passing: TemporaryError | None = None
    for file, repo, since, until in await asyncio.to_thread(_missing, services, now):
        try:
            report = await report_of(services, repo, since, until)
        except HobError as error:
            passing = error if isinstance(error, TemporaryError) else passing
            log.warning("no report of what was not posted in %s: %s", repo, error)
            continue
        if await asyncio.to_thread(_write_once, file, markdown(report)):
            written.append(file)
    if passing:
        raise passing
    return written


def _missing(services: Services, now: float) -> list[tuple[Path, str, float, float]]:
    """(the report's file, its repository, from, until), the oldest week first."""
    here = datetime.fromtimestamp(now, services.config.schedule.zone)
    folder, found = services.config.hob.data_dir / "shadow", []
    for week in (Week.before(here, back) for back in range(WEEKS, 0, -1)):
        since, until = week.monday.timestamp(), (week.monday + WEEK).timestamp()
        for repo in stored.repositories(services.store.database, since, until):
            file = folder / week.name / f"{repo.replace('/', '--')}.md"
            if not file.exists():
                found.append((file, repo, since, until))
    return found


async def latest(full_name: str) -> ShadowReport:
    """Of the last seven days. UserError where the App cannot see the repository."""
    services = build(load_config())
    try:
        now = time.time()
        return await report_of(services, full_name, now - WEEK.total_seconds(), now)
    finally:
        await services.aclose()


async def report_of(services: Services, full_name: str, since: float, until: float) -> ShadowReport:
    """Looks on GitHub what became of the lines."""
    rows = await asyncio.to_thread(stored.shadowed, services.store.database, full_name, since, until)
    repo = await find(services.github, full_name)
    async with services.github.job(repo) as job:
        reader = JobReader(repo, job, PULL_REQUEST)
        runs: dict[int, list[Shadowed]] = {}
        for row in rows:
            runs.setdefault(row.run_id, []).append(row)
        kept = [await _kept(reader, some) for some in runs.values()]
    return ShadowReport(full_name, since, until, tuple(one for one in kept if one is not None))


async def _kept(reader: JobReader, rows: list[Shadowed]) -> Kept | None:
    """None for a run that only told why it reviewed nothing."""
    effects = [load(row.kind, row.payload) for row in rows]
    check = next((one for one in effects if isinstance(one, SetCheck) and one.judged), None)
    if check is None:
        return None
    reviews = [one for one in effects if isinstance(one, PostReview)]
    number = rows[0].number
    followed = tuple([each for one in reviews for each in await _follow(reader, number, one)])
    return Kept(number, check.head_sha, followed, rows[0].tokens_in, rows[0].tokens_out)


async def _follow(reader: JobReader, number: int, review: PostReview) -> list[Followed]:
    """At the pull request's head as it is now, and after a merge on the default branch."""
    paths = sorted({finding.path for finding in review.findings})
    if not paths:
        return []
    try:
        state = await reader.pull_request(number)
        then = await reader.texts(review.head_sha, paths)
        last = await reader.texts(state.head_sha, paths)
        now = await reader.texts(Sha(reader.repo.default_branch), paths) if state.merged else last
    except Gone:
        return [Followed(one, "unknown") for one in review.findings]
    return [
        Followed(one, outcome(one, then.get(one.path), last.get(one.path), now.get(one.path)))
        for one in review.findings
    ]


def _write_once(file: Path, text: str) -> bool:
    """Whole or not at all; False where another process was first."""
    make_private(file.parent)
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        draft.write_text(text, encoding="utf-8")
        os.link(draft, file)
    except FileExistsError:
        return False
    finally:
        draft.unlink(missing_ok=True)
    return True
