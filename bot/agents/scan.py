"""Reads a file that no pull request touches, as the Review agent reads a change: each finding is verified by
a second prompt."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from bot.agents import review
from bot.agents.review.looking import Looking
from bot.core.code_analysis import Tools
from bot.core.code_search import Excerpt
from bot.core.concurrency import through
from bot.core.context_packing import ContextCandidate
from bot.core.facts import PullRequestFacts, RepoContext
from bot.core.inference import Completion, Infer, OnText, Prompt, T
from bot.core.knowledge import FileRisk
from bot.core.memory import Memory
from bot.core.refs import Login, Sha
from bot.core.review_result import Judgement
from bot.core.scan import ScannedFile, as_change, questions

HISTORY = 0.5
"""What the subjects of a file's commits are worth beside the code around its parts."""
LEAST_CALLS = 2
"""Fewer questions read and verify nothing."""


@dataclass(slots=True)
class Counted:
    """A port that counts the questions that hosts were really asked, and tells `begun` how many they are
    before each: whoever is killed over it has counted it."""

    infer: Infer
    begun: Callable[[int], Awaitable[None]]
    calls: int = 0

    @property
    def port(self) -> Infer:
        async def ask(prompt: Prompt[T], /, on_text: OnText | None = None) -> Completion[T]:
            self.calls += 1
            await self.begun(self.calls)
            answer = await self.infer(prompt, on_text) if on_text else await self.infer(prompt)
            self.calls += max(answer.calls, not answer.cached) - 1
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
    looking: Looking | None = None,
) -> Judgement:
    """`lines`: the file as it is; `most_calls`: questions, at most, of which looking things up takes its
    share. No check takes part: linters read whole repositories by themselves."""
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
    return await review.judge(facts, infer, looking)


async def nobody_counts(file: FileRisk, calls: int) -> None:
    """Where what is killed has a budget of its own the next time."""


def untold(file: FileRisk, need: int) -> None:
    """Where nobody hears of it."""


async def read_on(
    todo: Iterable[FileRisk],
    lines_of: Callable[[FileRisk], Awaitable[Sequence[str]]],
    context: RepoContext,
    infer: Infer,
    night: str,
    most: int,
    left: int,
    *,
    goes_on: Callable[[], Awaitable[bool]],
    begun: Callable[[FileRisk, int], Awaitable[None]] = nobody_counts,
    too_large: Callable[[FileRisk, int], None] = untold,
    memory: tuple[Memory, ...] = (),
    tools: Tools | None = None,
    looking: Looking | None = None,
) -> AsyncIterator[tuple[ScannedFile | None, Judgement | None]]:
    """Each file as it was read, with its judgement, until `left` of at most `most` questions are spent; ends
    with None where no host could read one. One of which a model said nothing usable comes without a blob once
    the next was read: it is the file, then, and not the model. A file that is not there as it was indexed is
    one without findings: it is read once it has changed. One for which too few questions are left waits;
    where it takes more than `most` or a review may ask, `too_large` is told, with how many. `begun` is told
    of each file before it is read and of each question before it is asked, with how many of that file they
    are by then."""
    failed: tuple[ScannedFile, Judgement] | None = None
    most = min(most, context.settings.review.max_calls)
    for file in todo:
        if left < LEAST_CALLS or not await goes_on():
            break
        lines = await lines_of(file)
        need = questions(lines)
        if need > most:
            too_large(file, need)
        if need > min(left, most):
            continue
        if len(lines) < file.lines:
            yield ScannedFile(file.path, file.blob, night, 0), None
            continue
        await begun(file, 0)
        counted = Counted(infer, partial(begun, file))
        judged = await scan(
            file, lines, context, counted.port, most_calls=left, memory=memory, tools=tools, looking=looking
        )
        left -= counted.calls
        if judged.coverage.failure:
            again, failed = failed is not None, (ScannedFile(file.path, "", night, counted.calls), judged)
            if again or not _answered(judged):
                break
            continue
        if failed:
            yield failed
            failed = None
        found = tuple(finding for finding in judged.chosen.shown if finding.anchored)
        yield ScannedFile(file.path, file.blob, night, counted.calls, found), judged
    if failed:
        yield None, failed[1]


def in_part(judged: Judgement | None) -> str:
    """Why not all of a file was read that was; empty where all was."""
    left = (*judged.coverage.part, *judged.coverage.unread) if judged else ()
    return left[0].why if left else ""


def _answered(judged: Judgement) -> bool:
    """Whether hosts said something to every question, usable or not."""
    return bool(judged.usage) and all(one.tokens_out for one in judged.usage)
