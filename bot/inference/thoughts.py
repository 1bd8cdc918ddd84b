"""Thoughts that a model writes into its answer, taken out while the words come."""

_OPEN = ("<think>", "<thinking>")
_CLOSE = ("</think>", "</thinking>")


class Unthinking:
    """`unthinking(word)` gives what of the answer can be shown now; the beginning of a tag is held back
    until it is clear whether it is one."""

    def __init__(self) -> None:
        self._held = ""
        self._thinking = False

    def __call__(self, word: str) -> str:
        self._held += word
        shown = ""
        while True:
            tags = _CLOSE if self._thinking else _OPEN
            found = [(at, tag) for tag in tags if (at := self._held.find(tag)) >= 0]
            before, after = self._split(min(found)) if found else self._safe(tags)
            shown += "" if self._thinking else before
            self._held = after
            if not found:
                return shown
            self._thinking = not self._thinking

    def rest(self) -> str:
        """What is still held back when nothing more comes: a thought without an end is no answer."""
        held, self._held = self._held, ""
        return "" if self._thinking else held

    def _split(self, found: tuple[int, str]) -> tuple[str, str]:
        at, tag = found
        return self._held[:at], self._held[at + len(tag) :]

    def _safe(self, tags: tuple[str, ...]) -> tuple[str, str]:
        """(what is no beginning of a tag, the rest)"""
        at = self._held.rfind("<")
        if at >= 0 and any(tag.startswith(self._held[at:]) for tag in tags):
            return self._held[:at], self._held[at:]
        return self._held, ""
