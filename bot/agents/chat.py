"""Answers a question about an issue or a pull request, citing lines that it was shown."""

from pydantic import BaseModel

from bot.core.conversation import pack
from bot.core.coverage import count
from bot.core.diff import render
from bot.core.effects import Usage
from bot.core.facts import ThreadFacts
from bot.core.inference import Infer, Passage, Prompt
from bot.core.text import in_code

MAX_FILE_CHARS = 20_000
CONVERSATION_TOKENS = 2_000
"""A quarter of a small model's window: the rest is for the change and its files."""


class Citation(BaseModel):
    path: str
    start: int
    end: int


class ChatAnswer(BaseModel):
    answer: str
    citations: list[Citation]


async def reply(facts: ThreadFacts, infer: Infer) -> tuple[str, tuple[Usage, ...]]:
    """The answer for the thread, and what it used. A person asked: a failure is said, in one line."""
    talk = pack(facts.conversation, CONVERSATION_TOKENS)
    answer = await infer(_prompt(facts, talk.text))
    if answer.value is None:
        return f"I could not answer: {answer.reason}", answer.usage("ask")
    cited = [
        in_code(f"{item.path}:{item.start}-{item.end}")
        for item in answer.value.citations
        if stands(item, facts)
    ]
    body = answer.value.answer.strip()[:6_000] or "I have no answer to that."
    if cited:
        body += "\n\nSee " + ", ".join(dict.fromkeys(cited[:8])) + "."
    if talk.left_out:
        body += f"\n\n*({count(talk.left_out, 'earlier message')} of this conversation not read.)*"
    return body, answer.usage("ask")


def stands(citation: Citation, facts: ThreadFacts) -> bool:
    """A cited range exists in a file that the model was shown."""
    text = facts.texts.get(citation.path)
    return text is not None and 1 <= citation.start <= citation.end <= len(text.splitlines())


def _prompt(facts: ThreadFacts, conversation: str) -> Prompt[ChatAnswer]:
    """The change first, then whole files with numbered lines, which are the first to be left out."""
    diffs = [Passage(f"change of {file.path}", render(file), priority=1) for file in facts.files]
    texts = [
        Passage(path, _numbered(text), priority=2)
        for path, text in facts.texts.items()
        if len(text) <= MAX_FILE_CHARS
    ]
    return Prompt(
        name="ask",
        role="chat",
        answer=ChatAnswer,
        inputs={
            "question": facts.question[:4_000],
            "title": facts.title[:300],
            "body": facts.body[:4_000],
            "conversation": conversation,
            "language": facts.context.settings.language,
        },
        passages=(*diffs, *texts),
    )


def _numbered(text: str) -> str:
    return "\n".join(f"{number}: {line}" for number, line in enumerate(text.splitlines(), 1))
