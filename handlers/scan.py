"""What the night reads of code that no pull request touches (`review.scan`): the riskiest first, within a
number of questions, each file once as it is. It is told in the one issue that Hob keeps and in the
dashboard."""

from dataclasses import dataclass

from bot.agents.scan import Counted, scan
from bot.context import Context
from bot.core.effects import Usage
from bot.core.facts import RepoContext
from bot.core.findings import Finding, JudgedFinding
from bot.core.scan import ScannedFile, questions, riskiest, spent, standing

LEAST_CALLS = 2
"""Fewer questions read and verify nothing."""


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
    left = most - spent(known.values(), night)
    done = 0
    for file in todo:
        if left < LEAST_CALLS or not await ctx.still_idle():
            break
        text = await ctx.knowledge.read(file.path, 1, file.lines)
        lines = text.lines if text else ()
        if left < (need := questions(lines)) <= most:
            continue  # another night begins with it
        one = ScannedFile(file.path, file.blob, night, 0)  # as there is nothing that could be read
        if len(lines) >= file.lines and need <= most:
            counted = Counted(ctx.infer)
            judged = await scan(
                file, lines, context, counted.port, most_calls=left, memory=ctx.memory, tools=ctx.tools
            )
            usage += judged.usage
            if judged.coverage.failure:
                break
            found = tuple(finding for finding in judged.chosen.shown if finding.anchored)
            one = ScannedFile(file.path, file.blob, night, counted.calls, found)
        await ctx.scans.keep(one)
        known[file.path] = one
        left -= one.calls
        done += 1
    blobs = {one.path: one.blob for one in files}
    dismissed = [one.lesson.fingerprint for one in ctx.memory if one.lesson.kind == "dismissal"]
    tonight = [one for one in known.values() if one.night == night and blobs.get(one.path) == one.blob]
    new = [JudgedFinding(finding, "said", "") for one in tonight for finding in one.findings]
    return NightScan(tuple(standing(known.values(), blobs, dismissed)), tuple(new), done, len(todo) - done)
