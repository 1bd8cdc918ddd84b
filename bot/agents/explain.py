"""Explains code, citing lines that it was shown."""

from bot.agents.citing import CitedAnswer, Citing, told
from bot.core.diff import render
from bot.core.facts import ExplainFacts
from bot.core.inference import Infer, Passage, Prompt, Usage
from bot.core.text import count


async def explain(facts: ExplainFacts, infer: Infer) -> tuple[str, tuple[Usage, ...]]:
    """What the code does and why, and what it used. A person asked: a failure is said, in one line."""
    answer = await infer(_prompt(facts))
    if answer.value is None:
        return f"I could not explain it: {answer.reason}", answer.usage("explain")
    citing = Citing(one for one in facts.excerpts if one.path not in answer.left_out)
    body = told(
        citing.whole(answer.value) or "I can't tell what this does.", citing.citations, citing.dropped
    )
    if answer.truncated:
        unread = len({*answer.left_out, *answer.cut})
        body += f"\n\n*({count(unread, 'piece')} of the code and its history not read, or not whole.)*"
    return body, answer.usage("explain")


def _prompt(facts: ExplainFacts) -> Prompt[CitedAnswer]:
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
        answer=CitedAnswer,
        inputs={
            "subject": facts.subject[:500],
            "wish": facts.wish[:2_000],
            "title": facts.title[:300],
            "language": facts.context.settings.language,
        },
        passages=(*code, *diffs, *issues, *commits),
    )
