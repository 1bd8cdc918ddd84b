"""A question over the API that asks for a command: what only answers is answered there and posted nowhere; of
what changes something the exact command is told. What is about one issue needs its number (`#12`)."""

import re
from dataclasses import replace

from bot.agents.intent import understand
from bot.context import Context
from bot.core.commands import Command, as_comment
from bot.core.effects import Comment, EditComment, ReplyInThread
from bot.core.errors import GitHubError
from bot.core.events import CommandRequested
from bot.core.intents import own_words
from bot.core.refs import Actor, Login
from bot.core.text import in_code
from bot.github.idempotency_marker import page
from bot.github.reader import JobReader, permissions_to_read
from bot.router import Router
from bot.runs.effect_policy import safe
from bot.runs.understanding import offered

_NUMBER = re.compile(r"(?<![\w/&])#([1-9][0-9]{0,8})\b")


async def commanded(message: str, ctx: Context, reader: JobReader, router: Router) -> str | None:
    """The answer of the command that the operator asks for; None where they ask a question."""
    meant, _ = await understand(message, "over the API, about the whole repository", offered(ctx), ctx.infer)
    route = router.commands.get(meant.name)
    if route is None:
        return None
    line = in_code(as_comment(ctx.slug, meant.line))
    numbers = {int(found) for found in _NUMBER.findall(own_words(message))}
    number = numbers.pop() if len(numbers) == 1 else 0
    if not route.reads:
        where = f"#{number}" if number else "the issue or pull request"
        return f"That changes something, so I leave it to you: comment {line} on {where}."
    needs = f"That is about one issue or pull request: name it (as `#12`), or comment {line} there."
    try:
        about = await reader.issue(number) if number else None
        event = _event(ctx, number, meant.line, on_pull_request=bool(about and about.is_pull_request))
        command = Command(meant.name, meant.argument)
        reads = replace(reader, permissions=permissions_to_read(event))
        plan = await route.handler(event, replace(ctx, command=command, github=reads))
    except GitHubError:
        return f"There is no #{number} here that I can read." if number else needs
    words = [
        page(one.body, getattr(one, "folded", ""))
        for one in (safe(effect, ctx.repo) for effect in plan.effects)
        if isinstance(one, Comment | EditComment | ReplyInThread)
    ]
    return "\n\n".join(words) or plan.reason or needs


def _event(ctx: Context, number: int, line: str, *, on_pull_request: bool) -> CommandRequested:
    operator = Actor(Login(""), 0)
    return CommandRequested(
        delivery="",
        sender=operator,
        repo=ctx.repo,
        number=number,
        comment_id=0,
        body=f"/hob {line}",
        previous_body=None,
        author=operator,
        app_id=None,
        on_pull_request=on_pull_request,
        issue_author=Login(""),
        channel="api",
    )
