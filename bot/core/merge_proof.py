"""Whether a text for a conflict is what both sides together say, and nothing else: all that either side added
is there and stays together, all that either took away is gone, and no word is in it that neither side wrote.

Lines are compared as they are, but for empty ones, which count for nothing. A line of one side may be missing
where a line that joins it with the other side's change stands for it.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from bot.core.merging import ConflictHunk
from bot.core.text import in_code

MOST_LINES = 300
"""Of each version of a conflict: lines are matched with each other."""
LONGEST = 2_000
"""Characters of a line."""
MOST_JOINED = 60
"""Lines that may be written anew."""
MARKER = re.compile(r"(?:<{7,}|>{7,}|\|{7,}|={7,})(?: |\r?$)")
_TOKEN = re.compile(r"\w+|[^\w\s]")
_FREE = frozenset(",;()[]{}:")
"""What joining two changes may need more, or less, of."""
Lines = Sequence[str]


def holds(hunk: ConflictHunk, text: str, *, once: bool = False) -> str:
    """Why this text may not take the place of the conflict, in a clause that holds nothing of it that neither
    side wrote; empty where it may. `once`: whether a line that both sides add may be there once only."""
    base, ours, theirs, made = (_lines(one) for one in (hunk.base, hunk.ours, hunk.theirs, text))
    if max(map(len, (base, ours, theirs, made))) > MOST_LINES:
        return f"it is longer than {MOST_LINES} lines"
    if any(len(line) > LONGEST for line in made):
        return f"it has a line of more than {LONGEST} characters"
    if any(MARKER.match(line) and line not in (*ours, *theirs) for line in made):
        return "it has a conflict marker"
    if why := _words(base, ours, theirs, made):
        return why
    return _Proof(base, ours, theirs, made, once=once).why()


def _lines(text: str) -> list[str]:
    return [line for line in text.split("\n") if line.strip(" \t\r")]


def _words(base: Lines, ours: Lines, theirs: Lines, made: Lines) -> str:
    """All words of the conflict, counted. Where one side replaced a word throughout, the other side's new
    lines have to follow it."""
    b, s, o, r = (Counter(_tokens("\n".join(one))) for one in (base, ours, theirs, made))
    short = over = 0
    for token in sorted({*b, *s, *o, *r}, key=lambda one: (not one[0].isalpha(), one)):
        least, most = _bounds(b[token], s[token], o[token])
        if r[token] > most:
            renamed = not b[token] and bool(s[token]) != bool(o[token])
            if not renamed and not (b[token] or s[token] or o[token]):
                return "it has a word that neither side wrote"
            if not renamed:
                return f"{in_code(token, 40)} is there too often"
            over += r[token] - most
        if r[token] < least:
            renamed = bool(b[token]) and bool(s[token]) != bool(o[token])
            if not renamed:
                return f"{in_code(token, 40)} is not there as often as both sides say it"
            short += least - r[token]
    return "" if short == over else "words of one side are missing, or there are more of them"


def _bounds(base: int, ours: int, theirs: int) -> tuple[int, int]:
    """How often something has to be there, at least and at most."""
    both = max(0, ours + theirs - base)
    return (max(ours, theirs), both) if ours > base and theirs > base else (both, both)


def _tokens(text: str) -> Iterator[str]:
    return (one for one in _TOKEN.findall(text) if one not in _FREE)


class _Proof:
    def __init__(self, base: Lines, ours: Lines, theirs: Lines, made: Lines, *, once: bool) -> None:
        self.base, self.made, self.once = base, made, once
        self.sides = {"ours": ours, "theirs": theirs}
        self.words = {line: set(_tokens(line)) for one in (base, ours, theirs, made) for line in one}
        self.gone = {side: self._all(base) - self._all(lines) for side, lines in self.sides.items()}
        """Side -> words that it took away altogether."""
        self.joined: dict[str, dict[str, str]] = {"ours": {}, "theirs": {}}
        """Side -> its line -> the line that joins it with the other side's change."""

    def _all(self, lines: Lines) -> set[str]:
        return {token for line in lines for token in self.words[line]}

    def why(self) -> str:
        b, s, o, r = (Counter(one) for one in (self.base, *self.sides.values(), self.made))
        extra: list[str] = []
        missing: list[tuple[str, str]] = []
        for line in dict.fromkeys((*b, *s, *o, *r)):
            least, most = _bounds(b[line], s[line], o[line])
            least = least if self.once else most
            if r[line] > most:
                extra += [line] * (r[line] - most)
            elif r[line] < least:
                if s[line] <= b[line] and o[line] <= b[line]:
                    return f"a line that both sides keep is gone: {in_code(line.strip(), 80)}"
                side = "ours" if s[line] > b[line] else "theirs"
                missing += [(side, line)] * (least - r[line])
        return self._join(missing, extra) or self._together("ours") or self._together("theirs")

    def _join(self, missing: list[tuple[str, str]], extra: list[str]) -> str:
        """Each missing line has one that joins it with the other side's change, and each line that no side
        has joins some."""
        if len(missing) > MOST_JOINED:
            return f"more than {MOST_JOINED} lines are written anew"
        if extra and (both := sorted(self.gone["ours"] & self.gone["theirs"])):
            return f"both sides replace {in_code(both[0], 40)}"
        left = {side: Counter(self.made) for side in self.sides}
        joins: dict[str, list[str]] = {line: [] for line in extra}
        for side, line in missing:
            free = [
                one for one in dict.fromkeys(self.made) if left[side][one] and self._joins(side, line, one)
            ]
            best = next((one for one in free if one in extra), None) or next(iter(free), None)
            if best is None:
                return f"a line of one side is gone: {in_code(line.strip(), 80)}"
            left[side][best] -= 1
            joins.setdefault(best, []).append(line)
            self.joined[side][line] = best
        for line in extra:
            told = {token for one in joins[line] for token in self.words[one]}
            here = self.words[line]
            if not joins[line] or len(here - told) > len(told - here) or _moved(line, joins[line]):
                return "it has a line that neither side wrote, and that joins none of both"
        return ""

    def _joins(self, side: str, line: str, one: str) -> bool:
        """Whether a line of what was made says what a line of one side does, but for what the other side took
        away."""
        other = "theirs" if side == "ours" else "ours"
        if one in self.sides[side] or one in self.base:
            return False
        if one in self.sides[other] and _indent(one) != _indent(line):
            return False
        needed = self.words[line] - self.gone[other]
        return any(token[0].isalnum() or token[0] == "_" for token in needed) and needed <= self.words[one]

    def _together(self, side: str) -> str:
        """What a side added in one piece is in one piece still, and in the same order."""
        mine, other = self.sides[side], self.sides["theirs" if side == "ours" else "ours"]
        kept = set(other) | set(mine) - set(self.base)
        at = 0
        for own, added in _runs(self.base, mine):
            run = [self.joined[side].get(line, line) for line in own if added or line in kept]
            for piece in [run] if added and not self.once else [[line] for line in run]:
                found = _find(self.made, piece, 0 if self.once else at)
                if found < 0:
                    first = in_code(own[0].strip(), 80)
                    return f"what one side wrote in one piece is taken apart: {first}"
                at = found + len(piece)
        return ""


