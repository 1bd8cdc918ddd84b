"""A remark with its anchor, severity and evidence, and the rules by which remarks are chosen."""

from dataclasses import dataclass

from bot.core.settings import Severity


@dataclass(frozen=True, slots=True)
class Finding:
    """`line`/`start_line` are on the new side and set only where the quote was found in the diff."""

    path: str
    severity: Severity
    category: str
    title: str
    body: str
    quote: str = ""
    replacement: str | None = None
    confidence: float = 1.0
    source: str = "model"
    """`model`, or the name of the check that found it: `ruff`, `secrets`."""
    start_line: int | None = None
    line: int | None = None

    @property
    def anchored(self) -> bool:
        return self.line is not None
