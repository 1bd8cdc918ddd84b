"""An answer with its citations."""

from dataclasses import dataclass

from bot.core.code_search import Citation, unproved
from bot.core.inference import Completion, Spoken


@dataclass(frozen=True, slots=True)
class Answered:
    """The end of an answer: all of its text, which of its citations stand, and what it cost."""

    completion: Completion[Spoken]
    citations: tuple[Citation, ...] = ()
    dropped: int = 0
    """Places that were cited and do not stand."""
    strict: bool = False
    """Whether it had to cite something."""

    @property
    def unproved(self) -> str:
        """A sentence where none of its citations stands, or there is none."""
        return unproved(self.dropped, len(self.citations), self.strict) if self.completion.value else ""

    @property
    def text(self) -> str:
        return self.completion.value.text if self.completion.value else ""
