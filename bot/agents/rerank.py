"""A second look by a model at what a search found: files by what they define, with the best passages of two.

One short question, and only where a host has time for it (`worth_asking`). Where there is no usable answer,
or none in time, the order stays as the search had it. All that an answer can do is change the order.
"""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from pydantic import BaseModel

from bot.core.code_search import Excerpt
from bot.core.concurrency import asked_within, nobody_waits, seconds_now
from bot.core.context_packing import CHARS_PER_TOKEN, CUT, FRAME, beginning, pack, passage_size, size
from bot.core.edit_paths import is_private
from bot.core.inference import Allowance, Completion, Infer, Passage, Prompt, Usage
from bot.core.knowledge import IndexedLibrary, Outline
from bot.core.pathnames import shown as shown_path
from bot.core.text import count, cut, one_line
from bot.core.work_budget import WorkBudget

MOST_FILES = 30
MOST_NAMED = 10
WORTH_RERANKING = 8
"""Of fewer files that were found the best passages are shown anyway."""
MOST_TOKENS = 2_000
"""Of the whole question as it is sent, by `bot.core.context_packing.tokens`."""
OWN_SIZE = 1_000
"""Of it Hob's own words, the rule of the fence and the answer's schema."""
QUERY_SIZE = 1_000
MOST_PASSAGES, PASSAGE_SIZE = 2, 800
MOST_SIGNATURES, LONGEST_SIGNATURE = 20, 100
"""Of one file, and characters."""
LONGEST_NAME = 200
"""A file with a longer one is left out: it would take the place of several."""
PATIENCE = 60.0
"""Seconds: a host that would take longer is not asked, and one that does is not waited for."""
ANSWER_TOKENS = 80
"""A sentence and ten numbers, about."""
SPARE_STEPS = 8
"""Questions of a budget that are left to the work itself."""


class RerankAnswer(BaseModel):
    thought: str
    files: list[int]


def worth_asking(files: int, *, idle: bool, seconds: float, budget: WorkBudget | None = None) -> bool:
    """Whether a model looks again at so many files that a search found, though nobody asked for that. `idle`:
    no other run waits; `seconds`: how long the answer would take, without end where the host is busy or there
    is none; `budget`: of the work that it is for."""
    can = budget is None or budget.allows(1 + SPARE_STEPS, MOST_TOKENS)
    return files >= WORTH_RERANKING and idle and seconds <= PATIENCE and can


@dataclass(frozen=True, slots=True)
class Reranked:
    """`order` holds places from 0, the first `named` of them those that the model named. `failure` says why
    it is the order given; empty where a model answered. `calls`: questions to models."""

    order: tuple[int, ...]
    named: int = 0
    failure: str = ""
    usage: tuple[Usage, ...] = ()
    calls: int = 0


async def rerank(query: str, outlines: Sequence[Outline], infer: Infer, *, local: bool = False) -> Reranked:
    """Files in the order of a model, however long it takes; those that it does not name, and those past the
    first thirty, stay behind in the order given. `local`: no host outside the network is asked."""
    if len(outlines) < 2:
        return Reranked(tuple(range(len(outlines))))
    return _reranked(len(outlines), await infer(replace(question(query, outlines), local=local)))


def _reranked(files: int, answer: Completion[RerankAnswer]) -> Reranked:
    named = answer.value.files if answer.value else []
    known = (number - 1 for number in named if 0 < number <= min(files, MOST_FILES))
    first = tuple(dict.fromkeys(known))[:MOST_NAMED]
    order = (*first, *(place for place in range(files) if place not in first))
    failure = "" if answer.value else answer.reason or "the model gave no usable answer"
    return Reranked(order, len(first), failure, answer.usage("rerank"), answer.calls)


