"""Learns from a repository's past: reads merged pull requests, has candidates found and tried by rules
(`bot.core.conventions`), and each that may be offered put into words by a model where one answers.

What was read is kept, so that a run that was interrupted goes on and the next look reads what is new alone.
"""

import asyncio
import os
import stat
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from msgspec import DecodeError
from msgspec.json import decode, encode

from bot.agents.convention import worded
from bot.config import Config, load_config
from bot.core.concurrency import nobody_waits
from bot.core.conventions import (
    Evidence,
    evidence_of,
    fit_to_offer,
    learned,
    lesson_of,
    named,
    split,
    tested,
)
from bot.core.effects import Plan, Usage
from bot.core.errors import Gone, RateLimited, TemporaryError, UserError
from bot.core.inference import Infer
from bot.core.memory import Lesson, Memory, code_words
from bot.core.past_changes import JudgedChange, JudgedLine, PastChange, judged
from bot.core.refs import RANK, Login, RepoRef
from bot.core.settings_merge import merge, settings_of
from bot.core.text import count
from bot.github import history
from bot.github.past_pulls import past_pull
from bot.github.reader import PULL_REQUEST, JobReader
from bot.paths import make_private, put_private
from bot.runs.call_recorder import CallRecorder
from bot.runs.egress_policy import guard
from bot.runs.preview import find
from bot.runs.services import Services, build
from bot.store.findings import FindingQuery, FoundRow

LearningProgress = Callable[[str], None]
KEEPS = 0.5
"""Of the rate limit: nothing is read where less is left."""
WEEKLY = 200
"""Merged pull requests that a weekly look is about, the newest."""
MOST_ASKED = 60
"""People whose permission is asked: those who remarked most."""
MOST_FINDINGS = 5_000
MOST_OFFERED = 10
MOST_KNOWN = 100
"""Conventions that are tried again, the newest."""
MOST_LINES = 300_000
"""Of all pull requests together, those of the newest."""
MOST_BYTES = 64 << 20
"""Of what is kept of a repository's pull requests."""


@dataclass(frozen=True, slots=True)
class LearnedConvention:
    """As it may be offered; `known`: what a person made of it before, empty where it is new."""

    lesson: Lesson
    evidence: Evidence
    known: str = ""


@dataclass(frozen=True, slots=True)
class LearnedRules:
    """What came of it. `tried`: candidates, of which those in `found` may be offered; `left`: pull requests
    that were not read, because half of the rate limit is other people's: then nothing is judged yet; `new`:
    candidates that were kept; `usage`: of the models that put them into words."""

    pulls: int
    remarks: int
    tried: int
    found: tuple[LearnedConvention, ...]
    left: int = 0
    new: int = 0
    usage: tuple[Usage, ...] = ()


@dataclass(frozen=True, slots=True)
class ReadHistory:
    """The last merged pull requests, newest first, and those of them that were read."""

    services: Services
    reader: JobReader
    pulls: Sequence[history.Merged]
    changes: list[PastChange]
    kept: "KeptPulls"

    @property
    def left(self) -> int:
        """Of so many it is not known yet what they are."""
        return len(self.pulls) - len(self.changes)

    def keep(self) -> None:
        """For the next time, where something would delete it with the repository."""
        if self.services.config.knowledge.enabled:
            self.kept.keep(self.changes)
        else:
            self.kept.remove()


def anybody(_config: Config, _repo: RepoRef) -> None:
    """Every repository may be read that the App sees."""


@asynccontextmanager
async def read_history(
    full_name: str,
    last: int,
    told: LearningProgress,
    permitted: Callable[[Config, RepoRef], None] = anybody,
) -> AsyncIterator[ReadHistory]:
    """UserError where the App cannot see the repository, or where it has no merged pull request; `permitted`
    may raise another before anything of it is read."""
    services = build(load_config())
    try:
        repo = await find(services.github, full_name)
        permitted(services.config, repo)
        async with services.github.job(repo) as job:
            reader = JobReader(repo, job, PULL_REQUEST)
            kept = _kept(services, repo)
            pulls = await history.merged(job.api(PULL_REQUEST), repo, last)
            if not pulls:
                raise UserError(f"{full_name} has no merged pull request that can be read")
            yield ReadHistory(services, reader, pulls, await _read(reader, pulls, kept, told), kept)
    finally:
        await services.aclose()


async def learn(full_name: str, last: int, told: LearningProgress, *, write: bool) -> LearnedRules:
    """From the last so many merged pull requests; UserError."""
    async with read_history(full_name, last, told) as past:
        if past.left:
            return LearnedRules(len(past.changes), 0, 0, (), past.left)
        services, reader, repo = past.services, past.reader, past.reader.repo
        settings = settings_of(merge(tuple(services.store.settings.layers(repo.owner, repo.name, ""))))
        gate = guard(services.config, services.store, repo, reader, None, settings)
        infer = services.infer("low", gate, CallRecorder(repo, 0), settings)
        made = await _made(services, reader, infer, settings.language, past.changes, told, write=write)
        past.keep()
        return made


