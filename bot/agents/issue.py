"""Sorts an issue: what kind it is, how urgent, which existing labels fit, what is missing. It labels, and
asks at most once; it never closes, assigns or invents a label."""

from typing import Literal

from pydantic import BaseModel

from bot.core.effects import AddLabels, Comment, Effect, KeepDraft, Plan
from bot.core.facts import IssueFacts
from bot.core.folding import folded
from bot.core.inference import Infer, Prompt
from bot.core.labels import choices

MAX_LABELS = 3
KIND_LABELS = {
    "bug": ("bug", "kind/bug", "type: bug", "t-bug"),
    "feature": ("enhancement", "feature", "feature request", "kind/feature", "type: feature"),
    "question": ("question", "kind/question", "support"),
    "docs": ("documentation", "docs", "kind/documentation"),
    "other": (),
}
PRIORITY_LABELS = {
    "urgent": ("priority: urgent", "priority: critical", "priority/critical", "urgent", "p0"),
    "high": ("priority: high", "priority/high", "high priority", "high", "p1"),
    "normal": (),
    "low": ("priority: low", "priority/low", "low priority", "p3"),
}
"""Usual names, in order of preference; one is used only where the repository has it. Normal is what no
label says."""


class TriageAnswer(BaseModel):
    kind: Literal["bug", "feature", "question", "docs", "other"]
    labels: list[str] = []
    priority: Literal["urgent", "high", "normal", "low"] = "normal"
    summary: str = ""
    missing: list[str] = []
    reply: str = ""


async def plan(facts: IssueFacts, infer: Infer) -> Plan:
    """Labels and one question, or nothing: a failure of the model leaves the issue untouched."""
    answer = await infer(_prompt(facts))
    if answer.value is None:
        return Plan(reason=f"not triaged: {answer.reason}", usage=answer.usage("triage"))
    effects: list[Effect] = []
    if labels := choose_labels(facts, answer.value):
        effects.append(AddLabels(facts.number, labels))
    if question := _question(facts, answer.value):
        kept = facts.context.settings.issues.comment == "draft"
        effects.append(
            KeepDraft(facts.number, question, "triage") if kept else Comment(facts.number, question)
        )
    said = f"{answer.value.kind}, {answer.value.priority}: {answer.value.summary[:200]}"
    return Plan(tuple(effects), reason=said, usage=answer.usage("triage"))


def choose_labels(facts: IssueFacts, answer: TriageAnswer) -> tuple[str, ...]:
    """At most three that exist, that the settings allow, and that are not on the issue yet: kind, priority,
    then the model's."""
    offered = {folded(name): name for name in _offered(facts)}
    kind = next((name for name in KIND_LABELS[answer.kind] if name in offered), "")
    priority = next((name for name in PRIORITY_LABELS[answer.priority] if name in offered), "")
    wanted = dict.fromkeys([kind, priority, *map(folded, answer.labels)])
    present = set(map(folded, facts.labels))
    return tuple(offered[name] for name in wanted if name in offered and name not in present)[:MAX_LABELS]


def _offered(facts: IssueFacts) -> frozenset[str]:
    """The names of the labels that may be chosen."""
    names = [name for name, _ in facts.context.labels]
    every = choices(names, facts.context.settings.issues.labels, facts.heard)
    return frozenset(one.name for one in every if one.may)


def _question(facts: IssueFacts, answer: TriageAnswer) -> str:
    """The model's reply, only when it names something missing."""
    missing = [item.strip() for item in answer.missing if item.strip()]
    if facts.context.settings.issues.comment == "never" or not missing:
        return ""
    if reply := answer.reply.strip():
        return reply[:1_000]
    return "To look into this, it would help to know:\n\n" + "\n".join(
        f"- {item[:200]}" for item in missing[:5]
    )


def _prompt(facts: IssueFacts) -> Prompt[TriageAnswer]:
    hints = {folded(name): hint for name, hint in facts.context.settings.issues.label_hints.items()}
    offered = _offered(facts)
    labels = [
        f"{name}: {hints.get(folded(name), description)}"
        for name, description in facts.context.labels
        if name in offered
    ]
    return Prompt(
        name="triage",
        role="triage",
        answer=TriageAnswer,
        inputs={
            "title": facts.title[:300],
            "body": facts.body[:8_000],
            "labels": "\n".join(labels[:100]),
            "language": facts.context.settings.language,
        },
    )