@dataclass(slots=True)
class Reranking:
    """A `Library` at a commit. Of what the first search finds, the question, a model says which files matter
    most where that is `worth_asking`; `spent` and the budget are told what it took."""

    library: IndexedLibrary
    infer: Infer
    at: str = ""
    spent: list[Usage] = field(default_factory=list)
    budget: WorkBudget | None = None
    idle: Callable[[], Awaitable[bool]] = nobody_waits
    tell: Callable[[str], None] = lambda _: None
    """Hears, for a person, what is about to be asked, and why nothing came of it."""
    _looked: bool = False

    async def search(self, query: str) -> tuple[Excerpt, ...]:
        first = () if self._looked else await self._first(query)
        self._looked = True
        return await self.library.search(query, self.at, first)

    async def read(self, path: str, start: int, end: int) -> Excerpt | None:
        return await self.library.read(path, start, end)

    async def _first(self, query: str) -> tuple[str, ...]:
        """The files that a model names."""
        idle = await self.idle()
        outlines = await self.library.outlines(query, self.at) if idle else ()
        prompt = question(query, outlines)
        seconds = await seconds_now(self.infer, prompt) if outlines else 0.0
        if not worth_asking(len(outlines), idle=idle, seconds=seconds, budget=self.budget):
            return ()
        self.tell(f"asking a model which of {min(len(outlines), MOST_FILES)} files matter")
        patience = min(PATIENCE, self.budget.seconds_left) if self.budget else PATIENCE
        answer = await asked_within(patience, self.infer, prompt)
        if self.budget:
            self.budget.spend(answer.tokens_in + answer.tokens_out, max(1, answer.calls))
        done = _reranked(len(outlines), answer)
        self.spent += done.usage
        if done.failure:
            self.tell(f"the order is the search's own: {done.failure}")
        return tuple(outlines[place].path for place in done.order[: done.named])


def question(query: str, outlines: Sequence[Outline]) -> Prompt[RerankAnswer]:
    """Within `MOST_TOKENS`, whatever files and texts hold; each entry is whole or not there. It is put once:
    an answer that cannot be used is none."""
    shown = outlines[:MOST_FILES]
    asked = cut(query.strip()[: QUERY_SIZE + 1], QUERY_SIZE, measure=size, end=CUT)
    free = int(MOST_TOKENS * CHARS_PER_TOKEN) - OWN_SIZE - size(asked) - FRAME
    code = tuple(_code(shown))[:MOST_PASSAGES]
    free -= sum(map(passage_size, code))
    files = Passage("files", "")
    files = Passage(files.name, _listed(shown, free - passage_size(files)))
    return Prompt(
        "rerank",
        "chat",
        RerankAnswer,
        {"query": asked},
        (files, *code),
        retries=Allowance(0),
        length=ANSWER_TOKENS,
    )


def _code(shown: Sequence[Outline]) -> Iterator[Passage]:
    """The best passages of the best files, as many whole lines as fit."""
    for number, one in enumerate(shown, 1):
        if one.best and not is_private(one.path):
            whole = Passage(f"code of file {number}", "\n".join(one.best.lines), 2)
            some = whole if passage_size(whole) <= PASSAGE_SIZE else beginning(whole, PASSAGE_SIZE)
            if some:
                yield some


def _listed(shown: Sequence[Outline], space: int) -> str:
    """The files by number, then in turns what each defines, as far as there is space; last what was left
    out."""
    lines: dict[int, list[str]] = {}
    every = ((number, f"{number}. {shown_path(one.path)}") for number, one in enumerate(shown, 1))
    names = [one for one in every if len(one[1]) <= LONGEST_NAME]
    defined = [
        (number, f"   {one_line(signature, LONGEST_SIGNATURE)}")
        for turn in range(MOST_SIGNATURES)
        for number, one in enumerate(shown, 1)
        for signature in one.signatures[turn : turn + 1]
    ]
    space -= size(_left_out(len(shown), len(defined))) + 1
    pack(names, space, _cost, lambda one: lines.update({one[0]: [one[1]]}))
    space -= sum(_cost((number, name)) for number, (name,) in lines.items())
    told = [one for one in defined if one[0] in lines]
    left = pack(told, space, _cost, lambda one: lines[one[0]].append(one[1]))
    listed = [line for some in lines.values() for line in some]
    unsaid = len(defined) - len(told) + len(left)
    return "\n".join([*listed, _left_out(len(shown) - len(lines), unsaid)]).rstrip()


def _cost(entry: tuple[int, str]) -> int:
    return size(entry[1]) + 1


def _left_out(files: int, definitions: int) -> str:
    if not files and not definitions:
        return ""
    return f"[left out: {count(files, 'file')}, {count(definitions, 'definition')}]"
