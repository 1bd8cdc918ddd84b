"""Does what a recipe says: `@slug NAME` for a file `.github/hob/recipes/NAME.md` of the base branch, or one
that comes with Hob. One commit on a branch of its own, with a draft pull request."""

from dataclasses import replace

from bot.agents.implement import implement, told
from bot.context import Context, answer
from bot.core.edit_paths import is_private, why_not
from bot.core.effects import Comment, OpenPullRequest, Plan, PushCommit, ReplyInThread
from bot.core.errors import Gone
from bot.core.events import CommentEvent
from bot.core.facts import PatchFacts, RepoContext
from bot.core.github_reader import PullRequestState, conversation
from bot.core.named_files import candidates, named_files
from bot.core.recipes import NAME, Recipe, Recipes, literal_paths, may_touch, path_of
from bot.core.refs import RANK
from bot.core.text import in_code
from bot.implement_facts import WantedChange, implement_facts, reading
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
    base = state.rules_at if state else ctx.repo.default_branch
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
    """A commit for the author's branch: of the files of the change, and of those that are named. What is
    never touched (a recipe at the head, say) is not read either."""
    files, _ = select(await ctx.github.files(event.number), context.settings.review.paths)
    changed = [file.path for file in files if file.status != "removed"]
    paths = [path for path in (*_named(wish, ctx), *changed, *literal_paths(recipe)) if not is_private(path)]
    paths = [path for path in dict.fromkeys(paths) if not why_not(path, lock_files=True)]
    texts = await ctx.github.texts(state.head_sha, paths[:50])
    names = tuple(path for path in changed if path not in texts)
    facts = PatchFacts(context, "recipe", state.title, state.body, texts, names=names, tools=ctx.tools)
    facts = _by_recipe(facts, context, recipe, wish)
    to = replace(target(state), title=recipe.subject)
    return await _made(event, ctx, to, facts, recipe)


async def _on_issue(
    event: CommentEvent, ctx: Context, context: RepoContext, recipe: Recipe, wish: str
) -> Plan:
    """One for the default branch: of the files that the command and the issue name, and that are found for
    them."""
    issue = await ctx.github.issue(event.number)
    base = ctx.repo.default_branch
    try:
        tip, tree = await ctx.github.tip(base)
    except Gone:
        return Plan((answer(event, "There is no code here to start from."),), reason="no default branch")
    said = conversation(await ctx.github.comments(event.number, issue.comments), without=event.comment_id)
    words = "\n".join([wish, *literal_paths(recipe)])
    wanted_change = WantedChange(issue.title, issue.body, said, wish=words)
    facts, used = await implement_facts(ctx, context, tip, wanted_change, ctx.knowledge, ctx.budget())
    facts = _by_recipe(facts, context, recipe, wish)
    if not any(map(facts.allowed, facts.texts)) and not recipe.paths:
        words = f"Tell me in which files, as in {in_code(f'@{ctx.slug} {recipe.name} src/tea.py')}."
        return Plan((answer(event, words),), reason="no files to change", usage=used)
    to = Target(event.number, tip, base, recipe.subject, pull_request=False, tree=tree)
    plan = await _made(event, ctx, to, facts, recipe)
    return replace(plan, usage=(*used, *plan.usage))


def _named(text: str, ctx: Context) -> list[str]:
    named = named_files(text, ctx.repo.full_name)
    return [path for several in candidates(named).values() for path in several]


def _by_recipe(facts: PatchFacts, context: RepoContext, recipe: Recipe, wish: str) -> PatchFacts:
    """The files that it may touch come first; others are only read."""
    may = allowed(context, may_touch(recipe, wanted))
    order = sorted(facts.texts, key=lambda path: not may(path))
    return replace(
        facts,
        kind="recipe",
        texts={path: facts.texts[path] for path in order[:MOST_FILES]},
        names=(*order[MOST_FILES:], *facts.names),
        wish=wish,
        instructions=recipe.body,
        allowed=may,
    )


async def _made(event: CommentEvent, ctx: Context, to: Target, facts: PatchFacts, recipe: Recipe) -> Plan:
    if not recipe.chain:
        return await proposed(event, ctx, to, facts)
    facts = await regular(ctx, to.parent, facts)
    read = reading(ctx, to.parent, {})
    done = await implement(facts, ctx.chain(recipe.chain), ctx.persona, ctx.infer, read, ctx.budget())
    return await offered(event, ctx, to, done.facts, done.patched, told(done), but=done.but)
