"""What free text to Hob asks for: which command, with which argument. Here are the rules that need no model,
and what holds for a model's choice too: a command counts only where it was offered to this very person, and
an argument only where it is made of the person's own words.

The rules know a few dozen ways to ask in several languages. They are sure of a short text that asks for one
thing, not in the negative and not for a reason, and have a guess at a longer one.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from bot.core.commands import prose_of
from bot.core.intent_words import negative, reason, ways
from bot.core.text import strip_invisible

MOST_SAID = 1_000
"""Characters of a person's words that are looked at."""
MOST_ARGUMENT = 200
_SURE_WITHIN = 140
"""Characters of a text in which one way to ask is all that it says."""


@dataclass(frozen=True, slots=True)
class OfferedCommand:
    """A command that the person who speaks may give here. `reads`: it answers, and changes nothing else."""

    name: str
    help: str
    reads: bool = False


@dataclass(frozen=True, slots=True)
class Intent:
    """A command and its argument; without a name a question. `sure`: no model need be asked."""

    name: str = ""
    argument: str = ""
    sure: bool = False

    @property
    def line(self) -> str:
        """As a person would write it after the mention."""
        return f"{self.name} {self.argument}".strip()


QUESTION = Intent()


def own_words(text: str) -> str:
    """What the person says themselves, in at most `MOST_SAID` characters: neither what they quote, nor code
    blocks, nor what no reader sees."""
    return strip_invisible(prose_of(text))[0].strip()[:MOST_SAID]


def by_rules(said: str, offered: Iterable[OfferedCommand]) -> Intent:
    """Of a person's own words."""
    text = _plain(said)
    if not text:
        return QUESTION
    found = [name for name, pattern in ways().items() if pattern.search(text)]
    if len(found) != 1 or all(one.name != found[0] for one in offered):
        return QUESTION
    if reason().match(text) or negative().search(text):
        return QUESTION
    return Intent(found[0], _argument(found[0], said), sure=len(text) <= _SURE_WITHIN)


def checked(meant: Intent, said: str, offered: Iterable[OfferedCommand]) -> Intent:
    """The intent, where its command is among those offered and its argument made of the person's own words;
    else a question. A command that only reads is taken without an argument that is not theirs."""
    name = meant.name.strip().removeprefix("/hob").lstrip("/").strip()
    command = next((one for one in offered if one.name == name), None)
    if command is None:
        return QUESTION
    words = strip_invisible(" ".join(meant.argument.split()))[0]
    argument = words if len(words) <= MOST_ARGUMENT and _stands_in(words, said) else ""
    if words and not argument and not command.reads:
        return QUESTION
    return replace(meant, name=name, argument=argument)


def _stands_in(argument: str, said: str) -> bool:
    """Whether each word of the argument is one of the person's, in their order."""
    text, at = " ".join(said.split()).casefold(), 0
    for word in argument.casefold().split():
        at = _next(text, word, at)
        if at < 0:
            return False
    return True


def _next(text: str, word: str, at: int) -> int:
    """Where `word` ends in `text` from there on, as a whole word where letters of an alphabet or digits would
    go on; -1 where it does not stand."""
    while (start := text.find(word, at)) >= 0:
        at = start + len(word)
        before, after = text[start - 1 : start], text[at : at + 1]
        if not (_glued(before, word[0]) or _glued(word[-1], after)):
            return at
    return -1


def _glued(left: str, right: str) -> bool:
    return all(char.isalnum() and char < "\u2e80" for char in (left or " ", right or " "))


def _plain(said: str) -> str:
    text = unicodedata.normalize("NFKC", said[:MOST_SAID]).casefold().replace("\u2019", "'")
    return " ".join(_MARKS.sub(" ", text).split())


_MARKS = re.compile(r"[^\w'#/.+-]+|(?<!\w)[.'-]|[.'-](?!\w)")
_NUMBER = re.compile(r"#?\b([0-9]{1,9})\b")
_DATE = re.compile(r"\b[0-9]{4}-[0-9]{2}-[0-9]{2}\b")
_PATH = re.compile(
    r"(?<![\w/.])[\w.-]{1,100}(?:/[\w.-]{1,100}){0,20}\.[A-Za-z]\w{0,9}(?::[0-9]{1,7}(?:-[0-9]{1,7})?)?"
)
_MILESTONE = re.compile(r"\b(?:v[0-9][\w.-]{0,20}|[0-9]{1,4}(?:\.[0-9]{1,4}){1,3})(?![\w-])")
_TAKES: Mapping[str, re.Pattern[str]] = {
    "fix": _NUMBER,
    "catch-up": _DATE,
    "standup": _MILESTONE,
    "blockers": _MILESTONE,
    "explain": _PATH,
}
"""What is taken out of the words as an argument, where there is one of it."""


def _argument(name: str, said: str) -> str:
    takes = _TAKES.get(name)
    found = [one.group() for one in takes.finditer(said[:MOST_SAID])] if takes else []
    return found[0].removesuffix(".") if len(found) == 1 else ""
