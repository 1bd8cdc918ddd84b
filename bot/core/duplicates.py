"""Which older issue may be named as the one that another repeats. Pure.

What an issue says of itself (`I am a duplicate of #1`) proves nothing: it may lead to what else is to be
compared, and makes a closed issue one that was not mended by being closed.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence

from bot.core.knowledge import Fix, Found, KnownIssue
from bot.core.mentions import without_comments
from bot.core.text import strip_invisible

SHORTEST_QUOTE = 8
"""Letters and digits of a quotation that proves something; half as many where they are no ASCII."""
AGREEMENT = 0.9
"""Chosen on the issues of one year of rust-lang/rust (5 of 5 right), held on those of three others and of
another project (7 of 7). What is reported twice by mistake is so alike, hardly anything else."""
_WORD = re.compile(r"\w+")
_CLAIM = re.compile(
    r"\bdup(?:e|licate)?s?\s{1,9}(?:of|issue|bug|report|ticket)\b"
    r"|\b(?:am|is|as)\s{1,9}(?:an?\s{1,9})?dup(?:e|licate)?\b(?!\s{1,9}[`\w])"
    r"|\bsame\s{1,9}(?:issue|bug|problem|thing)\s{1,9}as\b|#\s{0,9}\d|/(?:issues|pull)/\d"
)
"""That it repeats another. A word such as *duplicate* alone may be what it is about."""


def words_of(text: str) -> str:
    """The words of a text as a reader sees it, lower case, one blank before and after each: marks, line ends
    and what is hidden do not tell two quotations apart."""
    seen = strip_invisible(without_comments(text))[0]
    return f" {' '.join(_WORD.findall(seen.casefold()))} "


def proves(quote: str, words: str) -> bool:
    """Whether a quotation stands in a text, of which `words_of` is given, and is about the matter: that one
    issue repeats another is what is to be shown. Of a text that is shorter than that it is the whole."""
    quoted = words_of(quote)
    said = quoted.replace(" ", "")
    least = SHORTEST_QUOTE if said.isascii() else SHORTEST_QUOTE // 2
    if not said or len(said) < min(least, len(words.replace(" ", ""))):
        return False
    return quoted in words and not _CLAIM.search(quote.casefold())


def eligible(number: int, issue: KnownIssue, fix: Fix | None, originals: Collection[int]) -> bool:
    """Whether `issue` may be named on that number: it is older, and open or mended. GitHub counts issues up,
    so that no two of them can each be the other's duplicate. One that was closed as the duplicate of another
    leads to that one instead."""
    if issue.number >= number:
        return False
    return issue.state == "open" or fix is not None or not originals


def ordered(same: Collection[int], issues: Mapping[int, KnownIssue]) -> list[int]:
    """Those that say the same, the one to be named first: the oldest that is open, else the newest that was
    mended."""
    still_open = sorted(number for number in same if issues[number].state == "open")
    return still_open + sorted((number for number in same if issues[number].state != "open"), reverse=True)


def root(number: int, claimed: Mapping[int, Sequence[int]]) -> int:
    """Where it leads to in the end what an issue says that it repeats, and that one says, and so on; the
    number itself where it leads nowhere or round in a circle."""
    seen = [number]
    while further := claimed.get(seen[-1]):
        if (following := min(further)) in seen:
            return number
        seen.append(following)
    return seen[-1]


def sure(found: Iterable[Found]) -> list[int]:
    """Those that may be named by their words alone, where no model judges."""
    return [one.number for one in found if one.agreement >= AGREEMENT]
