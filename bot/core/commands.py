"""`@hob review …`, parsed: where in a comment a command may stand, and what it says.

A command begins a line (up to three blanks before it), outside block quotes, code, and HTML comments
(https://github.github.com/gfm/). It is `@slug name argument` or `/hob name argument`. A mention at such a
place with any other text is a question.
"""

import re
from collections import Counter
from dataclasses import dataclass

MOST_COMMANDS = 5
"""In one comment; the rest is not read."""
MOST_CHARS = 65_536


@dataclass(frozen=True, slots=True)
class Command:
    """One command of a comment. `name` is as written after the mention, lower case; `ask` for a bare
    mention with other text; `argument` is the rest of the line (for `ask`: the rest of the comment)."""

    name: str
    argument: str = ""


FENCE = re.compile(r" {0,3}(?:[-*+] +|\d{1,9}[.)] +)*(`{3,}|~{3,})(.*)")
"""Also where a list item begins: what stands in it is code all the same."""
INDENTED = ("    ", "\t", " \t", "  \t", "   \t")
"""Code after an empty line, and nowhere a place for a command."""
WORD = re.compile(r"[a-z][a-z-]{0,30}")


def parse_commands(
    body: str, slug: str, previous: str | None = None, *, known: frozenset[str] = frozenset()
) -> tuple[Command, ...]:
    """The commands of a comment in their order, each once; after an edit (`previous`) only those that it
    added.

    `known`: the words that are commands. Any other word after `/hob` stands as it is, for help to answer;
    after a mention it begins a question.
    """
    said = _said(body, slug, known)
    if previous is not None:
        before = Counter(_said(previous, slug, known))
        said = [command for command in said if not _take(before, command)]
    return tuple(dict.fromkeys(said))[:MOST_COMMANDS]


def _take(before: Counter[Command], command: Command) -> bool:
    """Whether the command stood there before the edit, as often as it is asked for."""
    before[command] -= 1
    return before[command] >= 0


def _said(body: str, slug: str, known: frozenset[str]) -> list[Command]:
    mention = re.compile(
        rf" {{0,3}}(?:@{re.escape(slug)}(?:\[bot\])?|(/hob))(?=[\s,:]|$)[,:]?[ \t]*(.*)", re.IGNORECASE
    )
    lines = plain_lines(body[:MOST_CHARS])
    found: list[Command] = []
    for place, line in enumerate(lines):
        match = mention.fullmatch(line) if slug or "/hob" in line.lower() else None
        if match is None:
            continue
        found.append(_command(match[2].strip(), bool(match[1]), lines[place + 1 :], known, mention))
    return found


def _command(
    said: str, slash: bool, after: list[str], known: frozenset[str], mention: re.Pattern[str]
) -> Command:
    word, _, rest = said.partition(" ")
    name = word.lower().rstrip(".!")
    if name in known and name != "ask":
        return Command(name, rest.strip())
    if slash and name != "ask" and (not name or WORD.fullmatch(name)):
        return Command(name or "help", rest.strip())
    question = [rest if name == "ask" else said]
    for line in after:
        if mention.fullmatch(line):
            break
        question.append(line)
    text = "\n".join(question).strip()
    return Command("ask", text) if text or name == "ask" else Command("help")


def plain_lines(body: str) -> list[str]:
    """The comment's lines with those emptied that are quoted, code, or inside an HTML comment."""
    result: list[str] = []
    fence = ""
    hidden = False
    for line in body.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        kept = ""
        match = FENCE.fullmatch(line)
        if fence:
            if match and match[1].startswith(fence) and not match[2].strip():
                fence = ""
        elif hidden:
            hidden = "-->" not in line
        elif match and not (match[1][0] == "`" and "`" in match[2]):
            fence = match[1]
        elif "<!--" in line:
            hidden = "-->" not in line.partition("<!--")[2]
        elif not line.lstrip(" ").startswith(">") and not line.startswith(INDENTED):
            kept = line
        result.append(kept)
    return result
