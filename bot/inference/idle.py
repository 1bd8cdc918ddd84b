"""Stops hosts that were started and that nobody uses any more."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from bot.core.places import Board
from bot.inference.door import Door


@dataclass(slots=True)
class Idle:
    """Watches the hosts that this process has started."""

    board: Board
    doors: Sequence[Door]
    _watching: asyncio.Task[None] | None = None

    def watch(self) -> None:
        """From now on, until none of them runs."""
        if self._watching is None or self._watching.done():
            self._watching = asyncio.create_task(self._watch(), name="idle hosts")

    async def aclose(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)

    async def _watch(self) -> None:
        while started := [door for door in self.doors if door.program.was_started]:
            await asyncio.sleep(min(door.host.idle_minutes for door in started) * 60 / 4)
            traffics = await self.board.look([door.host.name for door in started])
            for door in started:
                traffic = traffics[door.host.name]
                busy = traffic.inside or traffic.waiting or door.inside
                if not busy and traffic.idle_seconds >= door.host.idle_minutes * 60:
                    await door.program.stop()
                    door.forget()
