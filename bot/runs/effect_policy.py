"""From a handler's plan to what is really written: only effects that the route declared, each with a name
that is the same whenever the same thing is meant, and every text made harmless."""

import hashlib
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import get_args

import msgspec

from bot import log as logs
from bot.core.effects import Effect, Plan
from bot.core.errors import OtherVersion
from bot.core.refs import RepoRef
from bot.effects import of
from bot.effects.base import E
from bot.effects.texts import Texts
from bot.sanitise.leaks import leaks

POLICY = "1"
"""Part of every key: raising it lets a new version of Hob judge a head again."""
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
    """An effect as it was stored. `OtherVersion` where this one has none of that kind."""
    if kind not in KINDS:
        raise OtherVersion(f"this version has no effect named {kind}", 5.0)
    effect: Effect = msgspec.json.decode(payload, type=KINDS[kind])
    return effect


def keyed(
    plan: Plan,
    stored_as: str,
    repo: RepoRef,
    target: int,
    cause: str,
    may: frozenset[type[Effect]] = frozenset(KINDS.values()),
) -> list[Keyed]:
    """The plan's permitted effects, harmless and named. `stored_as`: the route that planned them.

    A key is made of what is meant (repository, issue, head, kind, place in the plan) and, for what a person
    asked for, of the comment that asked (`cause`): an old delivery sent again means the same and is done
    already. What happens once, whoever asks, names itself (`plan.once`).
    """
    result = []
    for ordinal, effect in enumerate(plan.effects):
        if type(effect) not in may:
            log.error("%s planned a %s, which its route does not permit", stored_as, type(effect).__name__)
            continue
        meant = of(effect).meant(effect)
        parts = (
            POLICY,
            repo.installation,
            repo.id,
            target,
            plan.head_sha or "",
            stored_as,
            f"shadow {meant}" if plan.shadow else meant,
            plan.once or cause,
            *((f"again {plan.again}",) if plan.again else ()),
            ordinal,
        )
        key = hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:40]
        result.append(Keyed(key, safe(effect, repo)))
    return result


def safe(effect: E, repo: RepoRef) -> E:
    """The same effect with every text that people will read made harmless, and none in it that gives a secret
    of Hob's own away, as it was told or as it would read."""
    number = getattr(effect, "number", 0)
    clean = of(effect).harmless(effect, Texts(repo, number=number))
    secrets = logs.hidden()
    every = "\n".join((*_texts(msgspec.to_builtins(effect)), *_texts(msgspec.to_builtins(clean))))
    # One look at all texts, for there may be thousands of tokens; which text it was, only where one was.
    return of(effect).harmless(effect, Texts(repo, secrets, number)) if leaks(every, secrets) else clean


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    several = value.values() if isinstance(value, dict) else value
    for item in several if isinstance(several, Iterable) and not isinstance(several, str) else ():
        yield from _texts(item)
