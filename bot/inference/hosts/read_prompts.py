"""What a host has read of prompts and keeps. Ollama, llama.cpp and their like keep for each of their places
what they read last there: of the next prompt they read only what follows the common beginning. Some count
what they had read before (`Reply.tokens_cached`); of others it is told by what they were sent and how long
they read."""

import json
import math
from dataclasses import asdict, dataclass, field, replace

from bot.core.inference import Beginning
from bot.inference.runners import ChatRequest, Reply

LEAST = 100
"""Tokens whose reading tells how fast a host reads."""
_WEIGHT = 0.3


@dataclass(slots=True, eq=False)
class _Place:
    """What was read last there, and whether it is being read now."""

    text: str = ""
    beginning: Beginning | None = None
    busy: bool = False


@dataclass(slots=True)
class ReadPrompts:
    """Of one model on one host, as far as this process has asked it."""

    count: int = 1
    _places: list[_Place] = field(default_factory=list)
    _rate: float = 0.0
    """Tokens a second that were read anew; 0 before the first."""

    def holds(self, beginning: Beginning | None) -> bool:
        """Whether a question with that beginning was asked last at one of its places."""
        return beginning is not None and any(one.beginning is beginning for one in self._places)

    def begin(self, request: ChatRequest, beginning: Beginning | None = None) -> "Read":
        """A prompt that is read now, at the free place that has most of it."""
        tools = json.dumps([asdict(each) for each in request.tools])  # most templates have them here
        text = "\0".join((request.system, tools, *(text for _, text in request.turns), request.user))
        while len(self._places) < self.count:
            self._places.append(_Place())
        free = [one for one in self._places if not one.busy] or self._places
        same = [_common(one.text, text) for one in free]
        at = max(range(len(free)), key=same.__getitem__)
        place = free[at]
        place.text, place.beginning, place.busy = text, beginning, True
        return Read(self, place, same[at] / max(1, len(text)))

    def cached(self, share: float, reply: Reply) -> int:
        """Of a reply's `tokens_in`, those that were not read anew. `share`: of its text, what was there."""
        counted = reply.tokens_in or 0
        if reply.tokens_cached is not None:
            cached = min(reply.tokens_cached, counted)
        else:
            cached = self._likely(counted, int(counted * share), reply)
        fresh = counted - cached
        if fresh >= LEAST and reply.reading_seconds > 0:
            rate = fresh / reply.reading_seconds
            self._rate = rate if not self._rate else self._rate + _WEIGHT * (rate - self._rate)
        return cached

    def _likely(self, counted: int, known: int, reply: Reply) -> int:
        """`known` tokens where the time that it took to read fits better to the others alone than to all;
        others may have asked the host in between, or it has loaded the model anew."""
        known, took = min(known, counted - 1), reply.reading_seconds
        if known <= 0 or took <= 0:
            return 0
        if not self._rate:
            return known
        apart = [abs(math.log(took * self._rate / fresh)) for fresh in (counted - known, counted)]
        return known if apart[0] <= apart[1] else 0


@dataclass(slots=True)
class Read:
    """A prompt under way."""

    prompts: ReadPrompts
    place: _Place
    share: float

    def ended(self, reply: Reply) -> Reply:
        """The reply with what of it was not read anew."""
        return replace(reply, tokens_cached=self.prompts.cached(self.share, reply))

    def leave(self) -> None:
        self.place.busy = False


def _common(one: str, other: str) -> int:
    """How many characters at the beginning are the same."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        same = one[low:middle] == other[low:middle]
        low, high = (middle, high) if same else (low, middle - 1)
    return low
