"""Why something was found, in words for a person."""

import re
from collections.abc import Iterable, Iterator, Mapping

from bot.core.text import cut
from bot.knowledge.parsing.tokens import tokens
from bot.knowledge.search.signals import SearchSignals

MOST_WORDS, MOST_COMMITS = 6, 2
_WORD = re.compile(r"\w+")


def spoken(query: str) -> dict[str, str]:
    """token -> the first word of the query that it is of."""
    found: dict[str, str] = {}
    for word in dict.fromkeys(_WORD.findall(query)):
        for token in tokens(word):
            found.setdefault(token, word.casefold())
    return found


def of_words(terms: Iterable[str], words: Mapping[str, str]) -> tuple[str, ...]:
    """The terms as they were written in the query."""
    written = list(dict.fromkeys(words.get(term, term) for term in terms))
    return (f"words: {', '.join(written[:MOST_WORDS])}",) if written else ()


def of_file(path: str, signals: SearchSignals, words: Mapping[str, str]) -> Iterator[str]:
    """All but the words of the passage itself."""
    if names := signals.named.get(path):
        yield f"named in the query: {', '.join(names[:MOST_WORDS])}"
    if path in signals.parts.get("path", {}):
        here = set(tokens(path))
        said = dict.fromkeys(words.get(term, term) for term in signals.asked.terms if term in here)
        yield f"in its path: {', '.join(list(said)[:MOST_WORDS])}"
    touching = [commit for commit in signals.commits if path in commit.paths]
    for commit in touching[:MOST_COMMITS]:
        yield f'touched by {commit.sha[:7]} "{cut(commit.subject, 60, end="…")}"'
    if path in signals.parts.get("vector", {}):
        yield "close in meaning"
