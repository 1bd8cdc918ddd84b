"""Ways in which a model host misbehaves, each seen on real ones."""

import asyncio
import gzip
from functools import cache

from tests.fakes.models import Act, Dropped, Stage


async def hang(_: Stage) -> None:
    """Says nothing."""
    await asyncio.Event().wait()


async def hang_midway(stage: Stage) -> None:
    """Says a little, then nothing."""
    await stage.token('{"')
    await asyncio.Event().wait()


async def drip(stage: Stage) -> None:
    """One byte every 0.8 s, of a line that comes to no end within two minutes."""
    for _ in range(150):
        await stage.raw(b" ")
        await asyncio.sleep(0.8)


async def garbage(stage: Stage) -> None:
    """Something that is no stream of JSON lines."""
    await stage.raw(b"\x00\xff\xfe<html>Bad gateway</html>\n")
    await stage.end()


async def half(stage: Stage) -> None:
    """Ends without the last line, as Ollama does when a model repeats itself."""
    await stage.token('{"kind": ')
    await stage.end()


async def drop(stage: Stage) -> None:
    """The connection breaks in the middle."""
    await stage.token('{"kind": ')
    raise Dropped


async def error_line(stage: Stage) -> None:
    """An error inside a 200."""
    await stage.token('{"kind": ')
    await stage.fail("an error was encountered while running the model: CUDA error")
    await stage.end()


async def gzip_bomb(stage: Stage) -> None:
    """200 MB of spaces in 194 KB."""
    await stage.start(content_encoding="gzip")
    await stage.raw(_bomb())
    await stage.end()


@cache
def _bomb() -> bytes:
    return gzip.compress(b" " * 200_000_000, compresslevel=9)


async def endless(stage: Stage) -> None:
    """Never stops talking, whatever `num_predict` says."""
    while True:
        await stage.token("word " * 500)
        await asyncio.sleep(0)  # so that it is seen when the other side has left


def redirect(to: str) -> Act:
    """Sends the request elsewhere."""

    async def act(stage: Stage) -> None:
        await stage.start(307, location=to)
        await stage.end()

    return act


def status(code: int, error: str) -> Act:
    """Refuses."""
    return lambda stage: stage.refuse(code, error)


def calls(*called: tuple[str, object]) -> Act:
    """Calls of tools instead of an answer: (name, arguments)."""
    return lambda stage: stage.calls(*called)
