"""`hob tune run`."""

import asyncio
import json
from typing import TYPE_CHECKING

import click

from bot.cli.framework import HobCommand, NumberRange, RepositoryParam, tell

if TYPE_CHECKING:
    from bot.core.adapter_records import AdapterRecord


@click.command(
    "run",
    cls=HobCommand,
    example="hob tune run octo/tea\nhob tune run octo/tea --iters 1000",
)
@click.argument("repository", metavar="OWNER/REPO", type=RepositoryParam())
@click.option(
    "--model", default="", help="NAME in the Hugging Face cache; by default the first of [models] review."
)
@click.option(
    "--iters",
    type=click.IntRange(2, 1_000_000),
    default=600,
    show_default=True,
    help="Examples that are learnt from.",
)
@click.option(
    "--layers",
    type=click.IntRange(-1, 1_000),
    default=16,
    show_default=True,
    help="How many of the model's last layers learn; -1: all.",
)
@click.option(
    "--learning-rate",
    type=NumberRange(0, 1, min_open=True),
    default=1e-5,
    show_default=True,
    help="How far each example moves it.",
)
@click.option(
    "--again", is_flag=True, help="Train what was trained with the same data, model and settings before."
)
@click.option(
    "--accept-few", is_flag=True, help="Take the figure of fewer than ten held-out pull requests for enough."
)
@click.option("--json", "as_json", is_flag=True, help="Print only JSON.")
def command(
    repository: str,
    model: str,
    iters: int,
    layers: int,
    learning_rate: float,
    *,
    again: bool,
    accept_few: bool,
    as_json: bool,
) -> int:
    """Trains an adapter (LoRA, by mlx-lm) on what `hob tune export` wrote, and tries it before and after.

    It reviews the held-out pull requests as `hob eval` does, once with the model as it is and once with the
    adapter. Only a better one can be switched on (`hob tune use`). Nothing leaves this machine. Ends with 1
    where the adapter is refused.
    """
    from bot.cli.tune.tuning_run import TuningRun
    from bot.cli.waiting import TellWaiting
    from bot.config import load_config
    from bot.core.training import TrainingSettings
    from bot.log import setup

    setup("error")
    if layers == 0:
        raise click.UsageError("--layers 0 would learn nothing: name a number, or -1 for all")
    config = load_config()
    base = (model or next(iter(config.models.review), "")).partition("@")[0]
    settings = TrainingSettings(iters, layers, learning_rate)
    with TellWaiting("looking at what there is to train on") as waiting:
        run = TuningRun(config, repository, base, settings, waiting)
        record = asyncio.run(run.run(again=again, accept_few=accept_few))
    _show(record, as_json=as_json)
    if record.refusal and record.name in config.models.tuned:
        tell(f"it is on: without `hob tune off {record.repository}` Hob will not start again")
    return int(bool(record.refusal))


def _show(record: "AdapterRecord", *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"accepted": not record.refusal, **json.loads(record.text)}, indent=2))
        return
    lines = [record.name, f"  {record.losses}", f"  before  {record.before}", f"  after   {record.after}"]
    if record.refusal:
        lines.append(f"refused: {record.refusal}")
    else:
        lines.append(f"better: switch it on with `hob tune use {record.repository}`")
    click.echo("\n".join(lines))
