"""Where an answer that broke off is carried on: what is said twice is cut.

A model that is asked to go on may repeat its last words, begin from the start, or begin anew in other words.
"""

ANEW = "\n\n*(The answer broke off here. What follows begins it anew.)*\n\n"
HELD = 60
"""Characters of what is said next that are held back at first, for as long as they may be said already."""
MOST_HELD = 20_000
LEAST_OVERLAP = 3
"""Characters: fewer are the same by chance."""
_ALIKE = 20
"""Characters that nobody says twice by chance."""


class Joining:
    """`joining(words)` gives what can be shown now of what is said after `said`."""

    def __init__(self, said: str) -> None:
        self._said = said
        self._held = ""
        self._look = HELD
        self.done = False

    def __call__(self, words: str) -> str:
        if self.done:
            return words
        self._held += words
        if len(self._held) < self._look:
            return ""
        if len(self._held) < MOST_HELD and self._held.strip() in self._said[-2 * MOST_HELD :]:
            self._look = 2 * len(self._held)  # not at each word: that would be slow
            return ""
        return self.rest()

    def rest(self) -> str:
        """What is shown of what was held back, when no more is waited for."""
        held, self._held, self.done = self._held, "", True
        return joined(self._said, held)


def joined(said: str, more: str) -> str:
    """What follows `said`, of an answer to being asked to go on."""
    begun = more.lstrip()
    first = said.lstrip()
    same = _same(first, begun)
    if same == len(begun):
        return more if len(begun) < LEAST_OVERLAP else ""
    if same >= LEAST_OVERLAP and same >= len(first.rstrip()):
        return begun[same:]
    for before in (said, said.rstrip()):
        if overlap := _overlap(before, begun):
            return begun[overlap:]
    again = same >= _ALIKE // 2 or (len(begun) >= _ALIKE and begun[:_ALIKE] in said)
    return ANEW + begun if again else more


def _same(one: str, other: str) -> int:
    """How many characters at the beginning are the same."""
    least = min(len(one), len(other))
    return next((at for at in range(least) if one[at] != other[at]), least)


def _overlap(said: str, more: str) -> int:
    """How many characters of the end of the one begin the other; a few count from the beginning of a word
    on only. 0 where they are too few."""
    more = more[:MOST_HELD]
    said = said[-len(more) - 1 :]
    fallback = _fallbacks(more)
    length = 0
    for character in said:
        while length and (length == len(more) or more[length] != character):
            length = fallback[length - 1]
        length += bool(more) and more[length] == character
    while 0 < length < _ALIKE and not _begins_word(said, len(said) - length):
        length = fallback[length - 1]
    return length if len(more[:length].strip()) >= LEAST_OVERLAP else 0


def _fallbacks(text: str) -> list[int]:
    """Of each beginning of a text, how long its longest end is that begins it too (Knuth, Morris, Pratt)."""
    found = [0] * len(text)
    length = 0
    for at in range(1, len(text)):
        while length and text[at] != text[length]:
            length = found[length - 1]
        length += text[at] == text[length]
        found[at] = length
    return found


def _begins_word(text: str, at: int) -> bool:
    return at == 0 or not (text[at - 1].isalnum() and text[at].isalnum())
