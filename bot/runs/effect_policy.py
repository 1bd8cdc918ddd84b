"""From a handler's plan to what is really written: only effects that the route declared, each with a name
that is the same whenever the same thing is meant, and every text made harmless."""

import hashlib
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import assert_never, get_args

import msgspec

from bot import log as logs
from bot.core.effects import (
    AddLabels,
    Comment,
    DeleteComment,
    DismissReview,
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
    TakenBack,
)
from bot.core.refs import RepoRef
from bot.router import Route
from bot.sanitise import MOST_BYTES, harmless, plain, suggestion_block
from bot.sanitise.leaks import leaks

POLICY = "1"
"""Part of every key: raising it lets a new version of Hob judge a head again."""
WITHHELD = "Withheld: this text held what looks like one of my own credentials."
SecretValues = tuple[str, ...]
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
            route.stored_as,
            f"shadow {_meant(effect)}" if plan.shadow else _meant(effect),
            cause,
            *((f"again {plan.again}",) if plan.again else ()),
            ordinal,
        )
        key = hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:40]
        result.append(Keyed(key, safe(effect, repo)))
    return result


def _meant(effect: Effect) -> str:
    """The kind of an effect. A check run that says why nothing was read does not stand for a review of the
    same head later."""
    kind = type(effect).__name__
    if not isinstance(effect, SetCheck) or effect.judged:
        return kind
    passes = "" if effect.conclusion == "neutral" else f" {effect.conclusion}"
    return f"{kind}{passes} {effect.title}"


def safe(effect: Effect, repo: RepoRef) -> Effect:
    """The same effect with every text that people will read made harmless, and none in it that gives a secret
    of Hob's own away, as it was told or as it would read."""
    clean = _harmless(effect, repo, ())
    secrets = logs.hidden()
    every = "\n".join((*_texts(msgspec.to_builtins(effect)), *_texts(msgspec.to_builtins(clean))))
    # One look at all texts, for there may be thousands of tokens; which text it was, only where one was.
    return _harmless(effect, repo, secrets) if leaks(every, secrets) else clean


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    several = value.values() if isinstance(value, dict) else value
    for item in several if isinstance(several, Iterable) and not isinstance(several, str) else ():
        yield from _texts(item)


def _harmless(effect: Effect, repo: RepoRef, secrets: SecretValues) -> Effect:
    match effect:
        case PostReview():
            comments = tuple(_safe_line(comment, repo, secrets) for comment in effect.comments)
            return replace(effect, body=_prose(effect.body, repo, secrets), comments=comments)
        case SetCheck():
            return replace(
                effect,
                title=_line(effect.title, 140, secrets),
                summary=_prose(effect.summary, repo, secrets),
                text=_prose(effect.text, repo, secrets),
                annotations=tuple(
                    replace(
                        one, title=_line(one.title, 140, secrets), message=_line(one.message, 2_000, secrets)
                    )
                    for one in effect.annotations
                ),
            )
        case ReplyInThread():
            return replace(
                effect, body=_with_block(effect.body, effect.suggestion, repo, secrets), suggestion=None
            )
        case Comment() | EditComment():
            return _safe_comment(effect, repo, secrets)
        case EditReview():
            return replace(effect, body=_prose(effect.body, repo, secrets))
        case DismissReview():
            return replace(effect, why=_line(effect.why, 200, secrets))
        case EditPullRequest():
            return replace(
                effect, title=_line(effect.title, 200, secrets), body=_prose(effect.body, repo, secrets)
            )
        case AddLabels() | RemoveLabels() | React() | ResolveThread() | DeleteComment():
            return effect
        case Remember() | Forget() | SetPull() | TakenBack():
            return effect  # not on a page: what memory tells goes through a reply
    assert_never(effect)


def _safe_comment(
    effect: Comment | EditComment, repo: RepoRef, secrets: SecretValues
) -> Comment | EditComment:
    """What is folded away is made harmless by itself: the fold around it is ours."""
    body = _prose(effect.body, repo, secrets)
    room = max(MOST_BYTES - len(body.encode()) - 200, 1_000)
    return replace(effect, body=body, folded=_prose(effect.folded, repo, secrets, room))


def _safe_line(comment: LineComment, repo: RepoRef, secrets: SecretValues) -> LineComment:
    body = _with_block(comment.body, comment.suggestion, repo, secrets)
    return replace(comment, body=body, suggestion=None)


def _with_block(body: str, suggestion: str | None, repo: RepoRef, secrets: SecretValues) -> str:
    """A suggestion that could break its fence, hide characters or give a secret away is dropped; its prose
    stays, and is cut before it: nobody is offered half of one."""
    block = suggestion_block(suggestion) if suggestion is not None else None
    if block is None or leaks(block, secrets):
        return _prose(body, repo, secrets)
    return f"{_prose(body, repo, secrets, MOST_BYTES - len(block.encode()))}\n\n{block}"


def _prose(text: str, repo: RepoRef, secrets: SecretValues, limit: int = MOST_BYTES) -> str:
    return _kept(text, harmless(text, repo=repo.full_name, limit=limit), secrets)


def _line(text: str, limit: int, secrets: SecretValues) -> str:
    return _kept(text, plain(text, limit), secrets)


def _kept(told: str, clean: str, secrets: SecretValues) -> str:
    if not leaks(told, secrets) and not leaks(clean, secrets):
        return clean
    log.warning("a text was not posted: it held a credential of Hob's")
    return WITHHELD
