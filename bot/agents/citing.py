"""Citations in an answer, checked while the words come: `[path:12-15 "quoted words"]` becomes `[path:12-15]`
when those lines were shown and hold those words; one that does not stand is left out of the text. The same of
issues and pull requests (`[#12 "words"]`), commits (`[1a2b3c4 "words"]`) and releases (`[v1.0 "words"]`).
Those that an answer lists beside its text are checked in the same way."""

import re
from collections.abc import Iterable, Sequence

from pydantic import BaseModel

from bot.core.code_search import Citation, Excerpt, SourceKind, found_in, stands, unproved
from bot.core.pathnames import resolve, shown
from bot.core.text import close_fences, in_code

_WHOLE = re.compile(
    r"""\[(?P<path>(?:[^\[\]\n"]|\[[^\[\]\n"]*\])+):(?P<start>\d{1,7})(?:-(?P<end>\d{1,7}))?(?:,?\s+"(?P<quote>[^\n]*)")?\]"""
)
_RECORD = re.compile(
    r"""\[(?:(?P<kind>issue|pull request|pull|pr|commit|release|tag)\s{1,3})?"""
    r"""(?P<name>[^\s\[\]":]{1,100})(?::[0-9]{1,7}(?:-[0-9]{1,7})?)?(?:,?\s+"(?P<quote>[^\n]*)")?\]""",
    re.IGNORECASE,
)
_ISSUE = re.compile(r"#?([1-9][0-9]{0,8})")
_COMMIT = re.compile(r"(?=[0-9a-f]*[0-9])(?=[0-9a-f]*[a-f])[0-9a-f]{7,64}")
_BEGUN = re.compile(r"""\[(?:[^\[\]\n"]|\[[^\[\]\n"]*\])*(?:\[[^\[\]\n"]*|"[^\n]*)?""")
"""Brackets in brackets: `[app/[id]/page.tsx:3]`."""
_NUMBERED = re.compile(r":[0-9]{1,7}(?:-[0-9]{1,7})?\Z")
_LONGEST = 500
MOST_LISTED = 100
"""Places beside one answer: each is looked up."""


class CitationAnswer(BaseModel):
    """`path` is also `#12`, a commit's id or a release's tag; then lines need not be named."""

    path: str
    start: int = 0
    end: int = 0
    quote: str = ""


class CitedAnswer(BaseModel):
    """An answer that is asked for whole."""

    answer: str
    citations: list[CitationAnswer] = []


def told(text: str, citations: Sequence[Citation], dropped: int, strict: bool = False) -> str:
    """A checked answer as a comment says it: its places below it, or that none of them holds; `strict`: it
    had to cite something."""
    body = close_fences(text.strip()[:6_000])
    if citations:
        body += "\n\nSee " + ", ".join(in_code(str(one)) for one in citations[:8]) + "."
    note = unproved(dropped, len(citations), strict)
    return f"{body}\n\n*{note}*" if note else body


class Citing:
    """`citing(word)` gives what can be shown now; `citations` grows with those that stand."""

    def __init__(self, excerpts: Iterable[Excerpt]) -> None:
        self.citations: list[Citation] = []
        self._shown = tuple(excerpts)
        self._paths = frozenset(excerpt.path for excerpt in self._shown if excerpt.kind == "file")
        self._records = {
            (one.kind, one.path.casefold()): one.path for one in self._shown if one.kind != "file"
        }
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
            quote = one.quote.strip()
            if record := self._record("", one.path.strip(), at=one.start):
                citation = Citation(record[1], 0, 0, quote, record[0])
            else:
                citation = Citation(resolve(one.path, self._paths) or one.path, one.start, one.end, quote)
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
            record = _RECORD.fullmatch(self._held, at)
            if record and (found := self._record(record["kind"] or "", record["name"], record["quote"])):
                return self._settle(
                    record, Citation(found[1], 0, 0, (record["quote"] or "").strip(), found[0])
                )
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
        return self._settle(match, Citation(path or match["path"], start, int(match["end"] or start), quote))

    def _settle(self, match: re.Match[str], citation: Citation) -> str:
        """What is shown in a citation's place, after what was held before it."""
        before, self._held = self._held[: match.start()], ""
        if not self._stood(citation):
            self._fallen.add(f"{citation} {citation.quote}")
            self._gap = (before or self._last)[-1:] in {"", " ", "\n"}
            self._last = (before or self._last)[-1:]
            return before
        self._last = "]"
        return f"{before}[{citation}]"

    def _stood(self, citation: Citation) -> bool:
        """Whether it does; it is then one of `citations`."""
        if citation.kind != "file":
            found = found_in(self._shown, citation.kind, citation.path, citation.quote)
            if found is None:
                return False
            citation = found
        elif not stands(citation, self._shown):
            return False
        if str(citation) not in map(str, self.citations):
            self.citations.append(citation)
        return True

    def _record(
        self, kind: str, said: str, quote: str | None = None, at: int = 0
    ) -> tuple[SourceKind, str] | None:
        """What is meant where it is no file: an issue by its number, a commit by the beginning of its id, a
        release by its tag. None for what need not be a citation at all. `at`: a line that was named."""
        said, kind = said.strip("`"), kind.casefold()
        if said in self._paths:
            return None
        issue = _ISSUE.fullmatch(said)
        if issue and (said.startswith("#") or kind in ("issue", "pull request", "pull", "pr")):
            return "issue", f"#{issue[1]}"
        commit = said.casefold()
        if kind == "commit" or (not kind and not at and _COMMIT.fullmatch(commit)):
            named = [path for (one, _), path in self._records.items() if one == "commit"]
            meant = [path for path in named if len(commit) >= 7 and path.startswith(commit)]
            return "commit", meant[0] if len(meant) == 1 else commit
        tag = self._records.get(("release", said.casefold()))
        if tag is None and kind not in ("release", "tag"):
            return None
        return "release", tag or said

    def _path(self, said: str) -> str | None:
        """The shown file that is meant. `a.py:3` is one by its whole name only: with a line after it, it
        names two lines."""
        path = resolve(said, self._paths)
        numbered = _NUMBERED.search(said) is not None and said not in (path, shown(path or ""))
        return None if numbered else path
