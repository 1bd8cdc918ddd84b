"""Answers a question about an issue or a pull request, and explains code, citing lines that it was shown."""

from pydantic import BaseModel

from bot.core import library
from bot.core.conversation import pack
from bot.core.coverage import count
from bot.core.diff import render
from bot.core.effects import Usage
from bot.core.facts import ExplainFacts, ThreadFacts
from bot.core.inference import Infer, Passage, Prompt

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
        f"`{item.path}:{item.start}-{item.end}`" for item in answer.value.citations if stands(item, facts)
    ]
    body = answer.value.answer.strip()[:6_000] or "I have no answer to that."
    if cited:
        body += "\n\nSee " + ", ".join(dict.fromkeys(cited[:8])) + "."
    if talk.left_out:
        body += f"\n\n*({count(talk.left_out, 'earlier message')} of this conversation not read.)*"
    return body, answer.usage("ask")


async def explain(facts: ExplainFacts, infer: Infer) -> tuple[str, tuple[Usage, ...]]:
    """What the code does and why, and what it used. A person asked: a failure is said, in one line."""
    answer = await infer(_explaining(facts))
    if answer.value is None:
        return f"I could not explain it: {answer.reason}", answer.usage("explain")
    cited = [
        f"`{found}`"
        for item in answer.value.citations
        if library.stands(found := library.Citation(item.path, item.start, item.end), facts.excerpts)
    ]
    body = answer.value.answer.strip()[:6_000] or "I can't tell what this does."
    if cited:
        body += "\n\nSee " + ", ".join(dict.fromkeys(cited[:8])) + "."
    if answer.truncated:
        unread = len({*answer.left_out, *answer.cut})
        body += f"\n\n*({count(unread, 'piece')} of the code and its history not read, or not whole.)*"
    return body, answer.usage("explain")


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


def _explaining(facts: ExplainFacts) -> Prompt[ChatAnswer]:
    """The code first; its history is the first to be left out, the oldest commit before the others."""
    code = [Passage(one.path, one.numbered, priority=1) for one in facts.excerpts]
    diffs = [Passage(f"change of {file.path}", render(file), priority=1) for file in facts.files]
    issues = [
        Passage(f"#{one.number}", f"{one.title}\n\n{one.body[:2_000]}", priority=2) for one in facts.issues
    ]
    commits = [
        Passage(f"commit {one.sha[:10]}", f"{one.at}, {one.author}:\n{one.message[:1_500]}", 3 + n)
        for n, one in enumerate(facts.commits)
    ]
    return Prompt(
        name="explain",
        role="chat",
        answer=ChatAnswer,
        inputs={
            "subject": facts.subject[:500],
            "wish": facts.wish[:2_000],
            "title": facts.title[:300],
            "language": facts.context.settings.language,
        },
        passages=(*code, *diffs, *issues, *commits),
    )
