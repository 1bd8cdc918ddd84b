"""A remark with its anchor, severity and evidence, and the rules by which remarks are chosen."""

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from bot.core.settings import SEVERITIES, Severity
from bot.core.text import strip_invisible


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
    outside: bool = False
    """On lines that the change does not touch: for the check run, never for a review."""
    content: str = ""
    """A digest of what may not be quoted (a secret), or of the other places that the finding is about."""
    symbol: str = ""
    """The innermost one around its code; empty where it was not looked for."""
    ordinal: int = 0
    """How often equal code stands above it in that symbol."""
    also: tuple["Finding", ...] = ()
    """Checks' remarks of the same point that this one is said for."""

    @property
    def anchored(self) -> bool:
        return self.line is not None

    @property
    def rank(self) -> tuple[int, int, float, str, int, str]:
        """Worst first; among equals what a check proved, then what the model is surest of."""
        proved = 0 if self.source != "model" else 1
        return (
            SEVERITIES.index(self.severity),
            proved,
            -self.confidence,
            self.path,
            self.line or 0,
            self.title,
        )


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is shown, worst first, and what is only counted; together every finding, each once."""

    shown: tuple[Finding, ...]
    below_severity: tuple[Finding, ...] = ()
    over_cap: tuple[Finding, ...] = ()
    repeated: tuple[Finding, ...] = ()
    """About the same code as one of the others."""
    standing: tuple[Finding, ...] = ()
    """Severe enough, said before and still there."""
    heard: tuple[Finding, ...] = ()
    """Severe enough, and somebody else has said it."""
    dismissed: tuple[Finding, ...] = ()
    """Severe enough, and people do not want to hear it."""


FindingState = Literal["said", "held back", "refused"]
"""`held back`: right, for all that is known, and not said again or not wanted; `refused`: not believed."""


@dataclass(frozen=True, slots=True)
class JudgedFinding:
    """What became of a finding in one review; `why` follows "finding" and is empty for what was said."""

    finding: Finding
    state: FindingState = "said"
    why: str = ""


def fingerprint(finding: Finding) -> str:
    """Names the same point over time: its file and what it says of which code, not where that code stands
    now, nor its indentation; 24 hexadecimal digits.

    A model words the same point anew each time, so a quoted finding is known by its code; one without a quote
    by its words. Equal code at two places is told apart by its symbol and its place in there, and secrets by
    their content; without these the name is the one that Hob 0.1.0 gave.
    """
    code = bare(own(finding).quote)
    said = re.findall(r"\w{3,}", f"{finding.category} {finding.title}".casefold())
    words = code or " ".join(sorted(set(said)))
    kind = finding.source if finding.source == "model" else f"{finding.source} {finding.category}"
    text = f"{finding.path}\0{kind}\0{words}"
    if finding.content or finding.symbol or finding.ordinal:
        text += f"\0{finding.content}\0{finding.symbol}\0{finding.ordinal}"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:24]


def own(finding: Finding) -> Finding:
    """A check's remark as it is about its own line, the last: its fix may take in lines above, which say
    nothing of the point."""
    if finding.source == "model" or "\n" not in finding.quote:
        return finding
    return replace(finding, quote=finding.quote.rpartition("\n")[2], start_line=None)


def plain(finding: Finding, *, content: bool = False) -> Finding:
    """As Hob 0.1.0 knew it: without what tells equal code apart."""
    return replace(finding, content=finding.content if content else "", symbol="", ordinal=0)


def bare(code: str) -> str:
    """Without white space and what nobody sees."""
    return "".join(strip_invisible(code)[0].split())


MOST_LINES = 10
"""That are named of equal code."""


def also_at(lines: Sequence[int | str]) -> str:
    """Says where else a remark holds; nothing for no lines."""
    if not lines:
        return ""
    named = ", ".join(map(str, lines[:MOST_LINES]))
    if more := len(lines[MOST_LINES:]):
        named += f" and {more} more"
    return f"Also at line{'s' if len(lines) > 1 else ''} {named}."


def digest(text: str) -> str:
    """Tells contents apart that may not be kept; 16 hexadecimal digits."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def choose(
    findings: Iterable[Finding],
    *,
    min_severity: Severity,
    max_comments: int,
    posted: frozenset[str] = frozenset(),
    names: Callable[[Finding], frozenset[str]] = lambda finding: frozenset({fingerprint(finding)}),
    heard: Callable[[Finding], bool] = lambda _: False,
    dismissed: Callable[[Finding], object] = lambda _: None,
    verified: bool = False,
) -> Chosen:
    """The worst `max_comments` that are severe enough; of several about the same code only the worst.

    What a check proved goes before what a model says of the same severity, and no model's remark takes its
    place: whoever can make the model speak could hide a planted secret so. Only what was `verified` and is
    more severe is said for a check too, and names it. What has a fingerprint in
    `posted` was said before and is not shown again, nor is what repeats it; `names` gives every fingerprint
    that a finding may have had. Nor is what people have `dismissed` or somebody else has said (`heard`).
    """
    floor = SEVERITIES.index(min_severity)
    ranked = sorted(
        map(_clamped, findings), key=lambda one: (one.rank, one.quote, one.body, fingerprint(one))
    )
    distinct, repeated = _distinct(ranked)
    below = [finding for finding in distinct if SEVERITIES.index(finding.severity) > floor]
    severe = [finding for finding in distinct if SEVERITIES.index(finding.severity) <= floor]
    unwanted = [finding for finding in severe if dismissed(finding)]
    wanted = [finding for finding in severe if finding not in unwanted]
    standing = [finding for finding in wanted if names(finding) & posted]
    new = [finding for finding in wanted if finding not in standing]
    said = [finding for finding in new if heard(finding)]
    fresh = [finding for finding in new if finding not in said]
    standing = _with_checks(standing, repeated)
    if verified:
        fresh = _with_checks(fresh, repeated)
    cap = max(0, max_comments)
    return Chosen(
        shown=tuple(fresh[:cap]),
        below_severity=tuple(below),
        over_cap=tuple(fresh[cap:]),
        repeated=tuple(repeated),
        standing=tuple(standing),
        heard=tuple(said),
        dismissed=tuple(unwanted),
    )


