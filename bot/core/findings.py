"""A remark with its anchor, severity and evidence, and the rules by which remarks are chosen."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from bot.core.settings import SEVERITIES, Severity


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

    @property
    def rank(self) -> tuple[int, int, float, str, int]:
        """Worst first; among equals what a check proved, then what the model is surest of."""
        proved = 0 if self.source != "model" else 1
        return SEVERITIES.index(self.severity), proved, -self.confidence, self.path, self.line or 0


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is shown, worst first, and what is only counted."""

    shown: tuple[Finding, ...]
    below_severity: tuple[Finding, ...] = ()
    over_cap: tuple[Finding, ...] = ()


def fingerprint(finding: Finding) -> str:
    """Names the same point over time: its file and what it says of which code, not where that code stands
    now.

    A model words the same point anew each time, so a quoted finding is known by its code; one without a
    quote by its words.
    """
    code = "".join(finding.quote.split())
    words = code or " ".join(
        sorted(set(re.findall(r"\w{3,}", f"{finding.category} {finding.title}".casefold())))
    )
    kind = finding.source if finding.source == "model" else f"{finding.source} {finding.category}"
    text = f"{finding.path}\0{kind}\0{words}"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:24]


def choose(findings: Iterable[Finding], *, min_severity: Severity, max_comments: int) -> Chosen:
    """The worst `max_comments` that are severe enough; of several about the same code only the worst."""
    floor = SEVERITIES.index(min_severity)
    shown: list[Finding] = []
    below: list[Finding] = []
    over: list[Finding] = []
    seen: set[str] = set()
    for finding in sorted(findings, key=lambda one: one.rank):
        if fingerprint(finding) in seen or any(_same_place(finding, other) for other in (*shown, *over)):
            continue
        seen.add(fingerprint(finding))
        if SEVERITIES.index(finding.severity) > floor:
            below.append(finding)
        elif len(shown) >= max_comments:
            over.append(finding)
        else:
            shown.append(finding)
    return Chosen(tuple(shown), tuple(below), tuple(over))


def _same_place(one: Finding, other: Finding) -> bool:
    """Two remarks on the same lines are one remark to whoever reads them; what two checks prove stays two."""
    if one.line is None or other.line is None or one.path != other.path:
        return False
    if one.source != "model" and other.source != "model":
        return False
    return (one.start_line or one.line) <= other.line and (other.start_line or other.line) <= one.line
