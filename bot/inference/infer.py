"""The port `Infer` behind which hosts and models are: render, fit, ask, check, ask again, give up
honestly.

One call of `Infer` asks models at most `MOST_CALLS` times and for at most `deadline` seconds in all; the
time in which it waits for its turn at a host is not counted. Whatever goes wrong is a `failure` with a
sentence for a person.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from bot.core.errors import HobError
from bot.core.events import Priority
from bot.core.inference import Completion, Infer, Prompt, Role, T
from bot.core.sharing import Port
from bot.inference.asking import Asking, size
from bot.inference.fitting import PromptSource
from bot.inference.guard import LOCAL_ONLY, Guard
from bot.inference.pool import Pool
from bot.inference.runners import Heard
from bot.inference.trail import NO_TRAIL, Trail

log = logging.getLogger(__name__)

DEADLINE = 1200.0
"""Seconds: a 14B model on one machine without a graphics card reads 12k tokens in about ten minutes."""


def make_infer(
    pool: Pool,
    models: Mapping[Role, Sequence[str]],
    load_prompt: Callable[[str], PromptSource],
    *,
    deadline: float = DEADLINE,
    priority: Priority = "default",
    guard: Guard = LOCAL_ONLY,
    trail: Trail = NO_TRAIL,
    hears: Callable[[Prompt[Any]], Heard] | None = None,
) -> Infer:
    """An `Infer` over the pool's hosts. `models`: names by role in order of preference. Who waits at a
    busy host goes by priority: a person waits (high), a review (default), background (low). What may go to an
    online host, and where each use is written down, is the guard's: by default nothing, and nowhere. `trail`
    keeps what was asked; `hears` gives for a prompt what is to hear its answer's words as they come."""
    urgency = ("high", "default", "low").index(priority)

    async def infer(prompt: Prompt[T], /) -> Completion[T]:
        try:
            file = load_prompt(prompt.name)
            own = replace(guard, purpose=prompt.name)
            placed = partial(port.placed, prompt)
            heard = hears(prompt) if hears else None
            asking = Asking(pool, prompt, file, deadline, urgency, own, heard, trail, placed)
            return await asking.run(models.get(prompt.role, ()))
        except (HobError, ValueError) as error:
            # A prompt file, its inputs or an answer's schema are wrong: our own mistake, not the model's.
            log.exception("prompt %s could not be asked", prompt.name)
            return Completion(failure="invalid", reason=f"the prompt {prompt.name} could not be put: {error}")

    async def is_free(prompt: Prompt[Any]) -> bool:
        wanted = models.get(prompt.role, ())
        return await pool.is_free(prompt.role, wanted, urgency, guard, size(prompt), prompt.behind)

    port = Port(infer, is_free)
    return port
