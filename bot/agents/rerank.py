"""A second look by a model at what a search found: files by what they define.

One question, and only where a host has time for it. Where there is no usable answer, the order stays as
the search had it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from pydantic import BaseModel

from bot.core.code_search import Excerpt, Library
from bot.core.effects import Usage
from bot.core.inference import Infer, Passage, Prompt
from bot.core.knowledge import Outline

MOST_FILES = 30
WORTH_RERANKING = 8
"""Of fewer files that were found the best passages are shown anyway."""
OUTLINE_CHARS = 300
"""Of one file: thirty of them are about three thousand tokens."""
QUERY_CHARS = 3_000


class RerankAnswer(BaseModel):
    thought: str
    files: list[int]


@dataclass(frozen=True, slots=True)
class Reranked:
    """`order` holds places from 0. `failure` says why it is the order given; empty where a model answered."""

    order: tuple[int, ...]
    failure: str = ""
    usage: tuple[Usage, ...] = ()


async def rerank(query: str, outlines: Sequence[Outline], infer: Infer) -> Reranked:
    """Files in the order of a model; those that it does not name, and those past the first thirty, stay
    behind in the order given."""
    shown = outlines[:MOST_FILES]
    if len(shown) < 2:
        return Reranked(tuple(range(len(outlines))))
    passages = tuple(
        Passage(f"file {number}", _outline(one), priority=number) for number, one in enumerate(shown, 1)
    )
    answer = await infer(Prompt("rerank", "chat", RerankAnswer, {"query": query[:QUERY_CHARS]}, passages))
    named = answer.value.files if answer.value else []
    first = dict.fromkeys(number - 1 for number in named if 0 < number <= len(shown))
    order = (*first, *(place for place in range(len(outlines)) if place not in first))
    failure = "" if answer.value else answer.reason or "the model gave no usable answer"
    return Reranked(order, failure, answer.usage("rerank"))


class Outlined(Library, Protocol):
    """A library that can say which files a search finds (`bot.core.knowledge.Knowledge`)."""

    async def search(self, query: str, at: str = "", first: Sequence[str] = ()) -> tuple[Excerpt, ...]: ...
    async def outlines(self, query: str, at: str = "") -> Sequence[Outline]: ...


@dataclass(slots=True)
class Reranking:
    """A `Library` at a commit. Of what the first search finds, the question, a model says which files matter
    most; `spent` is told what that took."""

    library: Outlined
    infer: Infer
    at: str = ""
    spent: list[Usage] = field(default_factory=list)
    asks: bool = True

    async def search(self, query: str) -> tuple[Excerpt, ...]:
        outlines = await self.library.outlines(query, self.at) if self.asks else ()
        self.asks = False
        if len(outlines) <= WORTH_RERANKING:
            return await self.library.search(query, self.at)
        done = await rerank(query, outlines, self.infer)
        self.spent += done.usage
        first = tuple(outlines[place].path for place in done.order) if not done.failure else ()
        return await self.library.search(query, self.at, first)

    async def read(self, path: str, start: int, end: int) -> Excerpt | None:
        return await self.library.read(path, start, end)


def _outline(file: Outline) -> str:
    text = f"{file.path}\n"
    for signature in file.signatures:
        if len(text) + len(signature) > OUTLINE_CHARS:
            break
        text += f"{signature}\n"
    return text.rstrip()
