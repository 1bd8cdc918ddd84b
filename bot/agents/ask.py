"""Answers a question in a comment, from the conversation, its change and the repository."""

from collections.abc import Sequence

from bot.agents.base import Agent, question_in
from bot.agents.citing import told
from bot.core.code_search import Excerpt
from bot.core.context_packing import pack_conversation, tokens
from bot.core.diff import render
from bot.core.facts import ThreadFacts
from bot.core.inference import Passage, Turn, Usage
from bot.core.mentions import without_comments
from bot.core.refs import Login
from bot.core.text import count

CONVERSATION_TOKENS, TURN_TOKENS = 2_000, 1_500
"""A quarter of a small model's window each: the rest is for the change and its files."""


async def reply(facts: ThreadFacts, agent: Agent) -> tuple[str, tuple[Usage, ...]]:
    """The answer for the thread, and what it used. A person asked: a failure is said, in one line."""
    turns, others = dialogue(facts.conversation, facts.slug)
    talk = pack_conversation(others, CONVERSATION_TOKENS)
    diffs = [Passage(f"change of {file.path}", render(file)) for file in facts.files]
    opening = Excerpt(f"#{facts.number}", 1, (facts.title[:300], *facts.body[:4_000].split("\n")), "issue")
    whole = Excerpt(opening.path, 1, (*opening.lines, *talk.text.split("\n")), "issue")
    thread = [
        Passage(opening.name, opening.numbered, priority=0),
        Passage(f"what was said in {opening.name}", talk.text, priority=0),
    ]
    messages = question_in(facts.context.settings.language, facts.question[:4_000], turns)
    answered = await agent.answer(messages, passages=(*diffs, *thread), citable=(whole,), whole=True)
    used = (*facts.spent, *answered.completion.usage("ask"))
    if answered.completion.value is None:
        return f"I could not answer: {answered.completion.reason}", used
    body = told(answered.text, answered.citations, answered.dropped, answered.strict)
    if unread := talk.left_out + facts.unheard:
        body += f"\n\n*({count(unread, 'earlier message')} of this conversation not read.)*"
    return body, used


def dialogue(
    said: Sequence[tuple[Login, str]], slug: str
) -> tuple[tuple[Turn, ...], tuple[tuple[Login, str], ...]]:
    """What Hob was asked and answered in a conversation, the newest that fit in `TURN_TOKENS`, as turns; and
    all that else was said."""
    asked: int | None = None
    pairs: list[tuple[int, int]] = []
    for place, (who, what) in enumerate(said):
        if who == f"{slug}[bot]":
            pairs += [(asked, place)] if asked is not None else []
            asked = None
        elif f"@{slug}".casefold() in what.casefold() or "/hob" in what:
            asked = place
    kept: list[tuple[int, int]] = []
    left = TURN_TOKENS
    for pair in reversed(pairs):
        left -= sum(tokens(said[place][1]) for place in pair)
        if left < 0:
            break
        kept.insert(0, pair)
    turns = [
        turn
        for question, answer in kept
        for turn in (
            Turn("user", f"{said[question][0]}: {said[question][1].strip()}"),
            Turn("assistant", without_comments(said[answer][1]).strip()),
        )
    ]
    taken = {place for pair in kept for place in pair}
    return tuple(turns), tuple(one for place, one in enumerate(said) if place not in taken)
