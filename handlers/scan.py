"""What the night reads of code that no pull request touches (`review.scan`): the riskiest first, within a
number of questions, each file once as it is. It is told in the one issue that Hob keeps and in the
dashboard."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.agents.review.looking import Looking
from bot.agents.scan import LEAST_CALLS, read_on
from bot.context import Context
from bot.core.code_search import whole
from bot.core.effects import Usage
from bot.core.errors import GitHubError
from bot.core.facts import RepoContext
from bot.core.findings import Finding, JudgedFinding
from bot.core.knowledge import Knowledge
from bot.core.scan import FileRisk, riskiest, spent, standing
from bot.implement_facts import looking, reading_from


@dataclass(frozen=True, slots=True)
class NightScan:
    """`standing`: all that was found and still stands; `new`: what this night found; `files`: how many it
    read; `left`: how many are to be read."""

    standing: tuple[Finding, ...] = ()
    new: tuple[JudgedFinding, ...] = ()
    files: int = 0
    left: int = 0


async def night_scan(ctx: Context, context: RepoContext, night: str, usage: list[Usage]) -> NightScan:
    """Reads on until the night's questions are spent, somebody waits, or no host answers. Each file is kept
    as soon as it is read: what ends in the middle goes on there."""
    most = context.settings.review.scan
    if not most or ctx.knowledge is None or ctx.scans is None:
        return NightScan()
    files = await ctx.knowledge.risks()
    known = dict(await ctx.scans.known())
    if files:
        here = {one.path for one in files}
        await ctx.scans.drop([path for path in known if path not in here])
    todo = riskiest(files, known)
    left, done, knowledge = most - spent(known.values(), night), 0, ctx.knowledge

    async def lines_of(file: FileRisk) -> Sequence[str]:
        return await whole(knowledge, file.path, file.lines)

    reading = read_on(
        todo,
        lines_of,
        context,
        ctx.infer,
        night,
        most,
        left,
        goes_on=ctx.still_idle,
        memory=ctx.memory,
        tools=ctx.tools,
        looking=await _looking(ctx, knowledge) if todo and left >= LEAST_CALLS else None,
    )
    async for one, judged in reading:
        usage += judged.usage if judged else ()
        if one:
            await ctx.scans.keep(one)
            known[one.path] = one
            done += 1
    blobs = {one.path: one.blob for one in files}
    dismissed = [one.lesson.fingerprint for one in ctx.memory if one.lesson.kind == "dismissal"]
    tonight = [one for one in known.values() if one.night == night and blobs.get(one.path) == one.blob]
    new = [JudgedFinding(finding, "said", "") for one in tonight for finding in one.findings]
    return NightScan(tuple(standing(known.values(), blobs, dismissed)), tuple(new), done, len(todo) - done)


async def _looking(ctx: Context, knowledge: Knowledge) -> Looking | None:
    """Files are read from the clone, as those that are scanned; nothing where there is no branch."""
    try:
        tip, _ = await ctx.github.tip(ctx.repo.default_branch)
    except GitHubError:
        return None
    return looking(ctx, tip, read=reading_from(knowledge))