async def learn_on(
    services: Services,
    reader: JobReader,
    infer: Infer,
    most: int,
    language: str,
    goes_on: Callable[[], Awaitable[bool]],
) -> Plan:
    """A look of the week: at most so many merged pull requests are read that were not read before; once the
    newest are all read, what they suggest is offered in the dashboard. It says nothing on GitHub."""
    repo, kept = reader.repo, _kept(services, reader.repo)
    pulls = await history.merged(reader.job.api(PULL_REQUEST), repo, WEEKLY)
    changes = await _read(reader, pulls, kept, lambda _: None, most, goes_on)
    read = f"{len(changes)} of the last {count(len(pulls), 'merged pull request')} read"
    if len(changes) < len(pulls) or not pulls:
        return Plan(reason=f"{read}; nothing is judged before all are")
    kept.keep(changes)
    try:
        made = await _made(services, reader, infer, language, changes, lambda _: None, write=True)
    except UserError as full:
        return Plan(reason=f"{read}; {full}")
    tried = f"{count(made.tried, 'candidate')} tried, {made.new} new in the dashboard"
    return Plan(reason=f"{read}; {tried}", usage=made.usage)


def _kept(services: Services, repo: RepoRef) -> "KeptPulls":
    return KeptPulls(services.config.hob.data_dir / "knowledge" / f"{repo.id}.history.jsonl")


async def _read(
    reader: JobReader,
    pulls: Sequence[history.Merged],
    kept: "KeptPulls",
    told: LearningProgress,
    most: int = sys.maxsize,
    goes_on: Callable[[], Awaitable[bool]] = nobody_waits,
) -> list[PastChange]:
    """Those that were read now, at most so many, or before; fewer where GitHub is to be left to others."""
    known = kept.read()
    found: list[PastChange] = []
    api = reader.job.api(PULL_REQUEST)
    left = 1.0
    for number, pull in enumerate(pulls, 1):
        if (one := known.get(f"#{pull.number}")) is None:
            if left < KEEPS or most < 1 or not await goes_on():
                continue
            most -= 1
            told(f"{number} of {len(pulls)}: #{pull.number} {pull.title[:60]}")
            try:
                read = await past_pull(api, reader.repo, pull)
            except Gone as error:
                told(f"#{pull.number} is left out: {error}")
                read = None
            except (RateLimited, TemporaryError) as error:
                told(f"GitHub answers no more for now: {error}")
                left = 0.0
                continue
            one, left = (read.change, read.left) if read else (_nothing(pull), left)
            kept.add(one)
        found.append(one)
    return found


def newest_changes(changes: Sequence[PastChange]) -> Iterator[PastChange]:
    lines = 0
    for one in changes:
        lines += len(one.added)
        if lines > MOST_LINES:
            return
        yield one


def _nothing(pull: history.Merged) -> PastChange:
    return PastChange(f"#{pull.number}", pull.url, "", pull.merged_at)


async def who_may_write(reader: JobReader, said: Counter[str]) -> frozenset[str]:
    """Of those who said so much, a call for each; the others are not asked for."""
    asked = [login for login, _ in said.most_common(MOST_ASKED)]
    return frozenset([one for one in asked if RANK[await reader.permission(one)] >= RANK["write"]])


async def _by_writers(reader: JobReader, changes: Sequence[PastChange]) -> list[PastChange]:
    """With the remarks of those alone who may write to the repository."""
    said = Counter(one.author for change in changes for one in change.remarks)
    writers = await who_may_write(reader, said)
    return [
        replace(change, remarks=tuple(one for one in change.remarks if one.author in writers))
        for change in changes
    ]


async def _made(
    services: Services,
    reader: JobReader,
    infer: Infer,
    language: str,
    read: Sequence[PastChange],
    told: LearningProgress,
    *,
    write: bool,
) -> LearnedRules:
    repo, store = reader.repo, services.store
    changes = await _by_writers(reader, read)
    memories = await asyncio.to_thread(store.memory.live, repo.id)
    lessons = [one.lesson for one in memories]
    found = await asyncio.to_thread(lambda: list(findings_said(services, repo)))
    at = f"{reader.site}/{repo.full_name}/pull/"
    code = sorted([*judged(newest_changes(changes)), *dismissed_code(memories, at)], key=lambda one: one.at)
    said = judged_findings(
        found, {one.fingerprint: one.text for one in lessons if one.kind == "dismissal"}, at
    )
    from_code, tried = await asyncio.to_thread(learned, code)
    from_findings, also = await asyncio.to_thread(learned, said)
    offered = (from_code + from_findings)[:MOST_OFFERED]
    told(f"{count(tried + also, 'candidate')} tried on the newer part: {len(offered)} may be offered")
    known = {one.fingerprint: one for one in lessons if one.evidence}
    author = Login(services.config.github.app_slug or "hob")
    usage: list[Usage] = []
    made = [await _worded(infer, language, author, one, known, usage) for one in offered]
    names = {one.lesson.fingerprint for one in made}
    again = [one for name, one in known.items() if name not in names]
    new = 0
    if write:
        fresh = [*(one.lesson for one in made), *_tried_again(again, code, said)]
        new = await asyncio.to_thread(store.memory.offer, repo.id, repo.full_name, fresh)
    remarks = sum(len(one.remarks) for one in changes)
    return LearnedRules(len(changes), remarks, tried + also, tuple(made), new=new, usage=tuple(usage))


