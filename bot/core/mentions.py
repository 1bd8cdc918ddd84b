"""What a text of an issue, a pull request or a commit says of other issues: that it fixes, blocks, waits for,
repeats or merely mentions them. What is quoted, code or hidden says nothing.

GitHub's own reading: https://docs.github.com/en/issues/tracking-your-work-with-issues
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from bot.core.markdown_blocks import read
from bot.core.text import code_spans

Relation = Literal["fixes", "blocks", "blocked_by", "duplicates", "mentions"]

MOST_CHARS = 65_536
MOST_MENTIONS = 200
_NAME = r"[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}"
_REFERENCE = re.compile(
    rf"(?<![\w/#&.-])(?:(?:(?P<repo>{_NAME})?\#|GH-)(?P<number>[1-9]\d{{0,8}})"
    rf"|https?://[\w.:-]{{1,100}}/(?P<of>{_NAME})/(?:issues|pull)/(?P<at>[1-9]\d{{0,8}}))(?![\w-])",
    re.IGNORECASE,
)
_WORDS: tuple[tuple[Relation, str], ...] = (
    ("fixes", r"close[sd]?|fix(?:e[sd])?|resolve[sd]?"),
    ("duplicates", r"(?:a\s+)?dup(?:licate)?s?(?:\s+of)?"),
    ("blocked_by", r"(?:blocked|held\s+up)\s+(?:by|on)|depend(?:s|ent|ing)?\s+(?:up)?on"),
    ("blocked_by", r"waiting\s+(?:for|on)|requires|needs"),
    ("blocks", r"block(?:s|ing|er\s+(?:of|for))|prerequisite\s+(?:of|for)|(?:required|needed)\s+(?:by|for)"),
)
_NOT = r"\b(?:not|no\s+longer|never|without)\s+(?:be\s+|being\s+|been\s+)?|n['\u2019]t\s+(?:be\s+)?"
_AFTER = (
    r"\**\s*:?\**\s*(?:[-*+]\s+(?:\[[ xX]\]\s+)?)?"
    r"(?:(?:the\s+)?(?:issues?|prs?|pull\s+requests?)\s*:?\s+)?\Z"
)
_LEADING = re.compile(
    rf"(?P<not>{_NOT})?(?<![\w-])(?:"
    + "|".join(f"(?P<w{n}>{words})" for n, (_, words) in enumerate(_WORDS))
    + f"){_AFTER}",
    re.IGNORECASE,
)
_AUX = (
    r"(?:(?:which|that|itself|is|are|was|were|will|would|be|been|being|has|have|had|still|also|now|currently"
    r"|actually|really|not)\s{1,5})"
)
_ANOTHER = re.compile(
    rf"(?:,\s{{1,5}}(?=which|that)|[ \t]{{1,5}}){_AUX}{{0,4}}\Z|\n[ \t]{{0,5}}{_AUX}{{1,4}}\Z", re.IGNORECASE
)
"""Between a reference and a word behind it of which it is the subject: `#5 is blocked by #3`."""
_ONCE = re.compile(
    r"(?<![\w-])(?:after|once|until|as\s{1,5}soon\s{1,5}as)\s{1,5}(?:the\s{1,5})?\Z", re.IGNORECASE
)
_ENDED = re.compile(
    r"(?:\s{0,3},?\s{0,3}(?:and|or|&)?\s{0,3}#[0-9]{1,9}){0,5}\s{1,5}"
    r"(?:(?:is|are|was|were|gets|got|has|have|been|being)\s{1,5}){0,3}"
    r"(?:merge[sd]|close[sd]|done|fixed|lands?|landed|ship(?:s|ped)|released|resolved|finished|in\b)",
    re.IGNORECASE,
)
"""`after #3 is merged`, `once #3 and #4 land`."""
_ITEM = re.compile(r"\n[ \t]{0,20}(?:[-*+]|\d{1,9}[.)])[ \t]")
_BLANK = re.compile(r"\n[ \t]{0,80}\n")
_BETWEEN = re.compile(r"[\s,;&+*-]*(?:\[[ xX]\]\s*)?(?:and|or)?\s*\Z", re.IGNORECASE)
_BEFORE = 80
"""Characters before a reference in which its relation is looked for."""
_BRANCH = re.compile(
    r"(?:^|[/_-])(?:gh|issues?|fix|bug|ticket)?[-_#]?([1-9]\d{0,6})(?=$|[/_-])", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Mention:
    """`issue` is `12` in the same repository, `owner/name#12` (lower case) in another."""

    relation: Relation
    issue: str


def mentions(text: str, full_name: str = "") -> tuple[Mention, ...]:
    """Each issue with each relation once, in the order of the text; `full_name` is the repository whose text
    it is. At most 200. A list after one word (`blocked by #1, #2 and o/r#3`) has its relation."""
    found: dict[Mention, None] = {}
    for _, mention in placed(prose(text[:MOST_CHARS]), full_name):
        found[mention] = None
        if len(found) >= MOST_MENTIONS:
            break
    said_more = {mention.issue for mention in found if mention.relation != "mentions"}
    return tuple(one for one in found if one.relation != "mentions" or one.issue not in said_more)


def placed(said: str, full_name: str = "") -> Iterator[tuple[int, Mention]]:
    """Each reference of a `prose` text with its place in it."""
    relation: Relation = "mentions"
    end, in_list = 0, False
    for reference in _REFERENCE.finditer(said):
        between = said[max(end, reference.start() - _BEFORE) : reference.start()]
        near = bool(end) and reference.start() - end < _BEFORE
        item = _ITEM.search(between) is not None
        apart = (item and not in_list) or (not item and _BLANK.search(between) is not None)
        if not near or apart or not _BETWEEN.match(between):
            relation = _relation(between, behind=near)
            if relation == "mentions" and _ONCE.search(between) and _ENDED.match(said, reference.end()):
                relation = "blocked_by"
        in_list = item or (in_list and "\n" not in between)
        yield reference.start(), Mention(relation, _name(reference, full_name))
        end = reference.end()


def in_branch(branch: str) -> tuple[int, ...]:
    """The numbers that a branch is named after: `fix/12-burnt-tea`, `gh-12`, `issue_12`."""
    return tuple(dict.fromkeys(int(found[1]) for found in _BRANCH.finditer(branch[:250])))


def prose(text: str) -> str:
    """Without code, quotes, raw HTML and HTML comments; what is left keeps its lines."""
    lines = [
        line if block.kind in ("prose", "heading") and not block.quoted else "" for line, block in read(text)
    ]
    said = "\n".join(lines)
    kept, done = [], 0
    for start, end in code_spans(said):
        kept += [said[done:start], "`"]
        done = end
    return without_comments("".join([*kept, said[done:]]))


def without_comments(text: str) -> str:
    """Without HTML comments, which nobody sees on the page."""
    kept, done = [], 0
    while (start := text.find("<!--", done)) >= 0 and (end := text.find("-->", start)) >= 0:
        kept.append(text[done:start])
        done = end + 3
    return "".join([*kept, text[done:]])


def _relation(before: str, *, behind: bool = False) -> Relation:
    """Of what follows; `behind`: right before these words stands another reference."""
    found = _LEADING.search(before)
    if found is None or found["not"]:
        return "mentions"
    relation = next(relation for n, (relation, _) in enumerate(_WORDS) if found[f"w{n}"])
    is_anothers = behind and relation != "fixes" and _ANOTHER.match(before[: found.start()])
    return "mentions" if is_anothers else relation


def _name(reference: re.Match[str], full_name: str) -> str:
    repo = (reference["repo"] or reference["of"] or full_name).lower()
    number = reference["number"] or reference["at"]
    return number if repo == full_name.lower() else f"{repo}#{number}"
