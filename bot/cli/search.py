"""`hob search`."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from bot.cli.framework import EXISTING, HobCommand, clean, folder_option

MOST = 100
MOST_RERANKED = 30
LONGEST_LINE = 160


@click.command(
    cls=HobCommand,
    example='hob search "where are signatures checked"\nhob search Inbox.put --folder ~/src/hob -k 3 --json',
)
@click.argument("query")
@folder_option(old="--path", type=EXISTING)
@click.option(
    "-k", "k", type=click.IntRange(1, MOST), default=10, show_default=True, help="How many results."
)
@click.option(
    "--rerank", is_flag=True, help="A local model looks at the first thirty and puts them in order."
)
@click.option("--json", "as_json", is_flag=True, help="Print only JSON.")
def command(query: str, folder: Path, k: int, rerank: bool, as_json: bool) -> None:
    """Finds the files and symbols that a question, an issue's text or a name is about.

    The index is brought to the last commit first; what is not committed is not searched. Archives of
    hob.toml are searched too (`@name/path`). Each result shows the line with most of the words, and says why
    it was found.
    """
    from bot.cli.index.progress import ProgressBar
    from bot.config import load_config
    from bot.knowledge.local import Local, search_beside
    from bot.log import setup

    setup("error")
    if not query.strip():
        raise click.UsageError("the query is empty")
    config = load_config()
    local = Local(folder, config.hob.data_dir)
    with ProgressBar() as told:
        most = max(k, MOST_RERANKED) if rerank else k
        outlined, wrong = search_beside(local, config.knowledge.archives, query, most, told)
    found = (_reranked(query, outlined, local.root) if rerank else [one for one, _ in outlined])[:k]
    for line in wrong:
        click.echo(f"hob: {clean(line)}", err=True)
    if as_json:
        results = {"results": [result_as_json(each) for each in found], "sha": local.tip}
        click.echo(json.dumps(results))
        return
    for each in found:
        for line in _lines(each):
            click.echo(line)
    said = f"as of {local.tip[:7]}; what is not committed is not searched"
    click.echo(click.style(said if found else f"nothing was found, {said}", dim=True), err=True)


def _reranked(query: str, found: Any, root: Path) -> list[Any]:
    """In the order of a model; as it was where none answers, which is said."""
    import asyncio

    from bot.agents.rerank import rerank
    from bot.log import redact
    from bot.scripting import Workshop

    async def asked() -> Any:
        async with Workshop(repo=root if (root / ".git").exists() else None) as shop:
            return await rerank(query, [what for _, what in found], shop.infer(), local=True)

    done = asyncio.run(asked())
    if done.failure:
        click.echo(f"hob: the order is the search's own: {redact(done.failure)}", err=True)
    return [found[place][0] for place in done.order]


def _lines(found: Any) -> Iterator[str]:
    from bot.core.text import cut

    symbol = f"  {found.symbol}" if found.symbol else ""
    path = f"@{found.source}/{found.path}" if found.source else found.path
    yield click.style(f"{clean(path)}:{found.start}-{found.end}", bold=True) + clean(symbol)
    if found.text:
        yield f"    {found.line}: {cut(clean(found.text).strip(), LONGEST_LINE, end='…')}"
    yield click.style(f"    {clean('; '.join(found.why))}", dim=True)


def result_as_json(found: Any) -> dict[str, Any]:
    """One of what was found, for programs."""
    return {
        "path": found.path,
        "symbol": found.symbol,
        "start": found.start,
        "end": found.end,
        "line": found.line,
        "text": found.text,
        "score": found.score,
        "why": list(found.why),
        **({"source": found.source} if found.source else {}),
    }
