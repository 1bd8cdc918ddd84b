"""From a handler's plan to what is really written: only effects that the route declared, each with a name
that is the same whenever the same thing is meant, and every text made harmless."""

import hashlib
import logging
from dataclasses import dataclass, replace
from typing import assert_never, get_args

import msgspec

from bot import log as logs
from bot.core.effects import (
    AddLabels,
    Comment,
    DeleteComment,
    EditComment,
    EditPullRequest,
    EditReview,
    Effect,
    Forget,
    LineComment,
    Plan,
    PostReview,
    React,
    Remember,
    RemoveLabels,
    ReplyInThread,
    ResolveThread,
    SetCheck,
    SetPull,
)
from bot.core.refs import RepoRef
from bot.router import Route
from bot.sanitise import MOST_BYTES, harmless, plain, suggestion_block
from bot.sanitise.leaks import leaks

POLICY = "1"
"""Part of every key: raising it lets a new version of Hob judge a head again."""
WITHHELD = "Withheld: this text held what looks like one of my own credentials."
KINDS: dict[str, type[Effect]] = {kind.__name__: kind for kind in get_args(Effect)}
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Keyed:
    """An effect and its name in the outbox, 40 hexadecimal digits."""

    key: str
    effect: Effect

    @property
    def kind(self) -> str:
        return type(self.effect).__name__

    @property
    def payload(self) -> str:
        return msgspec.json.encode(self.effect).decode()


def load(kind: str, payload: str) -> Effect:
    """An effect as it was stored."""
    effect: Effect = msgspec.json.decode(payload, type=KINDS[kind])
    return effect


def keyed(plan: Plan, route: Route, repo: RepoRef, target: int, cause: str) -> list[Keyed]:
    """The plan's permitted effects, harmless and named.

    A key is made of what is meant (repository, issue, head, kind, place in the plan) and, for what a person
    asked for, of the comment that asked (`cause`): an old delivery sent again means the same and is done
    already.
    """
    result = []
    for ordinal, effect in enumerate(plan.effects):
        if type(effect) not in route.may:
            log.error("%s planned a %s, which its route does not permit", route.name, type(effect).__name__)
            continue
        parts = (
            POLICY,
            repo.installation,
            repo.id,
            target,
            plan.head_sha or "",
            route.name,
            _meant(effect),
            cause,
            ordinal,
        )
        key = hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:40]
        result.append(Keyed(key, safe(effect, repo)))
    return result


def _meant(effect: Effect) -> str:
    """The kind of an effect. A check run that says why nothing was read does not stand for a review of the
    same head later."""
    kind = type(effect).__name__
    return kind if not isinstance(effect, SetCheck) or effect.judged else f"{kind} {effect.title}"


def safe(effect: Effect, repo: RepoRef) -> Effect:
    """The same effect with every text that people will read made harmless."""
    match effect:
        case PostReview():
            comments = tuple(_safe_line(comment, repo) for comment in effect.comments)
            return replace(effect, body=_prose(effect.body, repo), comments=comments)
        case SetCheck():
            return replace(
                effect,
                title=_line(effect.title, 140),
                summary=_prose(effect.summary, repo),
                text=_prose(effect.text, repo),
                annotations=tuple(
                    replace(one, title=_line(one.title, 140), message=_line(one.message, 2_000))
                    for one in effect.annotations
                ),
            )
        case ReplyInThread():
            return replace(effect, body=_with_block(effect.body, effect.suggestion, repo), suggestion=None)
        case Comment() | EditComment() | EditReview():
            return replace(effect, body=_prose(effect.body, repo))
        case EditPullRequest():
            return replace(effect, title=_line(effect.title, 200), body=_prose(effect.body, repo))
        case AddLabels() | RemoveLabels() | React() | ResolveThread() | DeleteComment():
            return effect
        case Remember() | Forget() | SetPull():
            return effect  # not on a page: what memory tells goes through a reply
    assert_never(effect)


def _safe_line(comment: LineComment, repo: RepoRef) -> LineComment:
    return replace(comment, body=_with_block(comment.body, comment.suggestion, repo), suggestion=None)


def _with_block(body: str, suggestion: str | None, repo: RepoRef) -> str:
    """A suggestion that could break its fence, hide characters or give a secret away is dropped; its prose
    stays, and is cut before it: nobody is offered half of one."""
    block = suggestion_block(suggestion) if suggestion is not None else None
    if block is None or leaks(block, logs.hidden()):
        return _prose(body, repo)
    return f"{_prose(body, repo, MOST_BYTES - len(block.encode()))}\n\n{block}"


def _prose(text: str, repo: RepoRef, limit: int = MOST_BYTES) -> str:
    return _kept(text, harmless(text, repo=repo.full_name, limit=limit))


def _line(text: str, limit: int) -> str:
    return _kept(text, plain(text, limit))


def _kept(told: str, clean: str) -> str:
    """What is to be posted, unless it gives a secret away, as it was told or as it would read."""
    secrets = logs.hidden()
    if not leaks(told, secrets) and not leaks(clean, secrets):
        return clean
    log.warning("a text was not posted: it held a credential of Hob's")
    return WITHHELD