def _clamped(finding: Finding) -> Finding:
    """With a confidence from 0 to 1; what is no number is none."""
    if 0 <= finding.confidence <= 1:
        return finding
    return replace(finding, confidence=1.0 if finding.confidence > 1 else 0.0)


def _distinct(findings: list[Finding]) -> tuple[list[Finding], list[Finding]]:
    """Those that say something of their own, and those that repeat one before them."""
    kept: list[Finding] = []
    repeated: list[Finding] = []
    seen: set[str] = set()
    places: dict[str, list[Finding]] = {}
    for finding in findings:
        name, others = fingerprint(finding), places.setdefault(finding.path, [])
        if name in seen or any(_repeats(finding, other) for other in others):
            repeated.append(finding)
            continue
        seen.add(name)
        kept.append(finding)
        others.append(finding)
    return kept, repeated


def _repeats(finding: Finding, other: Finding) -> bool:
    """Two remarks of one point on the same lines are one to whoever reads them; what a check proved is its
    own."""
    return finding.source == "model" and _overlap(finding, other) and _about_the_same(finding, other)


def _with_checks(findings: list[Finding], repeated: list[Finding]) -> list[Finding]:
    """Checks' remarks go into the model's graver one of the same point, which names them."""
    kept: list[Finding] = []
    for finding in findings:
        floor = SEVERITIES.index(finding.severity)
        place = next(
            (
                number
                for number, one in enumerate(kept)
                if finding.source != "model" == one.source
                and SEVERITIES.index(one.severity) < floor
                and _overlap(finding, one)
                and _about_the_same(finding, one)
            ),
            None,
        )
        if place is None:
            kept.append(finding)
            continue
        repeated.append(finding)
        kept[place] = replace(kept[place], also=(*kept[place].also, finding))
    return [
        replace(one, body=f"{one.body}\n\n{_named(one.also)}".strip()) if one.also else one for one in kept
    ]


def _named(checks: Sequence[Finding]) -> str:
    names = [
        f"{one.source} {one.category}" if re.fullmatch(r"[A-Z]{1,9}[0-9]{1,9}", one.category) else one.source
        for one in checks
    ]
    names = list(dict.fromkeys(names))
    return f"{' and '.join(names)} say{'s' if len(names) == 1 else ''} so too."


def telling(text: str) -> set[str]:
    """Words that say what a remark is about, cut so that their endings do not count."""
    words = re.findall(r"[^\W\d_]{4,}", text.casefold())
    return {word[:6] for word in words if word not in _PLAIN_WORDS}


_PLAIN_WORDS = frozenset(
    re.findall(
        r"\w+",
        "this that these those with from into when then than there where which while will would should could"
        " must have does been being before after always never here they line lines code function method"
        " variable instead because using used make makes",
    )
)


def _about_the_same(one: Finding, other: Finding) -> bool:
    """Whether one's title has to do with the other's words; a title that tells nothing may be anything."""
    ours, theirs = telling(one.title), telling(other.title)
    if not ours or not theirs:
        return True
    return bool(ours & (theirs | telling(other.body)) or theirs & telling(one.body))


def _overlap(finding: Finding, other: Finding) -> bool:
    if finding.line is None or other.line is None:
        return False
    return (finding.start_line or finding.line) <= other.line and (
        other.start_line or other.line
    ) <= finding.line
