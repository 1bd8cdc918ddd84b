"""What the night reads of code that no pull request touches (`review.scan`): the riskiest first, within a
number of questions, each file once as it is. It is told in the one issue that Hob keeps and in the
dashboard."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.agents.review.looking import Looking
from bot.agents.scan import LEAST_CALLS, in_part, read_on
from bot.context import Context
from bot.core.code_search import whole
from bot.core.errors import GitHubError
from bot.core.facts import RepoContext
from bot.core.findings import Finding, JudgedFinding, fingerprint
from bot.core.inference import Usage
from bot.core.knowledge import FileRisk, Knowledge
from bot.core.scan import MOST_BEGUN, ScannedFile, moved, riskiest, spent, standing
from bot.implement_facts import looking, reading_from


@dataclass(frozen=True, slots=True)
class NightScan:
    """`standing`: all that was found and stands; `new`: what of it the dashboard does not have; `files`:
    how many this night read; `left`: how many are to be read; `fatal`: paths of those that are not read until
    they change, for workers died over them; `too_large`: of those that were not read whole, for want of
    questions or of room in the model's window; `indexed`: whether there is an index to know files by."""

    standing: tuple[Finding, ...] = ()
    new: tuple[JudgedFinding, ...] = ()
    files: int = 0
    left: int = 0
    fatal: tuple[str, ...] = ()
    too_large: tuple[str, ...] = ()
    indexed: bool = True


async def night_scan(ctx: Context, context: RepoContext, night: str, usage: list[Usage]) -> NightScan:
    """Reads on until the night's questions are spent, somebody waits, or no host answers. Each file is kept
    as soon as it is read: what ends in the middle goes on there."""
    most = context.settings.review.scan
    if not most or ctx.knowledge is None or ctx.scans is None:
        return NightScan()
    files = await ctx.knowledge.risks()
    scans, known = ctx.scans, dict(await ctx.scans.known())
    dismissed = {one.lesson.fingerprint for one in ctx.memory if one.lesson.kind == "dismissal"}
    if not files:  # the index is lost, or not made yet: nobody knows of anything that it is gone
        found = standing(known.values(), {one.path: one.blob for one in known.values()}, dismissed)
        return NightScan(tuple(found), indexed=False)
    for old, renamed in moved(files, known).items():
        wanted = (one for one in known[old].findings if fingerprint(one) not in dismissed)
        now = replace(renamed, findings=tuple(replace(one, path=renamed.path) for one in wanted))
        known[now.path] = now
        await scans.keep(now)
    here = {one.path for one in files}
    await scans.drop([path for path in known if path not in here])
    ordered = riskiest(files, known)
    fatal = {one.path for one in ordered if one.path in known and known[one.path].begun >= MOST_BEGUN}
    todo = [one for one in ordered if one.path not in fatal]
    left, knowledge = most - spent(known.values(), night), ctx.knowledge
    # of files over which an earlier attempt of this night was killed
    before = {path: one.calls for path, one in known.items() if one.night == night}
    going: dict[str, ScannedFile] = {}

    async def begun(file: FileRisk, calls: int) -> None:
        times = known[file.path].begun + 1 if file.path in known else 1
        asked = before.get(file.path, 0) + calls
        going[file.path] = ScannedFile(file.path, "", night, asked, begun=times)
        await scans.keep(going[file.path])

    too_large: list[str] = []
    read: set[str] = set()

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
        begun=begun,
        too_large=lambda file, _: too_large.append(file.path),
        memory=ctx.memory,
        tools=ctx.tools,
        looking=await _looking(ctx, knowledge) if todo and left >= LEAST_CALLS else None,
    )
    async for one, judged in reading:
        usage += judged.usage if judged else ()
        if one is None:
            break
        going.pop(one.path, None)
        if one.blob:
            too_large += [one.path] if in_part(judged) else []
            known[one.path] = replace(one, calls=before.get(one.path, 0) + one.calls)
            await scans.keep(known[one.path])
            read.add(one.path)
    for last in going.values():  # no host could read them: that is no fault of theirs
        await scans.keep(replace(last, begun=last.begun - 1))
    for file in ordered:  # last, so that a night that is killed over another names them again
        if file.path in fatal:
            await scans.keep(ScannedFile(file.path, file.blob, night, before.get(file.path, 0)))
    blobs = {one.path: one.blob for one in files}
    found, told = standing(known.values(), blobs, dismissed), await scans.told()
    # not of this night alone: one whose worker died too often told nothing of what it had read
    new = [JudgedFinding(one, "said", "") for one in found if fingerprint(one) not in told]
    rest = len({one.path for one in todo} - {*too_large, *read})
    return NightScan(tuple(found), tuple(new), len(read), rest, tuple(sorted(fatal)), tuple(too_large))


async def _looking(ctx: Context, knowledge: Knowledge) -> Looking | None:
    """Files are read from the clone, as those that are scanned; nothing where there is no branch."""
    try:
        tip, _ = await ctx.github.tip(ctx.repo.default_branch)
    except GitHubError:
        return None
    return looking(ctx, tip, read=reading_from(knowledge))
