"""`hob tune list`, `use` and `off`."""

import json
from typing import TYPE_CHECKING, Any

import click

from bot.cli.framework import HobCommand, RepositoryParam, clean
from bot.core.errors import UserError

if TYPE_CHECKING:
    from bot.config import Config
    from bot.core.adapter_records import AdapterRecord

JSON = click.option("--json", "as_json", is_flag=True, help="Print only JSON.")
RESTART = "it counts once `hob up` or `hob work` is started again"


@click.command("list", cls=HobCommand, example="hob tune list\nhob tune list --json")
@JSON
def show(as_json: bool) -> None:
    """Shows every adapter that was trained: its figures, whether it is on, or why it may not be."""
    from bot.config import load_config
    from bot.runs.tuning_folder import every_record

    config = load_config()
    records = every_record(config.hob.data_dir)
    missing = [name for name in config.models.tuned if name not in {one.name for one in records}]
    if as_json:
        told = [_as_json(one, config) for one in records]
        click.echo(json.dumps({"adapters": told, "missing": missing}, indent=2))
        return
    for one in records:
        click.echo(f"{one.name}\n  {clean(one.made[:10])}, {_state(one, config)}; {one.figures}")
    for name in missing:
        click.echo(f"{clean(name)}\n  named in [models] tuned, and not there: `hob tune off` takes it out")
    if not records and not missing:
        click.echo("nothing was trained yet: `hob tune run OWNER/REPO`")


def _state(record: "AdapterRecord", config: "Config") -> str:
    if record.refusal:
        return f"refused: {record.refusal}"
    return "on" if record.name in config.models.tuned else "off"


def _as_json(record: "AdapterRecord", config: "Config") -> dict[str, Any]:
    return {"on": record.name in config.models.tuned, **json.loads(record.text)}


@click.command("use", cls=HobCommand, example="hob tune use octo/tea\nhob tune use octo/tea 1a2b3c4d5e6f")
@click.argument("repository", metavar="OWNER/REPO", type=RepositoryParam())
@click.argument("digest", default="")
@JSON
def use(repository: str, digest: str, *, as_json: bool) -> None:
    """Switches an adapter on: from then on it reads the pull requests of its repository, and of no other.

    Without DIGEST (its beginning is enough) it is the newest. One that was not better than its base model is
    refused.
    """
    from bot.config import load_config
    from bot.config.tuned import switched_on
    from bot.runs.tuning_folder import TuneFolder

    config = load_config()
    found = TuneFolder(config.hob.data_dir, repository).records()
    wanted = [one for one in found if one.digest.startswith(digest)]
    if not wanted:
        which = f" that begins with {digest[:80]}" if digest else ""
        raise UserError(f"there is no adapter of {repository[:200]}{which}", "`hob tune list` shows them")
    record = wanted[-1]
    if record.refusal:
        raise UserError(
            f"{record.name} may not be used: {record.refusal}; {record.figures}",
            "train with more examples or other settings, or name another DIGEST",
        )
    names = (*_others(config, repository), record.name)
    hosts = [table.host() for table in config.hosts]
    switched_on(names, config.models.review, hosts, config.hob.data_dir)
    _write(config, names)
    told = f"{record.name} reads the pull requests of {record.repository}: {RESTART}"
    click.echo(json.dumps({"tuned": names}) if as_json else told)


@click.command("off", cls=HobCommand, example="hob tune off octo/tea")
@click.argument("repository", metavar="OWNER/REPO", type=RepositoryParam())
@JSON
def off(repository: str, *, as_json: bool) -> None:
    """Switches a repository's adapter off: its base model reads pull requests again. Nothing is deleted."""
    from bot.config import load_config

    config = load_config()
    names = _others(config, repository)
    if names == config.models.tuned:
        raise UserError(f"no adapter of {repository[:200]} is on", "`hob tune list` shows which are")
    _write(config, names)
    told = f"{repository} is read by the base model again: {RESTART}"
    click.echo(json.dumps({"tuned": names}) if as_json else told)


def _others(config: "Config", repository: str) -> tuple[str, ...]:
    """The adapters that are on and of other repositories."""
    from bot.core.adapters import adapter_name
    from bot.core.tuning import folder_name

    own = folder_name(repository)
    return tuple(name for name in config.models.tuned if (told := adapter_name(name)) and told.folder != own)


def _write(config: "Config", names: tuple[str, ...]) -> None:
    from bot.config import load_config
    from bot.config.write import change

    file = config.source or config.hob.data_dir / "hob.toml"
    change(file, {"models": {"tuned": names}})
    if load_config().models.tuned != names:
        raise UserError(
            f"{file} says so now, but HOB_MODELS__TUNED of the environment comes first and says otherwise",
            "take it out of the environment",
        )
