"""`hob tune export`."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from bot.cli.framework import HobCommand, RepositoryParam, tell
from bot.cli.waiting import TellWaiting


@click.command(
    cls=HobCommand,
    example="hob tune export octo/tea\nhob tune export octo/tea --last 500 --max-tokens 8192",
)
@click.argument("repository", metavar="OWNER/REPO", type=RepositoryParam())
@click.option(
    "--last",
    type=click.IntRange(10, 2_000),
    default=200,
    show_default=True,
    help="How many merged pull requests are read; each costs two calls to GitHub, and each commit on which "
    "something was decided five more.",
)
@click.option(
    "--max-tokens",
    type=click.IntRange(2_048, 131_072),
    default=4_096,
    show_default=True,
    help="About as many has an example at most; a longer one is left out and counted.",
)
@click.option("--json", "as_json", is_flag=True, help="Print only JSON.")
def export(repository: str, last: int, max_tokens: int, *, as_json: bool) -> None:
    """Writes training data of what people decided in merged pull requests, and keeps the newest apart.

    Hob's own findings that were mended or dismissed, remarks of people who may write that led to a change,
    and what a fix mended soon after. Nothing is sent anywhere. A private repository needs `tune = true` under
    [privacy] in hob.toml.
    """
    from bot.config import load_config
    from bot.log import setup
    from bot.runs.exporting import training_history
    from bot.runs.tuning_folder import refuse_unusable, tune_folder

    setup("error")
    refuse_unusable(tune_folder(load_config(), repository).path)
    with TellWaiting(f"reading {repository}"):
        made = asyncio.run(training_history(repository, last, max_tokens, tell))
        manifest, folder = (None, None) if made.left else _written(made, max_tokens)
    if as_json:
        told = json.loads(manifest.text) if manifest else {}
        counts = {"repository": repository, "pull_requests": made.read, "not_read": made.left}
        click.echo(json.dumps({**counts, "folder": folder and str(folder), **told}, indent=2))
    elif manifest is None:
        rest = f"{made.left} more are not, for its limit is left to others, or GitHub does not answer"
        click.echo(f"{made.read} merged pull requests of {repository} are read; {rest}.")
        click.echo("Nothing is written yet. Run it again later: it goes on where it was.")
    else:
        _show(manifest, folder)


def _written(made: Any, max_tokens: int) -> tuple[Any, Path]:
    from collections import Counter

    from bot.config import load_config
    from bot.core.tuning import DATA, DATA_FILES, STRADDLES, ExportManifest, by_time, data_digest
    from bot.runs.tuning_folder import put_export, tuning_folder

    split = by_time(one.pulls[0] for one in made.examples)
    lines: dict[Any, list[str]] = {name: [] for name in DATA_FILES}
    sources: Counter[str] = Counter()
    left_out = Counter(made.left_out)
    for one in made.examples:
        if side := split.side(one.pulls):
            lines[side].append(f"{one.line}\n")
            sources[one.source] += 1
        else:
            left_out[STRADDLES] += 1
    data = {name: "".join(some) for name, some in lines.items()}
    cases = dict(_case(made.repo.full_name, one) for one in made.changes if split.side(one.pulls) == "test")
    by_file = {**{name: len(some) for name, some in lines.items()}, "cases": len(cases)}
    manifest = ExportManifest(
        made.repo.full_name,
        made.repo.id,
        _iso(datetime.now(UTC).timestamp()),
        "" if split.held_out_from is None else _iso(split.held_out_from),
        data_digest({name: text.encode() for name, text in data.items()}),
        max_tokens,
        {"by_source": dict(sources), "by_file": by_file},
        made.redacted,
        {why: count for why, count in left_out.items() if count},
        made.repo.private,
    )
    folder = tuning_folder(load_config().hob.data_dir, made.repo.id)
    files = {f"{DATA}/{name}.jsonl": text for name, text in data.items() if text} | cases
    asyncio.run(put_export(folder, files, manifest))
    return manifest, folder


def _case(full_name: str, one: Any) -> tuple[str, str]:
    """(its file, a labelled case of the parts of which something was decided)"""
    from bot.core.diff import git_diff_text
    from bot.core.tuning import CASES
    from bot.evals.cases import Case, GoldenComment

    (number, _), *_ = one.pulls
    golden = [
        GoldenComment(
            path=each.point.path,
            start=each.first,
            end=each.last,
            quote=each.quote,
            title=each.point.title,
            body=each.point.body,
            severity=each.point.severity,
        )
        for each in one.golden
    ]
    case = Case(
        version=1,
        name=f"{full_name}#{number} at {one.head[:10]}",
        title=one.title,
        body=one.body,
        diff=git_diff_text(one.files),
        texts=dict(one.texts),
        settings=one.settings,
        golden=golden,
    )
    return f"{CASES}/{number}-{one.head[:10]}.json", json.dumps(case.model_dump(), indent=1) + "\n"


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _show(manifest: Any, folder: Any) -> None:
    from bot.cli.tables import console, row, table
    from bot.core.text import count
    from bot.core.tuning import LEAST_EXAMPLES

    out = console(100)
    made = table("what", "examples", title=manifest.repository)
    for source, said in SOURCES.items():
        row(made, said, str(manifest.counts["by_source"].get(source, 0)))
    out.print(made)
    files = table("file", "for", "")
    for name, said in FILES.items():
        row(files, name, said, str(manifest.counts["by_file"][name]))
    out.print(files)
    if manifest.left_out:
        left = table("left out", "")
        for why, many in sorted(manifest.left_out.items(), key=lambda one: -one[1]):
            row(left, why, str(many))
        out.print(left)
    if manifest.redacted:
        click.echo(f"credentials were taken out in {count(manifest.redacted, 'place')}")
    click.echo(f"written to {folder}")
    train = manifest.counts["by_file"]["train"]
    if train < LEAST_EXAMPLES:
        click.echo(
            f"{count(train, 'example')} to train on: too few to learn from. At least {LEAST_EXAMPLES} are "
            "worth a try, some hundred are better: read more pull requests (--last), or wait for more."
        )


SOURCES = {
    "accepted": "findings of Hob's that were mended",
    "dismissed": "findings of Hob's that people dismissed: not to be said",
    "remark": "remarks of people that led to a change",
    "fix": "what a fix mended soon after the merge",
    "quiet": "code beside such remarks that nobody minded",
}
FILES = {
    "train": "to be trained on",
    "valid": "looked at while training",
    "test": "held out, the newest",
    "cases": "held out, for hob eval",
}
