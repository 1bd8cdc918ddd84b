"""`hob serve`."""

import sys
from collections.abc import AsyncIterator
from functools import cache
from typing import TYPE_CHECKING, Any

import click

from bot.cli import parent_watch as life
from bot.cli.framework import HobCommand, is_debug

if TYPE_CHECKING:
    from bot.core.inference import Turn
    from bot.web.chat import ChatPiece, ChatPort


@click.command(cls=HobCommand, example="hob serve --host 0.0.0.0 --port 8700")
@click.option("--host", help="Instead of server.host.")
@click.option("--port", type=click.IntRange(0, 65535), help="Instead of server.port; 0 takes a free one.")
@life.option
def command(host: str | None, port: int | None, parent_watch: int | None) -> None:
    """Takes deliveries and shows the dashboard: the half that faces the network.

    Needs a database that `hob migrate` has prepared. Workers (`hob work`) may run on other machines.
    """
    from bot.config import load_config
    from bot.config.running import write_running
    from bot.log import setup
    from bot.web.compose import run

    life.watch(parent_watch)
    config = load_config()
    setup("debug" if is_debug() else config.hob.log_level)
    write_running(config, "serve")
    changed = {"host": config.listens_on(host), **({} if port is None else {"port": port})}
    run(
        config.model_copy(update={"server": config.server.model_copy(update=changed)}),
        _chat(config),
        _Agents(config),
        _tell_at_a_terminal,
    )


def _tell_at_a_terminal(link: str) -> None:
    """Not into a log: whoever has the link is signed in."""
    if sys.stderr.isatty():
        click.echo(f"the dashboard, once and within ten minutes: {link}", err=True)


class _Agents:
    """Takes what workers are to do (`bot.web.agents.AgentsPort`); loaded at the first request."""

    def __init__(self, config: Any) -> None:
        self._config = config

    async def _asked(self, name: str, *given: Any) -> int:
        import asyncio

        agents = await asyncio.to_thread(self._made)
        run: int = await getattr(agents, name)(*given)
        return run

    @cache  # noqa: B019  one for as long as the process lives
    def _made(self) -> Any:
        from bot.runs.asking import of

        return of(self._config)

    async def triage(self, full_name: str, number: int, auto_comment: bool, /) -> int:
        return await self._asked("triage", full_name, number, auto_comment)

    async def triage_new(self, full_name: str, auto_comment: bool, /) -> int:
        return await self._asked("triage_new", full_name, auto_comment)

    async def review(self, full_name: str, number: int, focus: Any, /) -> int:
        return await self._asked("review", full_name, number, focus)

    async def implement(self, full_name: str, number: int, context: str, /) -> int:
        return await self._asked("implement", full_name, number, context)


def _chat(config: Any) -> "ChatPort":
    """Answers questions. What that takes is loaded at the first one: most receivers are never asked, and stay
    small."""

    @cache
    def made() -> Any:
        from bot.runs.chat_service import of

        return of(config)

    import asyncio

    async def chat(
        repo: str, message: str, looks: bool, before: "tuple[Turn, ...]"
    ) -> "AsyncIterator[ChatPiece]":
        answering: ChatPort = await asyncio.to_thread(made)
        return await answering(repo, message, looks, before)

    return chat
