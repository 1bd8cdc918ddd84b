"""Searches, reads, searches again, and answers with citations."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, Self

from pydantic import BaseModel

from bot.agents.base import Agent, ChatMessages, Options, conversation
from bot.core.code_search import Excerpt, Library, merged
from bot.core.inference import Completion, Infer, Passage, Prompt, PromptFile, T
from bot.core.pathnames import resolve

MOST_ROUNDS = 3
MOST_SEARCHES = 4
MOST_READS = 6
LONGEST_READ = 200
"""Lines."""
SCOUT = "scout"


class CitedPlace(BaseModel):
    path: str
    start: int
    end: int


class Look(BaseModel):
    """Where to look next; `enough` when nothing more is needed."""

    thought: str
    searches: list[str]
    reads: list[CitedPlace]
    enough: bool


class Research(Agent):
    """`scout` is the persona that says what to look at next."""

    name = "research"
    needs_sources = True

    def __init__(
        self,
        persona: PromptFile,
        ask: Infer,
        library: Library | None,
        *,
        scout: PromptFile,
        rounds: int = MOST_ROUNDS,
        **more: Any,
    ) -> None:
        super().__init__(persona, ask, library, **more)
        self.scout = scout
        self.rounds = rounds

    @classmethod
    def of(
        cls, persona: Callable[[str], PromptFile], ask: Infer, library: Library | None, **more: Any
    ) -> Self:
        """By the prompt files of its names."""
        return cls(persona(cls.name), ask, library, scout=persona(SCOUT), **more)

    async def gather(
        self, messages: ChatMessages, model: str = ""
    ) -> tuple[tuple[Excerpt, ...], tuple[Completion[Any], ...]]:
        """First the question's own words, then where the scout points, until it has enough or points to
        nothing new."""
        found, spent = await super().gather(messages, model)
        asked: set[str] = set()
        for _ in range(self.rounds if self.library else 0):
            look = await self.ask(self._ask_scout(messages, found, asked, model))
            spent = (*spent, look)
            if look.value is None or look.value.enough:
                break
            more = merged(
                (
                    *found,
                    *await self._follow(look.value, asked, {one.path for one in found if one.kind == "file"}),
                )
            )
            if more == found:
                break
            found = more
        return found, spent

    async def _follow(self, look: Look, asked: set[str], known: Iterable[str]) -> list[Excerpt]:
        """What the scout's searches and places give; nothing is looked for twice."""
        if self.library is None:
            return []
        found: list[Excerpt] = []
        for query in _new((query.strip()[:200] for query in look.searches[:MOST_SEARCHES]), asked):
            self.tell(f"searching for {query}")
            found += await self.library.search(query)
        places = {f"{place.path}:{place.start}": place for place in look.reads[:MOST_READS]}
        for name in _new(places, asked):
            self.tell(f"reading {name}")
            place = places[name]
            end = min(place.end, place.start + LONGEST_READ)
            if excerpt := await self._read(place, end, known):
                found.append(excerpt)
        return found

    async def _read(self, place: CitedPlace, end: int, known: Iterable[str]) -> Excerpt | None:
        """By the path as it was said, else the file among those found that is meant by it."""
        if self.library is None:
            return None
        if excerpt := await self.library.read(place.path, place.start, end):
            return excerpt
        path = resolve(place.path, known)
        return await self.library.read(path, place.start, end) if path else None

    def _ask_scout(
        self, messages: ChatMessages, found: Sequence[Excerpt], asked: set[str], model: str
    ) -> Prompt[Look]:
        passages = [Passage(each.name, each.numbered) for each in found]
        if asked:
            passages.insert(0, Passage("what was looked for already", "\n".join(sorted(asked)), priority=0))
        turns = conversation(messages)[1]
        scout = self.scout
        return _fenced(
            Prompt(
                scout.name, scout.role, Look, passages=tuple(passages), turns=turns, file=scout, model=model
            )
        )

    def _prompt(self, messages: ChatMessages, answer: type[T], options: Options) -> Prompt[T]:
        return _fenced(super()._prompt(messages, answer, options))


def _fenced(prompt: Prompt[T]) -> Prompt[T]:
    """With the question behind the fence: strangers ask too."""
    asked = prompt.question
    if asked is None or asked.speaker != "user" or not asked.text.strip():
        return prompt
    return replace(prompt, inputs={"question": asked.text}, turns=prompt.turns[:-1])


def _new(names: Iterable[str], asked: set[str]) -> list[str]:
    fresh = [name for name in dict.fromkeys(names) if name and name not in asked]
    asked.update(fresh)
    return fresh
