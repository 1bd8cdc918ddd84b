"""The processor's time, for tests of how it grows with the text."""

import gc
import time
from types import TracebackType
from typing import Self


class Spent:
    """`with Spent() as spent:`, then `spent.seconds`: this thread's own, without a collection of what a
    thousand earlier tests have left, so that neither changes it."""

    seconds = 0.0

    def __enter__(self) -> Self:
        self._collects = gc.isenabled()
        gc.disable()
        self._begun = time.thread_time()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, wrong: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.seconds = time.thread_time() - self._begun
        if self._collects:
            gc.enable()
