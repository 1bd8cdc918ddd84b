"""`hob index`."""

import json
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click

from bot.cli.framework import EXISTING, HobCommand, clean, folder_option

SHOWN = 3
"""Paths that stand for each reason."""


@click.command(cls=HobCommand, example="hob index\nhob index ~/src/shop --json")
@click.argument("named", metavar="[FOLDER]", type=EXISTING, required=False)
@folder_option(old="--path", type=EXISTING)
@click.option("--json", "as_json", is_flag=True, help="Print only JSON, with every file that is left out.")
def command(named: Path | None, folder: Path, as_json: bool) -> None:
    """Builds the index of a local repository, or brings it to the last commit.

    Only what changed is read. What is not committed is not indexed. The index lies in the data directory
    and may be deleted at any time.
    """
    from bot.cli.index.progress import ProgressBar
    from bot.config import load_config
    from bot.knowledge.local import Local
    from bot.log import setup

    setup("error")
    began = time.monotonic()
    local = Local(named or folder, load_config().hob.data_dir)
    with ProgressBar() as told:
        indexed = local.index(told)
    if as_json:
        click.echo(json.dumps(_as_json(indexed)))
        return
    for line in _lines(indexed, time.monotonic() - began):
        click.echo(clean(line))


def _lines(indexed: Any, seconds: float) -> Iterator[str]:
    sizes, updated = indexed.sizes, indexed.updated
    if indexed.rebuilt:
        yield f"The index was built again: {indexed.rebuilt}"
    yield (
        f"{sizes.files:,} files in {sizes.chunks:,} passages, {sizes.commits:,} commits, "
        f"as of {updated.sha[:7]}: {sizes.octets / 1e6:.1f} MB in {indexed.path}"
    )
    if updated.was == updated.sha and not indexed.rebuilt:
        yield "Nothing was new."
    else:
        yield (
            f"Read {updated.read:,} new or changed files and {updated.commits:,} commits, dropped "
            f"{updated.removed:,} files and {updated.forgotten:,} commits, in {seconds:.1f} s."
        )
    if indexed.left_out:
        yield f"Left out {len(indexed.left_out):,} files:"
        yield from _reasons(indexed.left_out)


def _reasons(left_out: Iterable[Any]) -> Iterator[str]:
    """A line for each reason, the commonest first."""
    by_why: dict[str, list[str]] = defaultdict(list)
    for each in left_out:
        by_why[each.why].append(each.path)
    for why, paths in sorted(by_why.items(), key=lambda item: (-len(item[1]), item[0])):
        more = ", …" if len(paths) > SHOWN else ""
        yield f"  {len(paths):,} {why}: {', '.join(paths[:SHOWN])}{more}"


def _as_json(indexed: Any) -> dict[str, Any]:
    sizes, updated = indexed.sizes, indexed.updated
    return {
        "sha": updated.sha,
        "was": updated.was,
        "index": str(indexed.path),
        "files": sizes.files,
        "passages": sizes.chunks,
        "commits": sizes.commits,
        "languages": dict(sizes.languages),
        "bytes": sizes.octets,
        "read": updated.read,
        "removed": updated.removed,
        "new_commits": updated.commits,
        "forgotten_commits": updated.forgotten,
        "rebuilt": indexed.rebuilt,
        "left_out": [{"path": each.path, "why": each.why} for each in indexed.left_out],
    }