def _moved(line: str, joined: Lines) -> bool:
    """Whether it is blanks alone that make it another line than those that it joins. It is indented as one of
    them; where it says what one of them does, it is so as the other is."""
    if _indent(line) not in map(_indent, joined):
        return True
    return len(set(joined)) < 2 and "".join(line.split()) == "".join(joined[0].split())


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _find(lines: Lines, piece: Lines, at: int) -> int:
    """Where these lines stand one below the other; -1: nowhere."""
    if not piece:
        return at
    places = range(at, len(lines) - len(piece) + 1)
    return next((n for n in places if list(lines[n : n + len(piece)]) == list(piece)), -1)


def _runs(base: Lines, side: Lines) -> Iterator[tuple[list[str], bool]]:
    """A side's lines in turns: those that the base has, and those that were added."""
    run: list[str] = []
    was = False
    for line, added in _marked(base, side):
        if run and added != was:
            yield run, was
            run = []
        run.append(line)
        was = added
    if run:
        yield run, was


def _marked(base: Lines, side: Lines) -> list[tuple[str, bool]]:
    """Each line of a side, and whether it was added: by a longest common subsequence."""
    table = [[0] * (len(base) + 1) for _ in range(len(side) + 1)]
    for i in range(len(side) - 1, -1, -1):
        for j in range(len(base) - 1, -1, -1):
            same = side[i] == base[j]
            table[i][j] = table[i + 1][j + 1] + 1 if same else max(table[i + 1][j], table[i][j + 1])
    marked, i, j = [], 0, 0
    while i < len(side):
        if j < len(base) and side[i] == base[j]:
            marked.append((side[i], False))
            i, j = i + 1, j + 1
        elif j < len(base) and table[i][j + 1] >= table[i + 1][j]:
            j += 1
        else:
            marked.append((side[i], True))
            i += 1
    return marked
