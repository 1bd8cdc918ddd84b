"""`hob hosts`."""

import json

import click

from bot.cli.framework import Group, HobCommand
from bot.cli.waiting import TellWaiting


@click.group(
    cls=Group,
    invoke_without_command=True,
    example="hob hosts --watch\nhob hosts pull qwen2.5-coder:14b --host mini",
)
@click.option("--json", "as_json", is_flag=True, help="Print only JSON.")
@click.option("--watch", is_flag=True, help="Show it live, until Ctrl-C.")
@click.pass_context
def command(context: click.Context, as_json: bool, watch: bool) -> None:
    """Shows the pool: each model host with its models, load, speed and health."""
    if context.invoked_subcommand is None:
        from bot.cli.hosts import table

        table.run(as_json=as_json, watch=watch)


@command.command(cls=HobCommand, example="hob hosts pull qwen2.5-coder:14b --host mini")
@click.argument("model")
@click.option(
    "--host", default="", help="By its name in hob.toml; instead of every Ollama host that is not online."
)
@click.option("--json", "as_json", is_flag=True, help="Print only JSON.")
def pull(model: str, host: str, as_json: bool) -> None:
    """Has Ollama hosts download a model."""
    from bot.cli.hosts import pull_models

    said = click.echo if not as_json else lambda _: None
    names = pull_models.run(model, host, said)
    if as_json:
        click.echo(json.dumps({"model": model, "hosts": names}))


@command.command(cls=HobCommand, example="hob hosts discover --lan")
@click.option(
    "--lan", is_flag=True, help="Look at every address of this machine's networks, not only at this machine."
)
@click.option("--network", default="", help="Look at this network instead, such as 192.168.1.0/24.")
@click.option("--port", default=11434, type=click.IntRange(1, 65535), show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print only JSON.")
def discover(lan: bool, network: str, port: int, as_json: bool) -> None:
    """Looks for Ollama hosts and prints them as tables for hob.toml.

    Nothing but this machine is looked at unless asked; only addresses of private networks are.
    """
    from bot.cli.hosts import discovery

    with TellWaiting("looking for Ollama"):
        found = discovery.run(lan=lan, network=network, port=port)
    if as_json:
        click.echo(json.dumps({"hosts": found}))
        return
    for each in found:
        click.echo(f'[[hosts]]\nname = "{each["name"]}"\nkind = "ollama"\nurl = "{each["url"]}"')
        click.echo(f"# has: {', '.join(each['models']) or 'no models'}\n")
    if not found:
        wider = "" if lan or network else "; --lan looks at this machine's networks"
        click.echo(f"no Ollama answered on port {port}: start one{wider}", err=True)
