"""`hob schema`."""

import json

import click

from bot.cli.framework import HobCommand


@click.command(
    cls=HobCommand,
    example="hob schema hob.yml > hob.yml.schema.json\nhob schema hob.toml > hob.toml.schema.json",
)
@click.argument("file", type=click.Choice(["hob.yml", "hob.toml"]))
def command(file: str) -> None:
    """Prints the JSON Schema of hob.yml or hob.toml, by which editors complete and check.

    For the YAML language server the first line of .github/hob.yml is then
    "# yaml-language-server: $schema=hob.yml.schema.json", for taplo that of hob.toml
    "#:schema hob.toml.schema.json".
    """
    from bot.config.schema import hobtoml_schema
    from bot.core.hobyml_schema import hobyml_schema

    found = hobyml_schema() if file == "hob.yml" else hobtoml_schema()
    click.echo(json.dumps(found, indent=2))
