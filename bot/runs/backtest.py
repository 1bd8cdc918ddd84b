"""Replays merged pull requests as they stood when they were opened, posts nothing, and looks at what became
of the lines that Hob would have spoken about. https://docs.github.com/en/rest/pulls/pulls"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from bot.config import load_config
from bot.core.diff import FileDiff
from bot.core.errors import Gone, RateLimited, TemporaryError
from bot.core.finding_outcome import Followed, outcome
from bot.core.github_reader import PullRequestState
from bot.core.refs import Sha
from bot.core.review_result import Judgement
from bot.github import history
from bot.github.history import Between, LineRemark, Merged, PullRequestCommit
from bot.github.reader import PULL_REQUEST, JobReader
from bot.runs.preview import find, judge
from bot.runs.services import Services, build

BacktestProgress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Replayed:
    """One pull request as it was judged. `remarks` are what people said on the commit that was judged."""

    pull: Merged
    judged: Judgement
    followed: tuple[Followed, ...]
    remarks: tuple[LineRemark, ...]
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PastReader(JobReader):
    """A pull request as it was at one of its commits."""

    head: Sha
    then: Between

    async def pull_request(self, number: int) -> PullRequestState:
        now = await JobReader.pull_request(self, number)
        base, count = self.then.merge_base, len(self.then.files)
        return replace(now, open=True, head_sha=self.head, base_sha=base, changed_files=count)

    async def files(self, number: int) -> list[FileDiff]:
        return list(self.then.files)


async def backtest(full_name: str, last: int, told: BacktestProgress) -> list[Replayed]:
    """The last so many merged ones, newest first. UserError where the App cannot see the repository."""
    services = build(load_config())
    try:
        repo = await find(services.github, full_name)
        async with services.github.job(repo) as job:
            pulls = await history.merged(job.api(PULL_REQUEST), repo, last)
            done: list[Replayed] = []
            for number, pull in enumerate(pulls, 1):
                told(f"{number} of {len(pulls)}: #{pull.number} {pull.title[:60]}")
                try:
                    done.append(await _replay(services, JobReader(repo, job, PULL_REQUEST), pull))
                except Gone as error:
                    told(f"#{pull.number} is left out: {error}")
                except (RateLimited, TemporaryError) as error:
                    if not done:
                        raise
                    left = len(pulls) - number + 1
                    told(f"GitHub answers no more for now, {left} of {len(pulls)} are left out: {error}")
                    break
            return done
    finally:
        await services.aclose()


def opening(steps: Sequence[PullRequestCommit], pull: Merged) -> Sha:
    """The newest commit that was there when the pull request was opened; the first one where clocks or a
    rebase hide it."""
    there = [step.sha for step in steps if step.at <= pull.created_at]
    return there[-1] if there else steps[0].sha if steps else pull.head_sha


async def _replay(services: Services, reader: JobReader, pull: Merged) -> Replayed:
    repo, api = reader.repo, reader.job.api(PULL_REQUEST)
    head = opening(await history.commits(api, repo, pull.number), pull)
    then = await history.between(api, repo, pull.base_sha, head)
    past = PastReader(repo=repo, job=reader.job, permissions=PULL_REQUEST, head=head, then=then)
    begun = time.monotonic()
    judged = await judge(services, past, pull.number, "low")
    seconds = time.monotonic() - begun
    said = [one for one in await history.line_remarks(api, repo, pull.number) if one.sha == head]
    people = tuple(one for one in said if not one.author.is_bot and one.author.login != pull.author.login)
    return Replayed(pull, judged, await _follow(reader, pull, judged), people, seconds)


async def _follow(reader: JobReader, pull: Merged, judged: Judgement) -> tuple[Followed, ...]:
    shown = judged.chosen.shown
    paths = sorted({finding.path for finding in shown})
    if not paths:
        return ()
    merged = await reader.texts(pull.head_sha, paths)
    now = await reader.texts(Sha(reader.repo.default_branch), paths)
    head = judged.facts.texts
    return tuple(
        Followed(one, outcome(one, head.get(one.path), merged.get(one.path), now.get(one.path)))
        for one in shown
    )
