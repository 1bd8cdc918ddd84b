"""Which of several equal places in a file a finding is about."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from bot.core.findings import Finding, bare, fingerprint, own, plain
from bot.core.memory import code_words
from bot.core.source import Chunk

TOP = "<top>"
"""The symbol of what stands in none."""
MOST = 1_000
"""Equal places that are told apart."""
LONGEST = 8
"""Lines of dismissed code that is looked for."""


@dataclass(slots=True)
class Code:
    """A file's lines, to be looked up by what stands on them; white space aside."""

    text: str
    symbols: Sequence[Chunk] = ()
    _lines: list[str] = field(default_factory=list)
    _at: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    _words: list[frozenset[str]] = field(default_factory=list)
    _spans: dict[frozenset[str], list[tuple[int, int]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._lines = [bare(line) for line in self.text.split("\n")]
        for number, line in enumerate(self._lines, 1):
            self._at[line].append(number)

    def placed(self, finding: Finding) -> Finding:
        """With its symbol, and its place among equal code in it."""
        if finding.line is None or finding.line > len(self._lines):
            return finding
        known = own(finding)
        start = known.start_line or finding.line
        symbol, first = self._symbol(start)
        ordinal = sum(1 for _ in self._equal(known, first, start - 1))
        return replace(finding, symbol=symbol, ordinal=ordinal)

    def is_first(self, finding: Finding) -> bool:
        """Whether no equal code stands above it in the file."""
        finding = own(finding)
        start = finding.start_line or finding.line or 1
        return finding.line is None or not any(self._equal(finding, 1, start - 1))

    def is_only(self, finding: Finding) -> bool:
        """Whether no equal code stands anywhere else in the file."""
        finding = own(finding)
        if finding.line is None:
            return True
        return self.is_first(finding) and not any(self._equal(finding, finding.line + 1, len(self._lines)))

    def holds_elsewhere(self, words: Sequence[str], finding: Finding) -> bool:
        """Whether code of exactly these words stands on other lines than the finding's."""
        key = frozenset(words)
        if key not in self._spans:
            self._spans[key] = list(self._of_words(key))
        last = finding.line or 0
        first = finding.start_line or last
        return any(end < first or start > last for start, end in self._spans[key])

    def _of_words(self, wanted: frozenset[str]) -> Iterator[tuple[int, int]]:
        self._words = self._words or [frozenset(code_words(line)) for line in self.text.split("\n")]
        for first, begin in enumerate(self._words):
            held = begin
            for last in range(first, min(first + LONGEST, len(self._words))) if begin else ():
                held |= self._words[last]
                if not held <= wanted:
                    break
                if held == wanted:
                    yield first + 1, last + 1
                    break

    def _symbol(self, line: int) -> tuple[str, int]:
        """The innermost one that holds a line, and where it begins."""
        inside = [one for one in self.symbols if one.symbol and one.start <= line <= one.end]
        if not inside:
            return TOP, 1
        name = max(inside, key=lambda one: one.start).symbol
        return name, min(one.start for one in self.symbols if one.symbol == name)

    def _equal(self, finding: Finding, first: int, last: int) -> Iterator[int]:
        """Lines from `first` to `last` at which the finding's code begins too."""
        end = finding.line or 1
        start = finding.start_line or end
        wanted, quote = self._lines[start - 1 : end], bare(finding.quote)
        if len(wanted) == 1 and quote and quote != wanted[0] and quote in wanted[0]:
            found = (n for n in range(first, last + 1) if quote in self._lines[n - 1])
        else:
            size = len(wanted)
            found = (
                n
                for n in self._at.get(wanted[0] if wanted else "", ())
                if first <= n <= last and self._lines[n - 1 : n - 1 + size] == wanted
            )
        for _, number in zip(range(MOST), found, strict=False):
            yield number


def once(finding: Finding) -> str:
    """Names a point whose code stands only once in its file, whichever symbol that is in now."""
    return f"once {fingerprint(plain(finding, content=True))}"
