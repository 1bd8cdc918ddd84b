"""What one piece of work of an agent may cost: questions to models, their tokens, and time."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.core.text import count


@dataclass(slots=True)
class WorkBudget:
    """`steps` are questions to models, `tokens` those that models read and wrote for them, `seconds` count
    from when the budget is made. Whoever asks a model for the work spends from it; several may share one."""

    steps: int
    tokens: int
    seconds: float
    clock: Callable[[], float] = field(default=time.monotonic, repr=False, compare=False)
    steps_spent: int = 0
    tokens_spent: int = 0
    _begun: float = field(init=False, default=0.0, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._begun = self.clock()

    @property
    def seconds_left(self) -> float:
        """Never below 0."""
        return max(0.0, self.seconds - (self.clock() - self._begun))

    @property
    def used_up(self) -> str:
        """What is used up, as a clause for people; empty while one more question may be asked."""
        if self.steps_spent >= self.steps:
            are = "is" if self.steps == 1 else "are"
            return f"its {count(self.steps, 'question')} to models {are} used up"
        if self.tokens_spent >= self.tokens:
            return f"its {self.tokens:,} tokens are used up"
        return "" if self.seconds_left > 0 else f"its {self.seconds / 60:,.0f} minutes are over"

    def allows(self, steps: int = 1, tokens: int = 0) -> bool:
        """Whether so many more questions may be asked, after `tokens` that are not taken from it yet."""
        fits = self.steps_spent + steps <= self.steps and self.tokens_spent + tokens < self.tokens
        return fits and not self.used_up

    def spend(self, tokens: int, steps: int = 1) -> None:
        """What was asked, whether or not an answer came of it."""
        self.steps_spent += steps
        self.tokens_spent += max(0, tokens)
