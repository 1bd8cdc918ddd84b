"""Reads a file that no pull request touches, as the Review agent reads a change: each finding is verified by
a second prompt."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.agents import review
from bot.core.code_analysis import Tools
from bot.core.code_search import Excerpt
from bot.core.concurrency import through
from bot.core.context_packing import ContextCandidate
from bot.core.facts import PullRequestFacts, RepoContext
from bot.core.inference import Completion, Infer, OnText, Prompt, T
from bot.core.memory import Memory
from bot.core.refs import Login, Sha
from bot.core.review_result import Judgement
from bot.core.scan import FileRisk, as_change

HISTORY = 0.5
"""What the subjects of a file's commits are worth beside the code around its parts."""


@dataclass(slots=True)
class Counted:
    """A port that counts the questions that hosts were really asked."""

    infer: Infer
    calls: int = 0

    @property
    def port(self) -> Infer:
        async def ask(prompt: Prompt[T], /, on_text: OnText | None = None) -> Completion[T]:
            answer = await self.infer(prompt, on_text) if on_text else await self.infer(prompt)
            self.calls += max(answer.calls, not answer.cached)
            return answer

        return through(self.infer, ask)


async def scan(
    file: FileRisk,
    lines: Sequence[str],
    context: RepoContext,
    infer: Infer,
    *,
    most_calls: int,
    memory: tuple[Memory, ...] = (),
    tools: Tools | None = None,
) -> Judgement:
    """`lines`: the file as it is; `most_calls`: questions, at most. No check takes part: linters read whole
    repositories by themselves."""
    settings = context.settings
    own = replace(
        settings.review, max_calls=min(most_calls, settings.review.max_calls), request_changes=False
    )
    history = Excerpt(f"history of {file.path}", 1, file.subjects)
    facts = PullRequestFacts(
        context=replace(context, settings=replace(settings, review=own)),
        number=0,
        title="",
        body="",
        author=Login(""),
        base_sha=Sha(""),
        head_sha=Sha(file.blob),
        files=(as_change(file.path, lines),),
        total_files=1,
        texts={file.path: "\n".join(lines) + "\n"},
        around={file.path: (ContextCandidate(history, HISTORY, "its commits"),)} if file.subjects else {},
        memory=memory,
        tools=tools or Tools(),
    )
    return await review.judge(facts, infer)
