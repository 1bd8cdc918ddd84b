"""What is heard of a free text: an answer that breaks off is carried on where it stopped, by the same host or
the next one, and who listens hears one text, without thoughts and without what is said twice."""

from dataclasses import dataclass, field, replace
from typing import cast

from bot.core.inference import Completion, OnText, Spoken, T
from bot.inference.continuation import Joining

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


@dataclass(slots=True)
class Listening:
    """Hears one answer over all tries; `tell` is told what can be shown."""

    tell: OnText
    _said: list[str] = field(default_factory=list)
    _unthinking: Unthinking = field(default_factory=Unthinking)
    _joining: Joining | None = None

    def hear(self, word: str) -> None:
        self._show(self._joined(self._unthinking(word)))

    def so_far(self) -> str:
        """Asked for when a try begins: what a broken one left half thought is forgotten."""
        self._unthinking = Unthinking()
        if self._joining:
            self._show(self._joining.rest())
        said = "".join(self._said)
        self._joining = Joining(said) if said.strip() else None
        return said

    def whole(self, completion: Completion[T]) -> Completion[T]:
        """The completion with the text of all its tries, when no more comes."""
        rest = self._joined(self._unthinking.rest())
        if self._joining and not self._joining.done:
            rest += self._joining.rest()
        self._show(rest)
        if isinstance(completion.value, Spoken) and not self._said:
            self._show(completion.value.text)  # nobody spoke: it was remembered
        text = "".join(self._said).strip()
        value = cast("T", Spoken(text)) if completion.value is not None and text else completion.value
        note = ""
        if value is not None and self._joining:
            note = f"The answer broke off and was carried on by {completion.model} on {completion.host}."
        return replace(completion, value=value, text=text, note=note)

    def _joined(self, words: str) -> str:
        return self._joining(words) if self._joining else words

    def _show(self, words: str) -> None:
        if words:
            self._said.append(words)
            self.tell(words)
