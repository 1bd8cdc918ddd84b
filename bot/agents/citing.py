"""Citations in an answer, checked while the words come: `[path:12-15 "quoted words"]` becomes `[path:12-15]`
when those lines were shown and hold those words; one that does not stand is left out of the text. Those that
an answer lists beside its text are checked in the same way."""

import re
from collections.abc import Iterable, Sequence

from pydantic import BaseModel

from bot.core.code_search import Citation, Excerpt, stands, unproved
from bot.core.pathnames import resolve, shown
from bot.core.text import close_fences, in_code

_WHOLE = re.compile(
    r"""\[(?P<path>(?:[^\[\]\n"]|\[[^\[\]\n"]*\])+):(?P<start>\d{1,7})(?:-(?P<end>\d{1,7}))?(?:,?\s+"(?P<quote>[^\n]*)")?\]"""
)
_BEGUN = re.compile(r"""\[(?:[^\[\]\n"]|\[[^\[\]\n"]*\])*(?:\[[^\[\]\n"]*|"[^\n]*)?""")
"""Brackets in brackets: `[app/[id]/page.tsx:3]`."""
_NUMBERED = re.compile(r":[0-9]{1,7}(?:-[0-9]{1,7})?\Z")
_LONGEST = 500
MOST_LISTED = 100
"""Places beside one answer: each is looked up."""


class CitationAnswer(BaseModel):
    path: str
    start: int
    end: int
    quote: str = ""


class CitedAnswer(BaseModel):
    """An answer that is asked for whole."""

    answer: str
    citations: list[CitationAnswer] = []


def told(text: str, citations: Sequence[Citation], dropped: int) -> str:
    """A checked answer as a comment says it: its places below it, or that none of them holds."""
    body = close_fences(text.strip()[:6_000])
    if citations:
        body += "\n\nSee " + ", ".join(in_code(str(one)) for one in citations[:8]) + "."
    note = unproved(dropped, len(citations))
    return f"{body}\n\n*{note}*" if note else body


class Citing:
    """`citing(word)` gives what can be shown now; `citations` grows with those that stand."""

    def __init__(self, excerpts: Iterable[Excerpt]) -> None:
        self.citations: list[Citation] = []
        self._shown = tuple(excerpts)
        self._paths = frozenset(excerpt.path for excerpt in self._shown)
        self._fallen: set[str] = set()
        self._beside = 0
        """How many that are listed beside the text do not stand."""
        self._held = ""
        self._gap = False
        """A citation was left out just now, after a space: the next one would be a second."""
        self._last = ""

    def __call__(self, word: str) -> str:
        return "".join(map(self._take, word))

    def whole(self, said: CitedAnswer) -> str:
        """What of a whole answer's text can be shown."""
        text = self(said.answer) + self.rest()
        fallen = frozenset(self._fallen)
        for number, one in enumerate(said.citations):
            path = resolve(one.path, self._paths) or one.path
            citation = Citation(path, one.start, one.end, one.quote.strip())
            if number >= MOST_LISTED or not self._stood(citation):
                self._beside += f"{citation} {citation.quote}" not in fallen
        return text

    @property
    def dropped(self) -> int:
        """How many do not stand."""
        return len(self._fallen) + self._beside

    def rest(self) -> str:
        """What was still held back when the words ended."""
        held, self._held = self._held, ""
        return held

    def _take(self, character: str) -> str:
        if not self._held and self._gap:
            self._gap = False
            if character == " ":
                return ""
        self._held += character
        if character == "]" and (found := self._whole()) is not None:
            return found
        if len(self._held) <= _LONGEST and _BEGUN.fullmatch(self._held):
            return ""
        return self._let_go()

    def _whole(self) -> str | None:
        """What to show where what is held ends with a citation, and None where it does not."""
        at = self._held.find("[")
        while at >= 0:
            if match := _WHOLE.fullmatch(self._held, at):
                return self._judge(match)
            at = self._held.find("[", at + 1)
        return None

    def _let_go(self) -> str:
        """No citation: all is shown but what may begin another."""
        at = self._held.rfind("[")
        keep = len(self._held) if at < 1 or not _BEGUN.fullmatch(self._held[at:]) else at
        told, self._held = self._held[:keep], self._held[keep:]
        self._last = told[-1:]
        return told

    def _judge(self, match: re.Match[str]) -> str | None:
        start = int(match["start"])
        quote = (match["quote"] or "").strip()
        path = self._path(match["path"].strip())
        if path is None and not quote:
            return None  # a slice in code looks like this too: x[start:12]
        before, self._held = self._held[: match.start()], ""
        citation = Citation(path or match["path"], start, int(match["end"] or start), quote)
        if path is None or not self._stood(citation):
            self._fallen.add(f"{citation} {quote}")
            self._gap = (before or self._last)[-1:] in {"", " ", "\n"}
            self._last = (before or self._last)[-1:]
            return before
        self._last = "]"
        return f"{before}[{citation}]"

    def _stood(self, citation: Citation) -> bool:
        """Whether it does; it is then one of `citations`."""
        if not stands(citation, self._shown):
            return False
        if str(citation) not in map(str, self.citations):
            self.citations.append(citation)
        return True

    def _path(self, said: str) -> str | None:
        """The shown file that is meant. `a.py:3` is one by its whole name only: with a line after it, it
        names two lines."""
        path = resolve(said, self._paths)
        numbered = _NUMBERED.search(said) is not None and said not in (path, shown(path or ""))
        return None if numbered else path
