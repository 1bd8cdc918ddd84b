"""The port `Infer`, behind which hosts and models are: which of them a prompt may go to, and in whose turn.
What becomes of the question then is `bot.inference.request`."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, cast

from bot.core.concurrency import Port
from bot.core.errors import HobError
from bot.core.events import Priority
from bot.core.inference import Completion, Infer, OnText, Prompt, Role, Spoken, T
from bot.inference.egress import LOCAL_ONLY, EgressGuard
from bot.inference.hosts.pool import Pool
from bot.inference.listening import Listening
from bot.inference.request import Asking
from bot.inference.token_budget import Render, prompt_tokens, shared_tokens
from bot.inference.trace import NO_TRAIL, Trace

log = logging.getLogger(__name__)

DEADLINE = 1200.0
"""Seconds: a 14B model on one machine without a graphics card reads 12k tokens in about ten minutes."""


def make_infer(
    pool: Pool,
    models: Mapping[Role, Sequence[str]],
    render: Render,
    *,
    deadline: float = DEADLINE,
    priority: Priority = "default",
    guard: EgressGuard = LOCAL_ONLY,
    trace: Trace = NO_TRAIL,
) -> Infer:
    """An `Infer` over the pool's hosts. `models`: names by role in order of preference. Who waits at a
    busy host goes by priority: a person waits (high), a review (default), background (low). What may go to an
    online host, and where each use is written down, is the guard's: by default nothing, and nowhere. `trace`
    keeps what was asked."""
    urgency = ("high", "default", "low").index(priority)

    async def infer(prompt: Prompt[T], /, on_text: OnText | None = None) -> Completion[T]:
        free = prompt.answer is Spoken and not prompt.tools
        listening = Listening(on_text or (lambda _: None)) if free else None
        asked = replace(prompt, role=cast("Role", prompt.specialty)) if prompt.specialty else prompt
        asking = Asking(
            pool,
            asked,
            render,
            deadline,
            urgency,
            _guard_of(prompt),
            listening.hear if listening else on_text,
            listening.so_far if listening else str,
            trace,
            partial(port.placed, prompt),
        )
        try:
            completion = await asking.run(_wanted(prompt, models))
        except (HobError, ValueError) as error:
            # A prompt file, its inputs or an answer's schema are wrong: our own mistake, not the model's.
            log.exception("prompt %s could not be asked", prompt.name)
            reason = f"the prompt {prompt.name} could not be put: {error}"
            return Completion(failure="invalid", reason=reason)
        return listening.whole(completion) if listening else completion

    async def seconds(prompt: Prompt[Any]) -> float:
        wanted = _wanted(prompt, models)
        allowed = _guard_of(prompt)
        sizes = prompt_tokens(prompt), prompt.behind, prompt.beginning, shared_tokens(prompt), prompt.length
        return await pool.seconds_now(prompt.role, wanted, urgency, allowed, *sizes)

    def _guard_of(prompt: Prompt[Any]) -> EgressGuard:
        return replace(guard, purpose=prompt.name, policy="never" if prompt.local else guard.policy)

    async def sees(prompt: Prompt[Any]) -> bool:
        allowed = _guard_of(prompt)
        found = await pool.candidates(prompt.role, _wanted(prompt, models), allowed, start=False)
        return any(one.sees for one in found.candidates)

    port = Port(infer, seconds, sees)
    return port


def _wanted(prompt: Prompt[Any], models: Mapping[Role, Sequence[str]]) -> Sequence[str]:
    """Names of models, best first. A specialty is the host's, so any model of ours that such a host has will
    do."""
    if prompt.model:
        return (prompt.model,)
    own = models.get(prompt.role, ())
    if not prompt.specialty:
        return own
    others = (name for role, names in models.items() if role != "embed" for name in names)
    return tuple(dict.fromkeys((*own, *others)))
