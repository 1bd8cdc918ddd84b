"""The only job that a worker of ours runs: one function by name, one row id.

RQ imports and calls what a job's hash names, callbacks too, so whoever can write to Redis could run anything.
This class takes an allow-list instead; a job that wants more fails with its reason. It serves RQ's own worker
as well: `rq worker --job-class bot.queue.job.HobJob --serializer json hob-high`.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from rq.job import Job
from rq.utils import import_attribute

from bot.core.errors import HobError

PERFORM = "bot.runs.perform"
FORMERLY = "bot.jobs.perform"
"""The same function as jobs of 0.1.0 name it: they may still be queued."""


class RefusedJob(HobError):
    """A job that is none of ours, or was tampered with."""


def job_id(delivery: str, handler: str) -> str:
    """RQ's id of a run: `{guid}-{handler}` in the characters that RQ takes.
    https://python-rq.org/docs/#job-id"""
    return re.sub(r"[^A-Za-z0-9_-]", "_", f"{delivery}-{handler}")[:200]


def allowing(functions: Iterable[str]) -> type["HobJob"]:
    """The job class that takes these functions."""
    names = frozenset(functions)
    return HobJob if names <= HobJob.allowed else type("HobJob", (HobJob,), {"allowed": names})


class HobJob(Job):
    """Runs `allowed` functions with one positive integer; has no callbacks, webhooks, repeats,
    dependencies or rate limits."""

    allowed: ClassVar[frozenset[str]] = frozenset({PERFORM, FORMERLY})
    extras: str = ""
    """What the hash in Redis asked for beyond a call."""

    def restore(self, raw_data: Any) -> None:
        """Reads the hash and drops what no job of ours has; `run_id` says so."""
        super().restore(raw_data)
        callbacks: list[object] = [
            self._success_callback_name,
            self._failure_callback_name,
            self._stopped_callback_name,
        ]
        wanted = {
            "a callback": any(callbacks),
            "a webhook": self.webhooks,
            "a dependency": self._dependency_ids,
            "to repeat": self.repeats_left,
            "a retry": self.retries_left,
            "a rate limit": self.rate_limit_key or self.rate_limit_concurrency,
        }
        self.extras = ", ".join(name for name, value in wanted.items() if value)
        self._success_callback_name = self._failure_callback_name = self._stopped_callback_name = None
        self.webhooks = []
        self._dependency_ids = []
        self.repeats_left = self.retries_left = None
        self.rate_limit_key = self.rate_limit_concurrency = None

    @property
    def run_id(self) -> int:
        """The row that this job is about. Raises `RefusedJob`."""
        try:
            call: tuple[Any, ...] = (self.func_name, self.instance, self.args, self.kwargs)
        except Exception as error:
            raise RefusedJob("the job's data cannot be read") from error
        name, instance, args, kwargs = call
        if self.extras:
            raise RefusedJob(f"the job asks for {self.extras}")
        if name not in self.allowed or instance is not None:
            raise RefusedJob(f"the job names {str(name)[:100]!r}, which may not be run")
        if (
            kwargs
            or not isinstance(args, list | tuple)
            or [type(each) for each in args] != [int]
            or args[0] < 1
        ):
            raise RefusedJob("the job's arguments are not one row id")
        return int(args[0])

    @property
    def func(self) -> Callable[[int], Any]:
        """The function, imported only when it is allowed. Raises `RefusedJob`."""
        assert self.run_id  # noqa: S101  raises for anything but ours
        name = PERFORM if self.func_name == FORMERLY else str(self.func_name)
        function: Callable[[int], Any] = import_attribute(name)
        return function

    @property
    def success_callback(self) -> None:
        """None, whatever Redis says."""

    @property
    def failure_callback(self) -> None:
        """None, whatever Redis says."""

    @property
    def stopped_callback(self) -> None:
        """None, whatever Redis says."""
