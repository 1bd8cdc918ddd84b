"""Does what a recipe says: `@slug NAME` for a file `.github/hob/recipes/NAME.md` of the base branch, or one
that comes with Hob. One commit on a branch of its own, with a draft pull request."""

from collections.abc import Iterable
from dataclasses import replace

from bot.agents.implement import implement
from bot.agents.research import Research
from bot.context import Context, answer
from bot.core.edit_paths import why_not
from bot.core.effects import Comment, OpenPullRequest, Plan, PushCommit, ReplyInThread
from bot.core.errors import Gone
from bot.core.events import CommentEvent
from bot.core.facts import PatchFacts, RepoContext
from bot.core.github_reader import PullRequestState, conversation
from bot.core.named_files import candidates, named_files
from bot.core.recipes import NAME, Recipe, Recipes, literal_paths, may_touch, path_of
from bot.core.refs import RANK, Sha
from bot.core.text import in_code
from bot.patterns import wanted
from bot.proposals import Target, allowed, is_off, may_push, offered, proposed, refusal, regular, target
from bot.pull_request_facts import select
from bot.router import Router

router = Router()
MOST_FILES = 12
"""Files that a model is shown."""


@router.command(
    "recipe",
    help="`recipe NAME` does what that recipe says, as a draft pull request; `recipe`: those that there are",
    may={PushCommit, OpenPullRequest, Comment, ReplyInThread},
    who="code",
)
async def do_recipe(event: CommentEvent, ctx: Context) -> Plan:
    """A failure is said; nothing is pushed then."""
    name, _, wish = (ctx.command.argument if ctx.command else "").partition(" ")
    state = await ctx.github.pull_request(event.number) if event.on_pull_request else None
    base = state.base_sha if state else ctx.repo.default_branch
    context = await ctx.repository(base)
    if off := refusal(state, context) if state else is_off(context):
        return Plan((answer(event, off),), reason=off)
    recipe = ctx.recipe
    if recipe is None:
        known = await ctx.recipes(base)
        recipe = known.by_name.get(name.lower())
        if recipe is None:
            return Plan((answer(event, _listed(ctx, context, known, name)),), reason="recipes were listed")
    if why := _why_not(recipe, ctx, event) or await may_push(ctx):
        return Plan((answer(event, why),), reason=why)
    if state:
        return await _on_pull_request(event, ctx, context, recipe, wish, state)
    return await _on_issue(event, ctx, context, recipe, wish)


def _why_not(recipe: Recipe, ctx: Context, event: CommentEvent) -> str:
    if not may_have(recipe, ctx, ""):
        return f"`{recipe.name}` is for people with {recipe.who} permission here; yours is {ctx.level}."
    if not recipe.fits(on_pull_request=event.on_pull_request):
        return f"`{recipe.name}` is of use on {recipe.on} only."
    return ""


def may_have(recipe: Recipe, ctx: Context, allow: str) -> bool:
    """Whether whoever asks may have it done. `allow`: `code.allow`, empty where that was asked already."""
    return RANK[ctx.level] >= max(RANK[recipe.who or "none"], RANK[allow or "none"])


def lines(recipes: Recipes, ctx: Context, context: RepoContext, *, on_pull_request: bool) -> list[str]:
    """Those that whoever asks may have done here, for a list of commands."""
    if not context.settings.code.enabled:
        return []
    allow = context.settings.code.allow
    return [
        one.line(ctx.slug)
        for one in recipes.by_name.values()
        if may_have(one, ctx, allow) and one.fits(on_pull_request=on_pull_request)
    ]


def _listed(ctx: Context, context: RepoContext, recipes: Recipes, name: str) -> str:
    told = [*lines(recipes, ctx, context, on_pull_request=True)]
    told += [one for one in lines(recipes, ctx, context, on_pull_request=False) if one not in told]
    told += [f"- not taken from {in_code(one.path)}: {one.message}" for one in recipes.complaints]
    shown = name if NAME.fullmatch(name) else ""
    first = f"I know no recipe {in_code(shown)}. " if shown else ""
    where = f"More of them are files {in_code(path_of('NAME'))} on the branch that a change is for."
    return "\n".join([f"{first}These are the recipes that you may use:", "", *sorted(told), "", where])


