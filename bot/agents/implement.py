"""Carries an issue out: the chain `implement` plans, writes one patch and judges it; each patch is tried on
the files as they are before it counts."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from typing import Any, Unpack

from bot.agents.base import Agent, ChatMessages, Options
from bot.agents.chain import ChainProgress, PatchTrial, run_chain
from bot.agents.patch import Patched, WishedPatch, tried
from bot.core.chain import Chain, ChainResult
from bot.core.effects import Usage
from bot.core.facts import PatchFacts
from bot.core.inference import Infer, Passage, PromptFile
from bot.core.text import close_fences, cut

MOST_OBJECTIVE = 12_000


@dataclass(frozen=True, slots=True)
class Implemented:
    """The patch, what was planned, and what a reviewer still had against it."""

    patched: Patched
    plan: str = ""
    remarks: str = ""


class WithFiles(Agent):
    """Shown files whole, as they can be quoted, beside whatever else it is shown."""

    def __init__(self, persona: PromptFile, ask: Infer, files: tuple[Passage, ...]) -> None:
        super().__init__(persona, ask)
        self.files = files

    async def run(self, messages: ChatMessages, **options: Unpack[Options]) -> AsyncIterator[str]:
        options["passages"] = (*options.get("passages", ()), *self.files)
        async for piece in super().run(messages, **options):
            yield piece


async def implement(
    facts: PatchFacts,
    chain: Chain,
    persona: Callable[[str], PromptFile],
    infer: Infer,
    told: ChainProgress = lambda _: None,
) -> Implemented:
    """`facts.description`, `conversation` and `wish` are the objective. A failure is said: a person asked."""
    files = tuple(
        Passage(path, text, priority=place) for place, (path, text) in enumerate(facts.texts.items(), 2)
    )
    best = Patched()

    async def wrong(wished: WishedPatch) -> str:
        nonlocal best
        done, problems = await tried(wished, facts)
        best = done
        return "\n\n".join(problems)

    def agent(name: str) -> Agent:
        return WithFiles(persona(name), infer, files)

    result = await run_chain(chain, _objective(facts), agent, told, trial=PatchTrial(WishedPatch, wrong))
    usage = tuple(_used(result))
    plan = next((run.text for run in result.runs if run.step == "plan" and run.good), "")
    if result.value is None or best.why:
        why = best.why or result.reason or "no patch came of it"
        return Implemented(replace(best, texts={}, why=cut(why, 500), usage=usage), plan)
    remarks = next((run.text for run in reversed(result.runs) if run.accepted is False), "")
    left = close_fences(cut(remarks, 3_000)) if result.failure == "rejected" else ""
    return Implemented(replace(best, usage=usage), plan, left)


def _objective(facts: PatchFacts) -> str:
    parts = [f"A recipe of this repository:\n{facts.instructions[:6_000]}"] if facts.instructions else []
    parts += [facts.title[:300], facts.description[:6_000]]
    parts += [f"{who} said: {what[:1_500]}" for who, what in facts.conversation[-10:]]
    parts += [f"Asked for with it: {facts.wish[:1_000]}"] if facts.wish else []
    names = "\n".join(facts.names[:200])
    parts += [f"Other paths of the repository:\n{names}"] if names else []
    parts.append(f"Write `summary` in the language with this code: {facts.context.settings.language}")
    return "\n\n".join(filter(None, parts))[:MOST_OBJECTIVE]


def _used(result: ChainResult) -> Any:
    for run in result.runs:
        if run.model:
            yield Usage(
                f"implement {run.step}", run.host, run.model, run.tokens_in, run.tokens_out, run.seconds
            )
