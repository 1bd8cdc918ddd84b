"""Hob's work in a process that kills itself at a named step: before and after each request that it sends,
before and after each commit of its database.

`python -m tests.faults.stepped` imports Hob once and forks a process for each line that it reads, so that a
kill costs no start. The product knows nothing of it.
"""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import traceback
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Connection

from bot.config import load_config, load_router
from bot.github.limits import LocalRateLimiter
from bot.http import AsyncHTTPTransport, Request, Response
from bot.process import is_gone
from bot.runs.dispatch import route_delivery
from bot.runs.execute import perform_in
from bot.runs.services import build
from bot.store import Decision
from bot.store.database import Database

ROUNDS = 30
"""Looks for what is due, of one process."""


@dataclass
class Steps:
    """Writes each step's name into a file as it is come to: what it is, and for the how manieth time."""

    log: Path
    kill: str
    seen: Counter[str] = field(default_factory=Counter)

    def at(self, name: str) -> None:
        self.seen[name] += 1
        step = f"{name} #{self.seen[name]}"
        with self.log.open("a") as file:
            file.write(step + "\n")
        if step == self.kill:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(self) -> None:
        """From now on."""
        write, send = Database.write, AsyncHTTPTransport.handle_async_request
        steps = self

        @contextmanager
        def watched_write(self: Database) -> Iterator[Connection]:
            name = sys._getframe(2).f_code.co_qualname
            with write(self) as connection:
                yield connection
                steps.at(f"before the commit of {name}")
            steps.at(f"after the commit of {name}")

        async def watched_send(self: AsyncHTTPTransport, request: Request) -> Response:
            name = f"{request.method} {_plain(request.url.path)}"
            steps.at(f"before {name}")
            response = await send(self, request)
            steps.at(f"after {name}")
            return response

        Database.write = watched_write  # type: ignore[method-assign]
        AsyncHTTPTransport.handle_async_request = watched_send  # type: ignore[method-assign]


def _plain(path: str) -> str:
    """Without what differs from one time to the next."""
    path = re.sub(r"^(?:/api/v3)?/repos/[^/]+/[^/]+", "", path)
    path = re.sub(r"/hob/[^/]+", "/hob/…", path)
    return re.sub(r"/[0-9a-f]{40}|/\d+", "/N", path)


async def work(config_file: str, environment: Mapping[str, str]) -> None:
    """Takes up what others left and does what is due, until there is nothing."""
    services = build(load_config(Path(config_file), environment), LocalRateLimiter())
    store = services.store
    store.recovery.release_dead(is_gone)
    for delivery in store.inbox.undispatched():
        specs = route_delivery(delivery, services.router, services.config.github.app_slug, 0.0)
        store.routing.record([Decision(delivery, "routed" if specs else "ignored", specs)])
    for _ in range(ROUNDS):
        due = store.runs.due(2**40)
        if not due:
            break
        for run in due:
            await perform_in(services, run.id)
        await asyncio.sleep(0.05)
    await services.aclose()


def main() -> None:
    for line in sys.stdin:
        asked = json.loads(line)
        load_router(load_config(Path(asked["config"]), asked["environment"]))  # imported once for all
        child = os.fork()
        if child == 0:
            try:
                Steps(Path(asked["log"]), asked["kill"]).watch()
                asyncio.run(work(asked["config"], asked["environment"]))
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


class SteppedHob:
    """The process that forks. `run` gives how its child ended: 0, or minus the signal."""

    def __init__(self, config: Path, environment: Mapping[str, str], folder: Path) -> None:
        self._asked: dict[str, Any] = {"config": str(config), "environment": dict(environment)}
        self._log, self._errors = folder / "steps", (folder / "stepped.log").open("w+")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("HOB_")}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.stepped"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env=inherited,
        )

    def run(self, kill: str = "") -> int:
        self._log.write_text("")
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({**self._asked, "log": str(self._log), "kill": kill}) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, self.errors()
        return int(answer)

    @property
    def steps(self) -> list[str]:
        """Of the last run, in order."""
        return self._log.read_text().splitlines()

    def errors(self) -> str:
        self._errors.seek(0)
        return self._errors.read()[-3000:]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(20)
        if self._process.stdout:
            self._process.stdout.close()
        self._errors.close()


if __name__ == "__main__":
    main()