async def _on_pull_request(
    event: CommentEvent,
    ctx: Context,
    context: RepoContext,
    recipe: Recipe,
    wish: str,
    state: PullRequestState,
) -> Plan:
    """A commit for the author's branch: of the files of the change, and of those that are named."""
    files, _ = select(await ctx.github.files(event.number), context.settings.review.paths)
    changed = [file.path for file in files if file.status != "removed"]
    paths = [*_named(wish, ctx), *changed, *literal_paths(recipe)]
    facts = await _facts(ctx, context, recipe, wish, state.head_sha, paths)
    facts = replace(facts, title=state.title, description=state.body)
    to = replace(target(state), title=recipe.title[:80])
    return await _made(event, ctx, to, facts, recipe)


async def _on_issue(
    event: CommentEvent, ctx: Context, context: RepoContext, recipe: Recipe, wish: str
) -> Plan:
    """One for the default branch: of the files that the issue and the command name, and that the index has
    for them."""
    issue = await ctx.github.issue(event.number)
    try:
        tip, tree = await ctx.github.tip(ctx.repo.default_branch)
    except Gone:
        return Plan((answer(event, "There is no code here to start from."),), reason="no default branch")
    said = conversation(await ctx.github.comments(event.number, issue.comments), without=event.comment_id)
    text = "\n".join([issue.title, issue.body, *(what for _, what in said)])
    paths = [*_named(wish, ctx), *literal_paths(recipe), *_named(text, ctx)]
    if ctx.knowledge is not None:
        scout = Research.of(ctx.persona, ctx.infer, ctx.knowledge, rounds=1)
        found, _ = await scout.gather(f"{wish or recipe.title}\n\n{issue.title}\n{issue.body[:2_000]}")
        paths += [one.path for one in found]
    facts = await _facts(ctx, context, recipe, wish, tip, paths)
    if not facts.texts and not recipe.paths:
        words = f"Tell me in which files, as in {in_code(f'@{ctx.slug} {recipe.name} src/tea.py')}."
        return Plan((answer(event, words),), reason="no files to change")
    facts = replace(facts, title=issue.title, description=issue.body, conversation=said)
    base = ctx.repo.default_branch
    to = Target(event.number, tip, base, recipe.title[:80], pull_request=False, tree=tree)
    return await _made(event, ctx, to, facts, recipe)


def _named(text: str, ctx: Context) -> list[str]:
    named = named_files(text, ctx.repo.full_name)
    return [path for several in candidates(named).values() for path in several]


async def _facts(
    ctx: Context, context: RepoContext, recipe: Recipe, wish: str, at: Sha, paths: Iterable[str]
) -> PatchFacts:
    """The files that it may touch first, in the order given, and then others: they are only read. What is
    never touched (another recipe at a head, say) is not."""
    paths = [path for path in dict.fromkeys(paths) if not why_not(path, lock_files=True)]
    texts = await ctx.github.texts(at, paths[:50])
    may = allowed(context, may_touch(recipe, wanted))
    order = sorted(texts, key=lambda path: not may(path))
    return PatchFacts(
        context=context,
        kind="recipe",
        title="",
        description="",
        texts={path: texts[path] for path in order[:MOST_FILES]},
        wish=wish,
        instructions=recipe.body,
        names=tuple(order[MOST_FILES:]),
        allowed=may,
        tools=ctx.tools,
    )


async def _made(event: CommentEvent, ctx: Context, to: Target, facts: PatchFacts, recipe: Recipe) -> Plan:
    if not recipe.chain:
        return await proposed(event, ctx, to, facts)
    facts = await regular(ctx, to.parent, facts)
    done = await implement(facts, ctx.chain(recipe.chain), ctx.persona, ctx.infer)
    told = [f"**Planned**\n\n{done.plan}"] if done.plan else []
    if done.remarks:
        told.append(f"**Not done**: a second look did not accept this as it is.\n\n{done.remarks}")
    return await offered(event, ctx, to, facts, done.patched, "\n\n".join(told))
