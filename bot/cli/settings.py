"""`hob settings`."""

import json
from typing import Any

import click

from bot.cli.framework import HobCommand, clean
from bot.core.errors import UserError
from bot.core.refs import LOGIN, NAME


def _place(user: str | None, org: str | None, repo: str | None) -> tuple[str, str]:
    given: list[tuple[str, str]] = []
    for scope, name in (("user", user), ("org", org), ("repo", repo)):
        if name is not None:
            given.append((scope, name))
    if len(given) != 1:
        raise click.UsageError("name one of --user, --org and --repo")
    (found,) = given
    owner, slash, name = found[1].partition("/")
    named = NAME.fullmatch(name) if found[0] == "repo" else not slash
    if not LOGIN.fullmatch(owner) or not named:
        raise click.UsageError(
            "no name on GitHub looks like this: a repository is OWNER/NAME, others have no /"
        )
    return found


@click.command(
    cls=HobCommand,
    example="hob settings set review.auto false --repo octo/tea\n"
    "hob settings set models.review qwen2.5:7b,qwen2.5-coder:14b --org octo\n"
    "hob settings get --repo octo/tea --json",
)
@click.argument("action", type=click.Choice(["get", "set", "unset"]))
@click.argument("key", required=False)
@click.argument("value", required=False)
@click.option("--user", metavar="LOGIN", help="Of a user.")
@click.option("--org", metavar="ORG", help="Of an organisation.")
@click.option("--repo", metavar="OWNER/NAME", help="Of a repository.")
@click.option("--json", "as_json", is_flag=True, help="Print only JSON.")
def command(
    action: str,
    key: str | None,
    value: str | None,
    user: str | None,
    org: str | None,
    repo: str | None,
    as_json: bool,
) -> None:
    """Reads and changes stored settings of a user, an organisation or a repository.

    get shows one KEY or all, for a repository with the layer each value comes from; set stores a VALUE (plain
    words, a,b,c for a list, or JSON); unset removes it. docs/configuration.md describes every key.
    """
    from bot.config import load_config
    from bot.store import open_store

    scope, name = _place(user, org, repo)
    if (action == "get" and value) or (action == "set" and value is None) or (action == "unset" and not key):
        raise click.UsageError("say `get [KEY]`, `set KEY VALUE` or `unset KEY`")
    config = load_config()
    store = open_store(config.store.database_url)
    try:
        store.require_schema()
        if action != "get":
            _change(store, config, scope, name, str(key), value)
        _show(_values(store, scope, name), key if action != "unset" else None, as_json)
    finally:
        store.close()


def _change(store: Any, config: Any, scope: str, name: str, key: str, text: str | None) -> None:
    from bot.config import why_not
    from bot.core.settings_merge import plain
    from bot.core.settings_schema import WrongValue, find, taken

    try:
        known = find(key)
        value = None if text is None else taken(known, _read(known.kind, text))
    except WrongValue as wrong:
        raise UserError(f"{key}: {wrong}", "docs/configuration.md describes every key") from None
    if text is not None and (why := why_not(config, key, value)):
        raise UserError(f"{key}: {why}", "change hob.toml first, if that is meant")
    given = {} if text is None else {key: plain(value)}
    store.settings.change(
        scope, name, lambda before: {**{one: before[one] for one in before if one != key}, **given}
    )


def _read(kind: str, text: str) -> object:
    """A word of the command line as its key's kind has it; what does not fit is left for the key."""
    from bot.core.settings_schema import LISTS

    try:
        found: object = json.loads(text)
    except (ValueError, RecursionError):
        found = text
    if kind in LISTS and not isinstance(found, list):
        return [part.strip() for part in text.split(",") if part.strip()]
    return text if kind in ("choice", "language") and not isinstance(found, list | dict) else found


def _values(store: Any, scope: str, name: str) -> dict[str, tuple[Any, str]]:
    """(value, layer) by key: for a repository all keys, merged; else what is stored."""
    from bot.core.settings_merge import merge, plain

    if scope != "repo":
        return {key: (value, f"{scope} {name}") for key, value in store.settings.get(scope, name).items()}
    merged = merge(store.settings.layers(*name.split("/", 1)))
    return {key: (plain(one.value), one.layer) for key, one in merged.items()}


def _show(values: dict[str, tuple[Any, str]], key: str | None, as_json: bool) -> None:
    from bot.core.settings_schema import WrongValue, find

    if key is not None:
        try:
            find(key)
        except WrongValue as wrong:
            raise UserError(str(wrong), "docs/configuration.md describes every key") from None
        values = {name: one for name, one in values.items() if name == key}
    if as_json:
        shown = {name: {"value": value, "layer": layer} for name, (value, layer) in values.items()}
        click.echo(json.dumps(shown))
        return
    for name, (value, layer) in values.items():
        click.echo(clean(f"{name} = {json.dumps(value, ensure_ascii=False)}  ({layer})"))
    if not values:
        click.echo("nothing is stored there")
