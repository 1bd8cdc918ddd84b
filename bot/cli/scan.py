"""`hob scan`."""

import asyncio
import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from bot.cli.framework import HobCommand, clean, folder_option, tell

LOCK_SECONDS = 1.0
MOST_NAMED = 5
"""Files that were not read."""


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
    read is remembered: the next scan goes on with the rest, and with what has changed. Tests, configuration,
    prose, and files of fewer than 10 or more than 2,000 lines are not read. PATH: files and folders of the
    repository, as .gitignore writes patterns.
    """
    from bot.config import load_config
    from bot.core.errors import UserError
    from bot.knowledge.local import Local
    from bot.log import setup

    setup("error")
    config = load_config()
    scan = Scan(Local(folder, config.hob.data_dir), paths, questions, again)
    failure = asyncio.run(scan.run(scan.say_json if as_json else scan.say))
    if failure:
        raise UserError(f"no model could read the next file: {failure}", "see `hob doctor`")
    return 0


class Scan:
    """One reading of a repository, and what came of it. Findings are kept until they were told: what is
    killed, or has no host any more, loses none."""

    def __init__(self, local: Any, paths: tuple[str, ...], most: int, again: bool) -> None:
        self.local, self.paths, self.most, self.again = local, paths, most, again
        self.kept = KeptScan(local)
        self.read: list[str] = []
        self.found: list[Any] = []
        self.left = 0
        self.left_out: dict[str, str] = {}
        """path -> why, of code that was not read and will not be by the same command"""

    async def run(self, say: Callable[[], None]) -> str:
        """Why it ended early, where no model could read a file, after all was said; UserError."""
        from bot.core.errors import TemporaryError, UserError
        from bot.knowledge.locking import locked

        try:
            async with locked(self.kept.lock, LOCK_SECONDS):
                failure = await self._run()
                say()
                self.kept.told(one.path for one in self.found)
                return failure
        except TemporaryError:
            hint = "wait until it has ended"
            raise UserError("another `hob scan` is reading this repository", hint) from None

    async def _run(self) -> str:
        from bot.cli.index.progress import ProgressBar
        from bot.core.findings import fingerprint
        from bot.core.scan import moved, riskiest, standing, too_long
        from bot.core.text import count

        with ProgressBar() as progress:
            index = await asyncio.to_thread(self.local.index, progress)
        files = [one for one in await self.local.indexed.risks() if self._meant(one.path)]
        self.left_out = {one.path: one.why for one in index.left_out if self._meant(one.path)}
        self.left_out |= {one.path: one.why for one in too_long(files)}
        self.kept.read()
        self.kept.move(moved(files, self.kept.known))
        known = dict(self.kept.known)
        todo = riskiest(files, {} if self.again else known)
        before = [one for one in files if one.path in known]
        self._refuse_nothing(bool(todo or before))
        if before and not todo:
            as_before = f"{count(len(before), 'file')} are as an earlier scan read them (--again)"
            tell(f"nothing is left to read: {as_before}")
        untold = standing(known.values(), {one.path: one.blob for one in files})
        failure, done = await self._read_on(todo) if todo else ("", set())
        self.found = list({fingerprint(one): one for one in (*untold, *self.found)}.values())
        left = {one.path for one in todo} - {*self.left_out, *done}
        self.left = len(left)
        return failure

    def _meant(self, path: str) -> bool:
        from bot.core.scan import is_code
        from bot.patterns import wanted

        return is_code(path) and (not self.paths or wanted(path, list(self.paths)))

    def _refuse_nothing(self, there: bool) -> None:
        from bot.core.errors import UserError
        from bot.core.scan import LEAST_LINES

        if not there and not self.left_out:
            under = f" under {', '.join(self.paths)[:80]}" if self.paths else ""
            never = f"tests, configuration, prose and files of fewer than {LEAST_LINES} lines are not read"
            raise UserError(
                f"there is no file to read{under}", f"{never}; commit it first, or name another PATH"
            )

    async def _read_on(self, todo: Sequence[Any]) -> tuple[str, set[str]]:
        """(why it ended early, the files that are known by now)"""
        from bot.agents.scan import in_part, read_on
        from bot.cli.review.progress import Asked
        from bot.context import TOOLS
        from bot.core.code_search import whole
        from bot.core.concurrency import nobody_waits
        from bot.core.text import count, day
        from bot.implement_facts import looking
        from bot.local.change import LocalRange, is_bare
        from bot.local.judge import local_context
        from bot.scripting import Workshop

        local, done = self.local, set[str]()
        ctx, indexed = local_context(local.root, LocalRange(local.tip, local.tip, "", "", "")), local.indexed
        context = await ctx.repository(local.tip)

        async def lines_of(file: Any) -> Any:
            tell(f"{file.path}: {file.why}")
            return await whole(indexed, file.path, file.lines)

        def too_large(file: Any, need: int) -> None:
            self.left_out[file.path] = f"it takes {count(need, 'question')}: see --questions"

        repo = None if await is_bare(local.root) else local.root
        async with Workshop(repo=repo, base=(local.root, local.tip)) as shop, Asked() as asked:
            reading = read_on(
                todo,
                lines_of,
                context,
                asked.through(shop.infer()),
                day(time.time()),
                self.most,
                self.most,
                goes_on=nobody_waits,
                too_large=too_large,
                tools=TOOLS,
                looking=looking(ctx, local.tip, indexed),
            )
            async for one, judged in reading:
                if one is None:
                    return (judged.coverage.failure if judged else "") or "nobody knows why", done
                if not one.blob:
                    self.left_out[one.path] = "no model gave a usable answer"
                    continue
                self.kept.keep(one)
                done.add(one.path)
                self.read += [one.path] if judged else []
                if why := in_part(judged):
                    self.left_out[one.path] = f"in part: {why}"
                self.found += one.findings
        return "", done

    def say(self) -> None:
        from bot.core.text import count, some_of

        for one in map(_as_json, self.found):
            click.echo(clean(f"{one['path']}:{one['line']}  {one['severity']}  {one['title']}"))
            click.echo(f"    {clean(one['body'])}")
        more = f"; {count(self.left, 'file')} left: run it again" if self.left else ""
        click.echo(f"{count(len(self.found), 'finding')} in {count(len(self.read), 'file')}{more}.")
        if self.left_out:
            named = [f"{path} ({why})" for path, why in self.left_out.items()]
            click.echo(clean(f"Not read: {some_of(named, MOST_NAMED)}."))

    def say_json(self) -> None:
        left_out = [{"path": path, "why": why} for path, why in self.left_out.items()]
        told = {"findings": list(map(_as_json, self.found)), "read": self.read, "left": self.left}
        click.echo(json.dumps({**told, "left_out": left_out}, indent=2))


class KeptScan:
    """What was read of a repository of this machine, a file of JSON in the data directory; of findings those
    that nobody was told yet."""

    def __init__(self, local: Any) -> None:
        from bot.paths import make_private

        folder: Path = local.path.parent.parent / "scans"
        make_private(folder)
        self._file = folder / f"{local.path.stem}.json"
        self.lock = self._file.with_suffix(".lock")
        self.known: dict[str, Any] = {}
        """By path."""

    def read(self) -> None:
        """Nothing of what cannot be read."""
        from bot.core.scan import of_text

        try:
            self.known = {one.path: one for one in of_text(self._file.read_bytes())}
        except OSError:
            self.known = {}

    def move(self, moved: Mapping[str, Any]) -> None:
        """What is known under another path now, by the old one."""
        for old, one in moved.items():
            del self.known[old]
            self.known[one.path] = one

    def keep(self, one: Any) -> None:
        """At once, in the place of what is known of that file."""
        self.known[one.path] = one
        self._write()

    def told(self, paths: Iterable[str]) -> None:
        """What was found in these files."""
        some = set(paths)
        told = (one for one in self.known.values() if one.path in some and one.findings)
        if changed := {one.path: replace(one, findings=()) for one in told}:
            self.known |= changed
            self._write()

    def _write(self) -> None:
        from bot.core.scan import as_text
        from bot.paths import put_private

        put_private(self._file, as_text(self.known.values()))


def _as_json(one: Any) -> dict[str, Any]:
    names = ("path", "line", "severity", "title", "body", "confidence")
    return {name: getattr(one, name) for name in names}