async def _worded(
    infer: Infer,
    language: str,
    author: Login,
    evidence: Evidence,
    known: dict[str, Lesson],
    usage: list[Usage],
) -> LearnedConvention:
    """What is known keeps the words that a person has seen."""
    old = known.get(named(evidence.pattern, evidence.trigger))
    if old is not None:
        return LearnedConvention(lesson_of(evidence, old.text, author), evidence, old.kind)
    text, used = await worded(evidence, language, infer)
    usage += used
    return LearnedConvention(lesson_of(evidence, text, author), evidence)


def _tried_again(
    known: Sequence[Lesson], code: Sequence[JudgedChange], said: Sequence[JudgedChange]
) -> Iterator[Lesson]:
    """What was offered or accepted before, with what the past says of it now."""
    for one in known[-MOST_KNOWN:]:
        if (old := evidence_of(one)) is None:
            continue
        older, newer = split(said if old.kind == "dismissed" else code)
        fresh = tested((old.pattern, old.trigger), older, newer)
        if fit_to_offer(fresh.newer) or one.kind == "convention":
            yield lesson_of(replace(fresh, kind=fresh.kind or old.kind), one.text, one.author)


def findings_said(services: Services, repo: RepoRef) -> Iterator[FoundRow]:
    """What Hob said here, the newest first."""
    before: int | None = None
    for _ in range(MOST_FINDINGS // 500):
        page = services.store.findings.page(FindingQuery(repo_id=repo.id, state="said"), before, 500)
        yield from page
        if len(page) < 500:
            return
        before = page[-1].id


def judged_findings(found: Sequence[FoundRow], why: dict[str, str], pulls: str) -> list[JudgedChange]:
    """Findings as if each were a line, objected to where a person dismissed it: by pull request. `pulls`: the
    address of a pull request without its number. What a scan found belongs to none, and cannot be linked."""
    lines: dict[int, list[JudgedLine]] = {}
    times: dict[int, float] = {}
    for one in (each for each in found if each.number):
        words = frozenset(code_words(f"{one.category} {one.title}"))
        objection = "dismissed" if one.outcome == "dismissed" else ""
        reason = why.get(one.fingerprint, "") if objection else ""
        line = JudgedLine(one.path, one.title, words, objection, reason[:500])  # type: ignore[arg-type]
        lines.setdefault(one.number, []).append(line)
        times[one.number] = max(one.at, times.get(one.number, 0.0))
    made = [
        JudgedChange(f"#{number}", f"{pulls}{number}", times[number], tuple(some))
        for number, some in lines.items()
    ]
    return sorted(made, key=lambda one: one.at)


def dismissed_code(memories: Sequence[Memory], pulls: str) -> Iterator[JudgedChange]:
    """Code that people said is right: each a case in which speaking of it was wrong."""
    for one in memories:
        lesson = one.lesson
        if lesson.kind == "dismissal" and lesson.words:
            line = JudgedLine(lesson.path, lesson.title, frozenset(lesson.words))
            yield JudgedChange(f"dismissal {one.n}", f"{pulls}{lesson.number}", one.at, (line,))


class KeptPulls:
    """What was read of a repository's pull requests, a line of JSON each. A line that cannot be read is read
    from GitHub again, and what is no file is removed."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def read(self) -> dict[str, PastChange]:
        found: dict[str, PastChange] = {}
        try:
            if not stat.S_ISREG(self._file.lstat().st_mode):
                self.remove()
            with self._file.open("rb") as file:
                file.seek(max(0, self._file.stat().st_size - MOST_BYTES))
                lines = file.read(MOST_BYTES).split(b"\n")
        except FileNotFoundError:
            return {}
        for line in lines:
            try:
                one = decode(line, type=PastChange)
            except (DecodeError, RecursionError):
                continue
            found[one.name] = one
        return found

    def add(self, change: PastChange) -> None:
        make_private(self._file.parent)
        opened = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(opened, "ab") as file:
            file.write(b"\n" + encode(change) + b"\n")

    def keep(self, changes: Sequence[PastChange]) -> None:
        """These, and of what was read before for a longer look as much as there is room for."""
        every = {one.name: one for one in changes}
        every |= {name: one for name, one in self.read().items() if name not in every}
        lines: list[bytes] = []
        room = MOST_BYTES
        for one in every.values():
            lines.append(encode(one) + b"\n")
            room -= len(lines[-1])
            if room < 0:
                lines.pop()
                break
        put_private(self._file, b"".join(lines).decode())

    def remove(self) -> None:
        self._file.unlink(missing_ok=True)
