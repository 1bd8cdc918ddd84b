"""Answers a question about an issue or a pull request, and explains code, citing lines that it was shown."""

from collections.abc import Sequence

from pydantic import BaseModel

from bot.core.code_search import Citation, Excerpt, merged, stands, unproved
from bot.core.context_packing import pack_conversation
from bot.core.diff import render
from bot.core.effects import Usage
from bot.core.facts import ExplainFacts, ThreadFacts
from bot.core.inference import Infer, Passage, Prompt
from bot.core.pathnames import resolve
from bot.core.review_result import count
from bot.core.text import close_fences, in_code

MAX_FILE_CHARS = 20_000
MOST_CITED = 100
"""Of one answer: each is looked up."""
CONVERSATION_TOKENS = 2_000
"""A quarter of a small model's window: the rest is for the change and its files."""


class CitationAnswer(BaseModel):
    path: str
    start: int
    end: int
    quote: str = ""


class ChatAnswer(BaseModel):
    answer: str
    citations: list[CitationAnswer] = []


async def reply(facts: ThreadFacts, infer: Infer) -> tuple[str, tuple[Usage, ...]]:
    """The answer for the thread, and what it used. A person asked: a failure is said, in one line."""
    talk = pack_conversation(facts.conversation, CONVERSATION_TOKENS)
    answer = await infer(_prompt(facts, talk.text))
    used = (*facts.spent, *answer.usage("ask"))
    if answer.value is None:
        return f"I could not answer: {answer.reason}", used
    shown = [one for one in _files(facts) if one.path not in answer.left_out]
    cited, note = _cited(answer.value.citations, shown)
    body = close_fences(answer.value.answer.strip()[:6_000]) or "I have no answer to that."
    if cited:
        body += "\n\nSee " + ", ".join(dict.fromkeys(cited[:8])) + "."
    body += note
    if unread := talk.left_out + facts.unheard:
        body += f"\n\n*({count(unread, 'earlier message')} of this conversation not read.)*"
    return body, used


async def explain(facts: ExplainFacts, infer: Infer) -> tuple[str, tuple[Usage, ...]]:
    """What the code does and why, and what it used. A person asked: a failure is said, in one line."""
    answer = await infer(_explaining(facts))
    if answer.value is None:
        return f"I could not explain it: {answer.reason}", answer.usage("explain")
    cited, note = _cited(answer.value.citations, facts.excerpts)
    body = close_fences(answer.value.answer.strip()[:6_000]) or "I can't tell what this does."
    if cited:
        body += "\n\nSee " + ", ".join(dict.fromkeys(cited[:8])) + "."
    body += note
    if answer.truncated:
        unread = len({*answer.left_out, *answer.cut})
        body += f"\n\n*({count(unread, 'piece')} of the code and its history not read, or not whole.)*"
    return body, answer.usage("explain")


def _cited(said: Sequence[CitationAnswer], shown: Sequence[Excerpt]) -> tuple[list[str], str]:
    """The places that stand, and a word where none of them does."""
    paths = [one.path for one in shown]
    places = [_citation(one, paths) for one in said[:MOST_CITED]]
    cited = [in_code(str(one)) for one in places if stands(one, shown)]
    note = unproved(len(said) - len(cited), len(cited))
    return cited, f"\n\n*{note}*" if note else ""


def _citation(said: CitationAnswer, paths: Sequence[str]) -> Citation:
    return Citation(resolve(said.path, paths) or said.path, said.start, said.end, said.quote)


def _files(facts: ThreadFacts) -> list[Excerpt]:
    """What can be cited: the changed files at the head, and what was found of others. Large ones are not
    shown whole, but as what was found of them."""
    whole = [
        Excerpt(path, 1, tuple(text.removesuffix("\n").split("\n")))
        for path, text in facts.texts.items()
        if len(text) <= MAX_FILE_CHARS
    ]
    changed = {file.path for file in facts.files}
    return [*whole, *(one for one in merged(facts.found) if one.path not in changed)]


def _prompt(facts: ThreadFacts, conversation: str) -> Prompt[ChatAnswer]:
    """Files with numbered lines first, which change the least from one question to the next and are the
    first to be left out; then the change."""
    diffs = [Passage(f"change of {file.path}", render(file), priority=1) for file in facts.files]
    texts = [Passage(one.path, one.numbered, priority=2) for one in _files(facts)]
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
        passages=(*texts, *diffs),
    )


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
