"""Sorts issues: a new one, one that was edited or opened again, one for which somebody asks. What people set
or took off by hand stays so."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from bot.agents import issue
from bot.context import Context
from bot.core.concurrency import sees
from bot.core.effect_history import PastRun, labels_put
from bot.core.effects import AddLabels, Comment, KeepDraft, Plan, ReplyInThread, SetIssueType
from bot.core.events import (
    CommandRequested,
    CommentEvent,
    IssueEdited,
    IssueEvent,
    IssueOpened,
    IssueReopened,
)
from bot.core.facts import IssueFacts, RepoContext
from bot.core.folding import folded
from bot.core.github_reader import IssueState
from bot.core.guidelines import owners
from bot.core.inference import Allowance
from bot.core.issue_forms import filled
from bot.core.named_files import NamedFile, candidates, named_files, standing
from bot.core.pictures import addresses
from bot.core.refs import Login, Sha
from bot.core.security_reports import suspicion
from bot.core.triage_sources import TriageSources
from bot.patterns import wanted
from bot.router import Router
from handlers.duplicates import reported_before
from handlers.label_listeners import hears_types, listened_to

router = Router()
MAY = {AddLabels, SetIssueType, Comment, KeepDraft}
AROUND = 8
"""Lines shown to a model before and after one that is named."""
MOST_PEOPLE = 3
MOST_CALLS = 2
"""Of models, for one issue."""
GHOST = Login("ghost")
_TICKS = re.compile(r"^(\s{0,20}[-*+] )\[[ xX]\]", re.MULTILINE)
_WORD = re.compile(r"\w{1,100}")


@router.on(
    IssueOpened,
    IssueEdited,
    IssueReopened,
    may=MAY,
    priority="low",
    name="triage",
    stored_as="issues.triage",
)
async def triage(event: IssueOpened | IssueEdited | IssueReopened, ctx: Context) -> Plan:
    """Bots' issues are left alone: their authors do not answer questions."""
    author = event.sender if isinstance(event, IssueReopened) else event.author
    if author.is_bot or event.sender.is_bot:
        return Plan(reason="opened by a bot" if author.is_bot else "changed by a bot")
    if isinstance(event, IssueEdited) and (why := await _idle(event, ctx)):
        return Plan(reason=why)
    sources, context = await read_sources(ctx, event.number)
    if not context.settings.issues.triage:
        return Plan(reason="triage is off in .github/hob.yml")
    state = await ctx.github.issue(event.number)
    if state.transferred:
        return Plan(reason="it was transferred: it is sorted where it went")
    if state.is_pull_request or state.author.is_bot:
        return Plan(reason="no issue of a person's")
    if not state.open:
        return Plan(reason="it was closed meanwhile")
    plan = await sorted_by(ctx, await facts(ctx, context, sources, state))
    return replace(plan, once=_once(event))


@router.command(
    "triage",
    help="sorts this issue, or looks again at one that was sorted: only what is new is set",
    may=MAY | {ReplyInThread},
    who="triage",
    place="issues",
)
async def triage_now(event: CommentEvent, ctx: Context) -> Plan:
    """Answers in place, whatever `issues.comment` says of comments that nobody asked for. Of a batch nobody
    waits for an answer: there it speaks as it would unasked, where it is to speak at all."""
    if event.on_pull_request:
        return Plan((Comment(event.number, "I sort issues; this is a pull request."),))
    sources, context = await read_sources(ctx, event.number)
    state = await ctx.github.issue(event.number)
    if state.transferred:
        return Plan(reason="it was transferred: ask where it went")
    waits = not isinstance(event, CommandRequested) or not (event.quiet or event.channel == "batch")
    if isinstance(event, CommandRequested) and not waits and not event.quiet:
        context = _speaking(context)
    known = await facts(ctx, context, sources, state)
    return await sorted_by(ctx, replace(known, requested=waits))


def _speaking(context: RepoContext) -> RepoContext:
    """With comments permitted, where the repository does not forbid them."""
    issues = context.settings.issues
    if issues.comment == "never":
        return context
    return replace(context, settings=replace(context.settings, issues=replace(issues, comment="always")))


async def sorted_by(ctx: Context, known: IssueFacts) -> Plan:
    """In at most `MOST_CALLS` questions to models: beside its own one, whether it was reported before, or
    what its pictures show where a model sees, or its own once more where an answer could not be used."""
    spare = Allowance(MOST_CALLS - 1)
    known, used = await reported_before(ctx, known, spare)
    shown = addresses(known.body, known.site) if spare.left and known.suspicion != "certain" else ()
    if shown and await sees(ctx.infer, issue.picture_prompt(known, ())):
        images = tuple(await ctx.github.pictures(known.number, shown))
        if images and spare.take():
            answer = await ctx.infer(issue.picture_prompt(known, images))
            told = answer.value.text.strip() if answer.value else ""
            known, used = replace(known, pictures=told), (*used, *answer.usage("picture"))
    plan = await issue.plan(known, ctx.infer, spare)
    return replace(plan, usage=(*used, *plan.usage))


