"""`hob scan`."""

import asyncio
import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from bot.cli.framework import HobCommand, clean, folder_option, tell


@click.command(
    cls=HobCommand, example="hob scan\nhob scan src/pay --questions 40\nhob scan --again --json > found.json"
)
@click.argument("paths", metavar="[PATH]...", nargs=-1)
@folder_option(old="--repo")
@click.option(
    "--questions",
    type=click.IntRange(2, 10_000),
    default=20,
    show_default=True,
    help="To models, at most: each file takes two or more.",
)
@click.option("--again", is_flag=True, help="Read files too that were read as they are.")
@click.option("--json", "as_json", is_flag=True, help="Print only JSON.")
def command(paths: tuple[str, ...], folder: Path, questions: int, again: bool, as_json: bool) -> int:
    """Reads code that nobody is changing, the riskiest files first, and says what it finds.

    The index is brought to the last commit and says what is risky: changed and mended often, no test named
    after it, before money or secrets by its name. Each finding is verified by a second question. What was
    read is remembered: the next scan goes on with the rest, and with what has changed. PATH: files and
    folders of the repository, as .gitignore writes patterns.
    """
    from bot.config import load_config
    from bot.knowledge.local import Local
    from bot.log import setup

    setup("error")
    config = load_config()
    local = Local(folder, config.hob.data_dir)
    read, found, left = asyncio.run(_scanned(local, paths, questions, again))
    told = [_as_json(one) for one in found]
    if as_json:
        click.echo(json.dumps({"findings": told, "read": read, "left": left}, indent=2))
        return 0
    for one in told:
        click.echo(clean(f"{one['path']}:{one['line']}  {one['severity']}  {one['title']}"))
        click.echo(f"    {clean(one['body'])}")
    _tell_end(len(found), len(read), left)
    return 0


def _tell_end(found: int, read: int, left: int) -> None:
    from bot.core.text import count

    more = f"; {count(left, 'file')} left: run it again" if left else ""
    click.echo(f"{count(found, 'finding')} in {count(read, 'file')}{more}.")


def _nothing_to_read(files: int, known: dict[str, Any]) -> str:
    from bot.core.scan import LEAST_LINES, MOST_LINES
    from bot.core.text import count

    before = f"; {len(known)} of them as they are, by an earlier scan (--again)" if known else ""
    read = f"read are those of code, not of tests, with {LEAST_LINES} to {MOST_LINES:,} lines"
    return f"nothing is left to read of {count(files, 'file')}: {read}{before}"


async def _scanned(
    local: Any, paths: tuple[str, ...], most: int, again: bool
) -> tuple[list[str], list[Any], int]:
    """(files that were read, findings in them, how many files are left)."""
    from bot.agents.scan import read_on
    from bot.cli.index.progress import ProgressBar
    from bot.cli.review.progress import Asked
    from bot.context import TOOLS
    from bot.core.code_search import whole
    from bot.core.concurrency import nobody_waits
    from bot.core.errors import UserError
    from bot.core.scan import riskiest
    from bot.core.text import day
    from bot.implement_facts import looking
    from bot.local.change import LocalRange
    from bot.local.judge import local_context
    from bot.patterns import wanted
    from bot.scripting import Workshop

    with ProgressBar() as progress:
        await asyncio.to_thread(local.index, progress)
    kept = KeptScan(local)
    known = {} if again else kept.read()
    files = [one for one in await local.indexed.risks() if not paths or wanted(one.path, list(paths))]
    if not files:
        under = f" under {', '.join(paths)[:80]}" if paths else ""
        raise UserError(f"there is no file to read{under}", "commit it first, or name another PATH")
    read: list[str] = []
    found: list[Any] = []
    night = day(time.time())
    here = LocalRange(local.tip, local.tip, "", "", "")
    ctx, indexed = local_context(local.root, here), local.indexed
    context = await ctx.repository(local.tip)

    async def lines_of(file: Any) -> Any:
        tell(f"{file.path}: {file.why}")
        return await whole(indexed, file.path, file.lines)

    async with Workshop(repo=local.root) as shop, Asked() as asked:
        infer, todo = asked.through(shop.infer()), riskiest(files, known)
        if not todo:
            tell(_nothing_to_read(len(files), known))
        reading = read_on(
            todo,
            lines_of,
            context,
            infer,
            night,
            most,
            most,
            goes_on=nobody_waits,
            tools=TOOLS,
            looking=looking(ctx, local.tip, indexed),
        )
        async for one, judged in reading:
            if one is None:
                why = judged.coverage.failure if judged else ""
                raise UserError(f"no model could read the next file: {why}", "see `hob doctor`")
            known[one.path] = one
            kept.write(known.values())
            read += [one.path] if judged else []
            found += one.findings
    return read, found, len(riskiest(files, known))


class KeptScan:
    """What was read of a repository of this machine, a file of JSON in the data directory."""

    def __init__(self, local: Any) -> None:
        self._file: Path = local.path.parent.parent / "scans" / f"{local.path.stem}.json"

    def read(self) -> dict[str, Any]:
        """By path; nothing of what cannot be read."""
        from bot.core.scan import of_text

        try:
            return {one.path: one for one in of_text(self._file.read_bytes())}
        except OSError:
            return {}

    def write(self, known: Iterable[Any]) -> None:
        from bot.core.scan import as_text
        from bot.paths import put_private

        put_private(self._file, as_text(known))


def _as_json(one: Any) -> dict[str, Any]:
    names = ("path", "line", "severity", "title", "body", "confidence")
    return {name: getattr(one, name) for name in names}
