"""The port `Infer` behind which hosts and models are: render, fit, ask, check, ask again, give up honestly.

One call of `Infer` asks models at most `MOST_CALLS` times and for at most `deadline` seconds in all; the time in which
it waits for its turn at a host is not counted. Whatever goes wrong is a `failure` with a sentence for a person.
"""

import logging
from collections.abc import Callable, Mapping, Sequence

from bot.core.errors import HobError
from bot.core.inference import Completion, Infer, Prompt, Role, T
from bot.inference.asking import Asking
from bot.inference.fitting import PromptSource, Ratios
from bot.inference.pool import Pool

log = logging.getLogger(__name__)

DEADLINE = 1200.0
"""Seconds: a 14B model on one machine without a graphics card reads 12k tokens in about ten minutes."""


def make_infer(
    pool: Pool,
    models: Mapping[Role, Sequence[str]],
    load_prompt: Callable[[str], PromptSource],
    *,
    deadline: float = DEADLINE,
    urgency: int = 1,
    ratios: Ratios | None = None,
) -> Infer:
    """An `Infer` over the pool's hosts.

    `models`: names by role in order of preference. `urgency`: 0 a person waits, 1 a review, 2 background. `ratios`: what
    is known of the models' vocabularies; hand the same to every `Infer` of a process.
    """
    known = Ratios() if ratios is None else ratios

    async def infer(prompt: Prompt[T], /) -> Completion[T]:
        try:
            file = load_prompt(prompt.name)
            asking = Asking(pool, prompt, file, known, deadline, urgency)
            return await asking.run(models.get(prompt.role, ()))
        except (HobError, ValueError) as error:
            # A prompt file, its inputs or an answer's schema are wrong: our own mistake, not the model's.
            log.exception("prompt %s could not be asked", prompt.name)
            return Completion(failure="invalid", reason=f"the prompt {prompt.name} could not be put: {error}")

    return infer