async def read_sources(ctx: Context, number: int) -> tuple[TriageSources, RepoContext]:
    """What the repository says, and with it the conversation of an issue (0: of none); one call."""
    sources = await ctx.github.triage_sources(ctx.repo.default_branch, number)
    return sources, ctx.context_of(sources.config, sources.complaints, sources.labels)


async def facts(ctx: Context, context: RepoContext, sources: TriageSources, state: IssueState) -> IssueFacts:
    """Of an issue as it stands now. A report of a weakness is looked into no further."""
    put, unwanted = labels_put(ctx.past_runs, state.number)
    present = frozenset(map(folded, state.labels))
    taken_off = frozenset(map(folded, sources.taken_off))
    past = [one.effect for past_run in ctx.past_runs for one in past_run.did]
    typed = any(isinstance(one, SetIssueType) for one in past) or hears_types(sources.workflows)
    names = [name for name, _ in context.labels]
    found = IssueFacts(
        context=context,
        number=state.number,
        title=state.title,
        body=state.body,
        author=state.author.login,
        labels=state.labels,
        heard={} if context.settings.issues.labels else listened_to(sources.workflows, names),
        suspicion=suspicion(state.title, state.body),
        type=state.type,
        types=() if typed else sources.types,
        form=filled(state.body, sources.forms),
        rules=sources.rules,
        policy=_policy(ctx, sources),
        said=tuple((one.author, one.body) for one in sources.said if not one.ours and one.body),
        refused=(put - present) | unwanted | taken_off,
        told=_told(ctx.past_runs),
        may_speak=not state.locked,
        answers=state.author.login != GHOST,
        site=ctx.github.site,
    )
    return found if found.suspicion == "certain" else await _with_files(ctx, found, sources)


def _told(past_runs: Sequence[PastRun]) -> frozenset[str]:
    """What was said here before; a comment beside labels that names nothing is a question of an older Hob."""
    said: set[str] = set()
    for past_run in past_runs:
        effects = [one.effect for one in past_run.did]
        about = {one.about for one in effects if isinstance(one, Comment | KeepDraft)}
        labelled = any(isinstance(one, AddLabels) for one in effects)
        said |= (about - {""}) | ({issue.QUESTION} if "" in about and labelled else set())
    return frozenset(said)


async def _with_files(ctx: Context, known: IssueFacts, sources: TriageSources) -> IssueFacts:
    """With the files that its text, and what its author added, name and that exist; one call, or none."""
    author = known.author
    text = "\n".join([known.body, *(what for who, what in known.said if who == author)])
    named = named_files(f"{known.title}\n{text}", ctx.repo.full_name)
    places = candidates(named)
    paths = list(dict.fromkeys(path for several in places.values() for path in several))
    if not paths:
        return known
    texts = await ctx.github.texts(Sha(ctx.repo.default_branch), paths)
    files = standing(places, texts)
    stand = [one.path for one in files]
    people: dict[str, None] = {}
    for path in stand[:MOST_PEOPLE] if ctx.knowledge else ():
        people |= dict.fromkeys(await ctx.knowledge.people(path)) if ctx.knowledge else {}
    return replace(
        known,
        files=tuple((one, _shown(one, texts[one.path])) for one in files),
        owners=tuple(owners(sources.owners, stand[:MOST_PEOPLE], wanted)),
        people=tuple(people)[:MOST_PEOPLE],
    )


def _shown(file: NamedFile, text: str) -> str:
    """The lines around the one that is named."""
    if not file.line:
        return ""
    first = max(1, file.line - AROUND)
    lines = text.splitlines()[first - 1 : file.line + AROUND]
    return "\n".join(f"{number}: {line[:200]}" for number, line in enumerate(lines, first))


def _policy(ctx: Context, sources: TriageSources) -> str:
    """A link that stays one where the policy lies in the repository."""
    if sources.policy_file and ctx.github.site == issue.GITHUB:
        at = f"{ctx.github.site}/{ctx.repo.full_name}/blob/{ctx.repo.default_branch}/{sources.policy_file}"
        return f"[{sources.policy_file}]({at})"
    return f"{sources.policy_file} in this repository" if sources.policy_file else sources.policy


async def _idle(event: IssueEdited, ctx: Context) -> str:
    """Why an edit is no reason to look again; empty where it is one."""
    before = Counter(_words(event.previous_title if event.previous_title is not None else event.title))
    title = Counter(_words(event.title))
    if before == title:
        old = Counter(_words(event.previous_body if event.previous_body is not None else event.body))
        new = Counter(_words(event.body))
        if ((old - new) + (new - old)).total() <= 2:
            return "the edit changes nothing of substance"
    if event.sender.id == event.author.id and event.sender.login == event.author.login:
        return ""
    level = await ctx.github.permission(event.sender.login)
    return "" if level in ("triage", "write", "maintain", "admin") else "edited by somebody else"


def _words(text: str) -> Sequence[str]:
    """Without the ticks of a task list."""
    return [word.casefold() for word in _WORD.findall(_TICKS.sub(r"\1", text))]


def _once(event: IssueEvent) -> str:
    """A new issue is sorted once; each new text, and each time that it is opened again, once more."""
    if isinstance(event, IssueEdited):
        return f"edit {event.delivery}"
    return f"reopened {event.delivery}" if isinstance(event, IssueReopened) else ""
