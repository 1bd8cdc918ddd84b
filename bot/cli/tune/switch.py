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
    """Shows every adapter that was trained: its figures, whether it is on, or why it may not be.

    What lies among them and cannot be read is named too, with why and what to do.
    """
    from bot.config import load_config
    from bot.core.text import for_terminal
    from bot.runs.tuning_folder import every_record, unread_places

    config = load_config()
    records = every_record(config.hob.data_dir)
    missing = [name for name in config.models.tuned if name not in {one.name for one in records}]
    unread = [
        {"path": str(one.path), "why": for_terminal(one.why)[:300], "what_to_do": one.what_to_do}
        for one in unread_places(config.hob.data_dir)
    ]
    if as_json:
        told = [_as_json(one, config) for one in records]
        click.echo(json.dumps({"adapters": told, "missing": missing, "unread": unread}, indent=2))
        return
    for one in records:
        click.echo(f"{one.name}\n  {clean(one.made[:10])}, {_state(one, config)}; {one.figures}")
    for name in missing:
        off = f"`hob tune off {clean(name)}` takes it out"
        click.echo(f"{clean(name)}\n  named in [models] tuned, and of no use: {off}")
    for place in unread:
        click.echo(f"{clean(place['path'])}\n  cannot be used: {place['why']}; {place['what_to_do']}")
    if not records and not missing and not unread:
        click.echo("nothing was trained yet: `hob tune run OWNER/REPO`")


def _state(record: "AdapterRecord", config: "Config") -> str:
    from bot.config.tuned import PRIVATE

    if record.refusal:
        return f"refused: {record.refusal}"
    if record.private and not config.privacy.tune:
        return f"not asked: it {PRIVATE}"
    return "on" if record.name in config.models.tuned else "off"


def _as_json(record: "AdapterRecord", config: "Config") -> dict[str, Any]:
    named = record.name in config.models.tuned
    allowed = config.privacy.tune or not record.private
    return {"on": named and allowed, "allowed": allowed, **json.loads(record.text)}


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
    from bot.config.tuned import ALLOW, NOT_ALLOWED, switched_on
    from bot.runs.tuning_folder import tune_folder

    config = load_config()
    found = tune_folder(config, repository).records()
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
    if record.private and not config.privacy.tune:
        raise UserError(f"{record.name} has learnt a private repository, and {NOT_ALLOWED}", ALLOW)
    names = (*_others(config, repository), record.name)
    hosts = [table.host() for table in config.hosts]
    switched_on(names, config.models.review, hosts, config.hob.data_dir, tune=config.privacy.tune)
    _write(config, names)
    told = f"{record.name} reads the pull requests of {record.repository}: {RESTART}"
    click.echo(json.dumps({"tuned": names}) if as_json else told)


@click.command("off", cls=HobCommand, example="hob tune off octo/tea")
@click.argument("repository", metavar="OWNER/REPO")
@JSON
def off(repository: str, *, as_json: bool) -> None:
    """Switches a repository's adapter off: its base model reads pull requests again. Nothing is deleted.

    The name of an adapter will do, too.
    """
    from bot.config import load_config
    from bot.core.adapters import adapter_name

    if adapter_name(repository) is None:
        RepositoryParam().convert(repository, None, None)
    config = load_config()
    names = _others(config, repository)
    if names == config.models.tuned:
        raise UserError(f"no adapter of {repository[:200]} is on", "`hob tune list` shows which are")
    _write(config, names)
    told = f"{repository} is read by the base model again: {RESTART}"
    click.echo(json.dumps({"tuned": names}) if as_json else told)


def _others(config: "Config", repository: str) -> tuple[str, ...]:
    """The adapters that are on and of other repositories. One that is not there has its name alone."""
    from bot.core.adapters import adapter_name, dashed
    from bot.runs.tuning_folder import every_record, tune_folder

    own, called = tune_folder(config, repository).repo_id, dashed(repository)
    whose = {one.name: one.repo_id for one in every_record(config.hob.data_dir)}
    return tuple(
        name
        for name in config.models.tuned
        if (told := adapter_name(name))
        and name != repository
        and (whose[name] != own if name in whose else told.repository != called)
    )


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
