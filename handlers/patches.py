"""What people have Hob add to a pull request: `@slug tests`, `docs`, `changelog`, `simplify`. Each is one
commit on a branch of its own, with a draft pull request into the author's branch."""

import ast
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Literal

from bot.context import Context, answer
from bot.core.edit_paths import asks_for_lock_files, is_lock_file
from bot.core.effects import Comment, OpenPullRequest, Plan, PushCommit, ReplyInThread
from bot.core.events import CommentEvent
from bot.core.facts import PatchFacts, nothing_wrong
from bot.core.file_kinds import is_prose, is_test, tests_of
from bot.proposals import allowed, may_push, proposed, refusal, target
from bot.pull_request_facts import select
from bot.router import Router

router = Router()
MAY = {PushCommit, OpenPullRequest, Comment, ReplyInThread}
MOST_FILES = 12
"""Files that a model is shown."""
_CHANGELOG = re.compile(
    r"(?:^|/)(?:changelog|changes|history|news|release[-_]notes)(?:\.(?:md|rst|txt|adoc))?$", re.IGNORECASE
)
CHANGELOGS = (
    "CHANGELOG.md",
    "CHANGES.md",
    "CHANGELOG.rst",
    "CHANGES.rst",
    "HISTORY.md",
    "NEWS.md",
    "docs/changelog.md",
)
_PYTHON = re.compile(r"\.pyi?$")
PatchKind = Literal["tests", "docs", "changelog", "simplify"]


@router.command("tests", help="proposes tests for this change", may=MAY, who="code", place="pull requests")
async def tests(event: CommentEvent, ctx: Context) -> Plan:
    return await _propose(event, ctx, "tests", is_test)


@router.command(
    "docs", help="proposes documentation of this change", may=MAY, who="code", place="pull requests"
)
async def docs(event: CommentEvent, ctx: Context) -> Plan:
    def fits(path: str) -> bool:
        return is_prose(path) or bool(_PYTHON.search(path))

    return await _propose(event, ctx, "docs", fits, _code_changed)


@router.command(
    "changelog", help="proposes an entry of the changelog", may=MAY, who="code", place="pull requests"
)
async def changelog(event: CommentEvent, ctx: Context) -> Plan:
    return await _propose(event, ctx, "changelog", lambda path: bool(_CHANGELOG.search(path)))


@router.command(
    "simplify", help="proposes simpler code for this change", may=MAY, who="code", place="pull requests"
)
async def simplify(event: CommentEvent, ctx: Context) -> Plan:
    return await _propose(event, ctx, "simplify", lambda path: not is_test(path))


async def _propose(
    event: CommentEvent,
    ctx: Context,
    kind: PatchKind,
    fits: Callable[[str], bool],
    wrong: Callable[[str, str, str], str] = nothing_wrong,
) -> Plan:
    if not event.on_pull_request:
        return Plan((answer(event, f"`{kind}` is about a change; ask on a pull request."),))
    state = await ctx.github.pull_request(event.number)
    context = await ctx.repository(state.rules_at)
    if why := refusal(state, context) or await may_push(ctx):
        return Plan((answer(event, why),), reason=why)
    wish = ctx.command.argument if ctx.command else ""
    every = await ctx.github.files(event.number)
    files, _ = select(every, context.settings.review.paths)
    if asks_for_lock_files(wish):
        files = [*files, *(file for file in every if is_lock_file(file.path) and file not in files)]
    changed = [file.path for file in files if file.status != "removed"]
    wanted = [*changed, *(path for path in _beside(kind, changed) if path not in changed)]
    texts = await ctx.github.texts(state.head_sha, wanted[:100])
    facts = PatchFacts(
        context=context,
        kind=kind,
        title=state.title,
        description=state.body,
        texts=dict([(path, texts[path]) for path in wanted if path in texts][:MOST_FILES]),
        wish=wish,
        names=tuple(path for path in changed if path not in texts),
        allowed=allowed(context, _only(kind, fits, set(changed))),
        wrong=wrong,
        tools=ctx.tools,
    )
    if kind == "changelog" and not any(map(fits, facts.texts)):
        names = ", ".join(f"`{name}`" for name in CHANGELOGS)
        return Plan((answer(event, f"I know of no changelog here; I looked for {names}."),))
    return await proposed(event, ctx, target(state), facts)


def _only(kind: PatchKind, fits: Callable[[str], bool], changed: set[str]) -> Callable[[str], bool]:
    """Simplifying stays within the change."""
    return lambda path: fits(path) and (kind != "simplify" or path in changed)


def _beside(kind: PatchKind, changed: Sequence[str]) -> Iterable[str]:
    """Paths that may be there and belong to the change, those that matter most first."""
    if kind == "changelog":
        return CHANGELOGS
    if kind == "docs":
        return ("README.md", "README.rst", "docs/index.md", "docs/README.md")
    if kind == "tests":
        return dict.fromkeys(name for path in changed if not is_test(path) for name in tests_of(path))
    return ()


def _code_changed(path: str, before: str, after: str) -> str:
    """Documentation in code is docstrings and comments: what remains of a Python file is the same."""
    if not _PYTHON.search(path) or _skeleton(before) == _skeleton(after):
        return ""
    return "the code itself would change, and only what is said about it may"


def _skeleton(text: str) -> str:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return text
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                node.body = node.body[1:]
    return ast.dump(tree)
