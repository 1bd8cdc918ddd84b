"""What is under way at the models, on stderr: a bar on a terminal, now and then a line elsewhere."""

import asyncio
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.text import Text

from bot.cli.framework import clean
from bot.cli.waiting import AFTER_SECONDS
from bot.core.concurrency import through
from bot.core.inference import Completion, Infer, OnText, Prompt, T

EVERY_SECONDS = 10.0
"""Between lines about one question; on a terminal it is told twice a second."""
LOOK_SECONDS = 0.5
MOST_NAMES = 3


@dataclass(slots=True)
class _Question:
    """One that is under way. `words` are pieces of the answer: about its tokens."""

    part: str
    names: str
    begun: float = field(default_factory=time.monotonic)
    said: float = field(default_factory=time.monotonic)
    words: int = 0

    @property
    def told(self) -> str:
        so_far = f"{time.monotonic() - self.begun:.0f} s, {self.words:,} tokens"
        return clean(f"{self.part}: {self.names}: {so_far}")


class Asked:
    """`async with Asked() as asked`; the port that `asked.through` gives is watched. `say` hears the lines in
    the place of stderr."""

    def __init__(self, say: Callable[[str], None] | None = None) -> None:
        self._heard = say
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            console=Console(stderr=True),
            disable=say is not None or not sys.stderr.isatty(),
            transient=True,
        )
        self._task: TaskID | None = None
        self._questions: dict[int, _Question] = {}
        self._numbers: dict[str, int] = {}
        self._totals: dict[str, int] = {}
        self._done = 0
        self._began = self._said = time.monotonic()
        self._ticking: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._bar.start()
        self._ticking = asyncio.create_task(self._tick())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._ticking is not None:
            self._ticking.cancel()
            with suppress(asyncio.CancelledError):
                await self._ticking
        self._bar.stop()

    def through(self, infer: Infer) -> Infer:
        async def asking(prompt: Prompt[T], /, on_text: OnText | None = None) -> Completion[T]:
            question = self._begin(prompt)

            def heard(word: str) -> None:
                question.words += 1
                if on_text:
                    on_text(word)

            try:
                answer = await infer(prompt, heard)
            finally:
                del self._questions[id(prompt)]
                self._done += 1
            self._end(question, answer)
            return answer

        return through(infer, asking)

    def _begin(self, prompt: Prompt[Any]) -> _Question:
        number = self._numbers[prompt.name] = self._numbers.get(prompt.name, 0) + 1
        total = self._totals[prompt.name] = max(self._totals.get(prompt.name, 0), number + prompt.behind)
        part = f"{prompt.name}, part {number} of {total}" if total > 1 else prompt.name
        names = ", ".join(passage.name for passage in prompt.passages[:MOST_NAMES])
        more = len(prompt.passages) - MOST_NAMES
        question = _Question(part, f"{names} and {more} more" if more > 0 else names)
        self._questions[id(prompt)] = question
        self._say(clean(f"asking a model ({part}): {question.names}"))
        return question

    def _end(self, question: _Question, answer: Completion[Any]) -> None:
        spent = f"{answer.seconds:.0f} s, {answer.tokens_out:,} tokens" if answer.model else "nobody answered"
        host = f" by {answer.model} on {answer.host}" if answer.model else ""
        calls = "called tools" if answer.tool_calls else "no answer"
        self._say(clean(f"{question.part}: {'answered' if answer.value else calls}{host}, {spent}"))

    def _say(self, line: str) -> None:
        """One line, where no bar is shown."""
        if self._heard:
            self._heard(line)
        elif self._bar.disable:
            click.echo(click.style(line, dim=True), err=True)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            now = time.monotonic()
            if not self._numbers and self._bar.disable and now - self._said >= EVERY_SECONDS:
                self._said = now
                self._say(self._before)
            for question in [*self._questions.values()]:
                if self._bar.disable and now - question.said >= EVERY_SECONDS:
                    question.said = now
                    self._say(question.told)
            self._draw()

    def _draw(self) -> None:
        if self._bar.disable or (self._numbers and not self._questions):
            return
        if not self._questions:
            if time.monotonic() - self._began >= AFTER_SECONDS:
                self._show(self._before, None)
            return
        oldest = next(iter(self._questions.values()))
        others = len(self._questions) - 1
        what = f"{oldest.told}{f' (and {others} more)' if others else ''}"
        words = Text(what, overflow="ellipsis", no_wrap=True).plain
        total = sum(self._totals.values())
        self._show(words, total)

    def _show(self, words: str, total: int | None) -> None:
        if self._task is None:
            self._task = self._bar.add_task(words, total=total)
        self._bar.update(self._task, description=words, completed=self._done, total=total)

    @property
    def _before(self) -> str:
        """Of what comes before the first question."""
        return f"reading the change and checking it: {time.monotonic() - self._began:.0f} s"
