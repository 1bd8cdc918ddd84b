"""Citations in an answer, checked while the words come: `[path:12-15 "quoted words"]` becomes `[path:12-15]`
when those lines were shown and hold those words; one that does not stand is left out of the text."""

import re
from collections.abc import Iterable

from bot.core.library import Citation, Excerpt, stands

_WHOLE = re.compile(
    r"""\[(?P<path>[^\[\]\n:"`]+):(?P<start>\d{1,7})(?:-(?P<end>\d{1,7}))?(?:,?\s+"(?P<quote>[^\n]*)")?\]"""
)
_BEGUN = re.compile(r"""\[[^\[\]\n"]*(?:"[^\n]*)?""")
_LONGEST = 500


class Citing:
    """`citing(word)` gives what can be shown now; `citations` grows with those that stand."""

    def __init__(self, shown: Iterable[Excerpt]) -> None:
        self.citations: list[Citation] = []
        self._shown = tuple(shown)
        self._paths = frozenset(excerpt.path for excerpt in self._shown)
        self._held = ""
        self._gap = False
        """A citation was left out just now, after a space: the next one would be a second."""
        self._last = ""

    def __call__(self, word: str) -> str:
        return "".join(map(self._take, word))

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
        if match := _WHOLE.fullmatch(self._held):
            return self._judge(match)
        if len(self._held) <= _LONGEST and _BEGUN.fullmatch(self._held):
            return ""
        return self._let_go()

    def _let_go(self) -> str:
        """No citation: all is shown but what may begin another."""
        at = self._held.rfind("[")
        keep = len(self._held) if at < 1 or not _BEGUN.fullmatch(self._held[at:]) else at
        shown, self._held = self._held[:keep], self._held[keep:]
        self._last = shown[-1:]
        return shown

    def _judge(self, match: re.Match[str]) -> str:
        start = int(match["start"])
        quote = (match["quote"] or "").strip()
        citation = Citation(match["path"].strip(), start, int(match["end"] or start), quote)
        if citation.path not in self._paths and not quote:
            return self._let_go()  # a slice in code looks like this too: x[start:12]
        self._held = ""
        if not stands(citation, self._shown):
            self._gap = self._last in {"", " ", "\n"}
            return ""
        if str(citation) not in map(str, self.citations):
            self.citations.append(citation)
        self._last = "]"
        return f"[{citation}]"
