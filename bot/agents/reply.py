"""Answers people who answer a finding: agrees, explains, or withdraws it. What it may change is decided by
rules: only whom the repository trusts can have a finding remembered as unwanted."""

from typing import Literal

from pydantic import BaseModel

from bot.core.context_packing import pack_conversation
from bot.core.effects import Effect, Plan, Remember, ReplyInThread, ResolveThread
from bot.core.facts import ReplyFacts
from bot.core.findings import Finding
from bot.core.inference import Infer, Prompt
from bot.core.memory import LASTS_DAYS, MOST, dismissal
from bot.core.text import close_fences, cut

MOST_ANSWER = 1_200
MOST_CODE = 3_000
"""Characters."""
TALK_TOKENS = 1_200


class ReplyAnswer(BaseModel):
    stance: Literal["agree", "explain", "withdraw", "none"]
    answer: str
    wont_fix: bool = False
    reason: str = ""


async def plan(facts: ReplyFacts, infer: Infer) -> Plan:
    """One reply or none; a finding that is withdrawn or not to be fixed is remembered for whoever may say
    so. A failure of the model says nothing: nobody asked Hob by name."""
    answer = await infer(_prompt(facts))
    used = answer.usage("reply")
    said = answer.value
    if said is None:
        return Plan(reason=f"not answered: {answer.reason}", usage=used)
    words = cut(said.answer.strip(), MOST_ANSWER, end="…")
    unwanted = said.stance == "withdraw" or said.wont_fix
    if not words and not unwanted:
        return Plan(reason="nothing needs to be said", usage=used)
    effects = _unwanted(facts, said) if unwanted else []
    words = close_fences(words)
    if unwanted and not words:
        words = "Understood."
    if any(isinstance(effect, Remember) for effect in effects):
        words += f"\n\nI won't say it again here; `@{facts.slug} memory` lists what I remember."
    elif unwanted and facts.trusted and facts.finding.severity == "critical":
        words += f"\n\nIt is critical, and stays until somebody says `@{facts.slug} dismiss` and why."
    reply = ReplyInThread(facts.number, facts.thread, words)
    return Plan((*effects, reply), reason=f"{said.stance}: a reply to a finding", usage=used)


def _unwanted(facts: ReplyFacts, said: ReplyAnswer) -> list[Effect]:
    """What a stranger writes withdraws nothing; a secret that a check found is never talked away. Nor is what
    is critical: strangers' words and code stand in the prompt too, and a model may take them for the trusted
    person's. A command it cannot make up."""
    finding = facts.finding
    if not facts.trusted or finding.source != "model" or finding.severity == "critical":
        return []
    if facts.remembered >= MOST:
        return []
    why = cut(said.reason.strip() or facts.said.strip(), 300, end="…") or "won't fix"
    lesson = dismissal(finding, why, facts.who, facts.number)
    effects: list[Effect] = [Remember(lesson, LASTS_DAYS)]
    if facts.node and facts.may_resolve:
        effects.append(ResolveThread(facts.number, facts.node))
    return effects


def _prompt(facts: ReplyFacts) -> Prompt[ReplyAnswer]:
    talk = pack_conversation(facts.conversation, TALK_TOKENS)
    return Prompt(
        name="reply",
        role="chat",
        answer=ReplyAnswer,
        inputs={
            "finding": _told(facts.finding),
            "code": facts.code[:MOST_CODE],
            "conversation": talk.text,
            "said": facts.said[:2_000],
            "language": facts.language,
        },
    )


def _told(finding: Finding) -> str:
    return (
        f"{finding.path}: {finding.severity}: {finding.title}\n{finding.body}\nIt is about:\n{finding.quote}"
    )
