"""What Hob remembers of a repository and what a finding rests on, in words for a comment. Asks no model."""

from collections.abc import Sequence

from bot.core.conventions import evidence_of
from bot.core.findings import Finding
from bot.core.memory import Lesson, Memory, dismissed_by
from bot.core.text import code_block, cut, day, in_code, one_line

SHOWN = 30
"""Rows of the table in a comment; `hob memory list` shows all."""
_CELL = 120
_KINDS = {
    "convention": "agreed",
    "candidate": "offered: the dashboard accepts or declines it",
    "declined": "declined",
    "retired": "retired",
}


def named(said: Finding | Lesson) -> str:
    """A finding, or what a memory is about, in half a line."""
    if isinstance(said, Lesson) and said.kind != "dismissal":
        return f"“{_cell(said.text)}”"
    return f"**{_cell(said.title)}** in {_code(said.path)}"


def table(memories: Sequence[Memory]) -> str:
    """The newest last, each with the number by which it is forgotten."""
    if not memories:
        return "I was taught nothing about this repository yet."
    rows = [
        f"| {one.n} | {named(one.lesson)} | {_why(one.lesson)} | {_code(one.lesson.author)}, {day(one.at)} "
        f"| {'' if one.expires is None else day(one.expires)} |"
        for one in memories[-SHOWN:]
    ]
    older = len(memories) - len(rows)
    more = [f"\n{older} older ones are not shown here; `hob memory list` shows all."] if older else []
    return "\n".join(["| N | what | why | who, when | until |", "|---|---|---|---|---|", *rows, *more])


def listed(findings: Sequence[Finding]) -> str:
    """Numbered as `dismiss N` counts."""
    return "\n".join(f"{n}. {named(one)}" for n, one in enumerate(findings, 1))


def grounds(finding: Finding, memories: Sequence[Memory], number: int) -> str:
    """Who found it, by which rule or quote, as it was stored; and who dismissed it on this pull request."""
    if finding.source == "model":
        by = f"A model said so, sure to {finding.confidence:.0%}, and called it {_code(finding.category)}."
    else:
        by = f"The check {_code(finding.source)} proved it, by its rule {_code(finding.category)}."
    parts = [f"{named(finding)}, {finding.severity}. {by}"]
    if finding.line:
        parts.append(f"It stood on line {finding.line} of the head that I reviewed.")
    if quote := cut(finding.quote.strip(), 2_000, end="…"):
        parts.append(f"The code it quotes, which was found there:\n\n{code_block(quote)}")
    one = dismissed_by(memories, finding, number)
    parts.append(_dismissed(one) if one else "Nobody has dismissed it.")
    return "\n\n".join(parts)


def explained(why: Sequence[str]) -> str:
    """What was done last, and what each part of it rests on."""
    if not why:
        return "I have done nothing here that I could explain."
    return "What I last set, asked or suggested here rests on this:\n\n" + "\n".join(
        f"- {line}" for line in why
    )


def _dismissed(one: Memory) -> str:
    until = "" if one.expires is None else f" until {day(one.expires)}"
    who = _code(one.lesson.author)
    return (
        f"{who} dismissed it on {day(one.at)}{until} (number {one.n} of my memory): {_cell(one.lesson.text)}"
    )


def _why(lesson: Lesson) -> str:
    if lesson.kind == "dismissal":
        return _cell(lesson.text)
    known = evidence_of(lesson)
    seen = f", right on {known.now.right} of {known.now.spoken} changes" if known else ""
    return f"{_KINDS[lesson.kind]}{seen}"


def _cell(text: str) -> str:
    """One line that ends no cell of a table."""
    return one_line(text, _CELL).replace("|", "\\|")


def _code(text: str) -> str:
    return in_code(text, _CELL).replace("|", "\\|")
