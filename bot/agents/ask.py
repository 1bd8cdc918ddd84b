"""Answers a question in a comment, from the conversation, its change and the repository."""

from bot.agents.base import Agent, question_in
from bot.agents.citing import told
from bot.core.context_packing import pack_conversation
from bot.core.diff import render
from bot.core.effects import Usage
from bot.core.facts import ThreadFacts
from bot.core.inference import Passage
from bot.core.review_result import count

CONVERSATION_TOKENS = 2_000
"""A quarter of a small model's window: the rest is for the change and its files."""


async def reply(facts: ThreadFacts, agent: Agent) -> tuple[str, tuple[Usage, ...]]:
    """The answer for the thread, and what it used. A person asked: a failure is said, in one line."""
    talk = pack_conversation(facts.conversation, CONVERSATION_TOKENS)
    diffs = [Passage(f"change of {file.path}", render(file)) for file in facts.files]
    thread = [
        Passage("the issue or pull request", f"{facts.title[:300]}\n\n{facts.body[:4_000]}", priority=0),
        Passage("what was said before", talk.text, priority=0),
    ]
    messages = question_in(facts.context.settings.language, facts.question[:4_000])
    answered = await agent.answer(messages, passages=(*diffs, *thread), whole=True)
    used = (*facts.spent, *answered.completion.usage("ask"))
    if answered.completion.value is None:
        return f"I could not answer: {answered.completion.reason}", used
    body = told(answered.text, answered.citations, answered.dropped)
    if unread := talk.left_out + facts.unheard:
        body += f"\n\n*({count(unread, 'earlier message')} of this conversation not read.)*"
    return body, used
