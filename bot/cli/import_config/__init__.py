"""`hob import-config`."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.cli.framework import EXISTING, HobCommand, Output, folder_option

if TYPE_CHECKING:
    from bot.github.imported import ImportedSettings

TOLD = {"carried": "carried over", "differs": "with another meaning", "dropped": "without a counterpart"}


@click.command(
    cls=HobCommand,
    example="hob import-config\n"
    "hob import-config --folder ~/src/tea --write\n"
    "hob import-config .coderabbit.yaml -o -",
)
@click.argument("path", required=False, type=click.Path(exists=True, path_type=Path))
@folder_option(
    old="--repo",
    about="The repository; by default that of PATH or of the current folder.",
    default=None,
    type=EXISTING,
)
@click.option("--write", is_flag=True, help="Write .github/hob.yml there.")
@click.option("--force", is_flag=True, help="Replace one that is there.")
@click.option(
    "-o", "--output", type=Output(allow_dash=True), help="Write here instead; - is standard output."
)
@click.option("--json", "as_json", is_flag=True, help="Print only JSON.")
def command(
    path: Path | None, folder: Path | None, write: bool, force: bool, output: Path | None, as_json: bool
) -> None:
    """Makes a hob.yml of another reviewer's configuration.

    Reads what PR-Agent, CodeRabbit, Copilot, Greptile and Kodus keep in a repository, or the file or
    repository at PATH, and says key by key what was carried over, what means something else here, and what
    has no counterpart. Without --write or -o the file is printed and nothing is changed.
    """
    from bot.cli.import_config import files
    from bot.core.errors import UserError
    from bot.github.imported import as_hobyml, read_back

    if write and output is not None:
        raise click.UsageError("give --write or --output, not both")
    if path is not None and path.is_dir() and folder is not None and path != folder:
        raise click.UsageError("name the repository once")
    beside = [path.absolute().parent] if path is not None else []
    at = folder or (path if path is not None and path.is_dir() else files.root_of(*beside, Path.cwd()))
    found, sources = _read(at, path)
    text = read_back(as_hobyml(found.values, _comments(sources)), found.values)
    written_to = ""
    if write and found.values:
        files.write(at, text, force=force)
        written_to = str(at / files.TARGET)
    elif output is not None and str(output) != "-":
        if os.path.lexists(output) and not force:
            raise UserError(f"{output} is there already", "name another file, or give --force to replace it")
        output.write_text(text, encoding="utf-8")
        written_to = str(output)
    if as_json:
        click.echo(json.dumps(_as_json(found, sources, text, written_to)))
        return
    _tell(found, write=write, written_to=written_to)
    if not write and not written_to:
        _print(text)


def _read(folder: Path, path: Path | None) -> tuple["ImportedSettings", list[str]]:
    """(what the files say, their names): of the one that was named, or of all that lie in the folder."""
    from bot.cli.import_config import files
    from bot.core.errors import UserError
    from bot.github.import_rules import COPILOT, FILES, import_file
    from bot.github.imported import ImportedSettings, Unfit
    from bot.yamlnodes import UnreadableError

    named = path is not None and not path.is_dir()
    if path is not None and named:
        places = [(path.parent, path.name)]
    else:
        places = [(folder, name) for name in files.there(folder)]
    if not places:
        known = ", ".join([*FILES, COPILOT])
        raise UserError(f"{folder.resolve()} has no configuration of another reviewer", f"known are {known}")
    found = ImportedSettings()
    for above, name in places:
        try:
            import_file(found, name, files.text_of(above, name), in_place=not named)
        except UnreadableError as wrong:
            raise UserError(
                f"{name} {wrong.message}", f"mend line {wrong.line}, or name another file"
            ) from None
        except Unfit as wrong:
            raise UserError(f"{name}: {wrong}", "name one of them") from None
    found.fit()
    return found, [name for _, name in places]


def _comments(sources: list[str]) -> list[str]:
    from bot.core.text import for_terminal

    return [
        f"Made by `hob import-config` of {for_terminal(', '.join(sources))}.",
        "Every key: docs/configuration.md of Hob, or `hob schema hob.yml` for an editor.",
    ]


def _as_json(found: "ImportedSettings", sources: list[str], text: str, written_to: str) -> dict[str, object]:
    keys = [
        {"file": one.path, "key": one.key, "fate": one.fate, "ours": list(one.ours), "why": one.why}
        for one in found.keys
    ]
    return {
        "files": sources,
        "keys": keys,
        "settings": found.values,
        "hob_yml": text,
        "written": written_to or None,
    }


def _tell(found: "ImportedSettings", *, write: bool, written_to: str) -> None:
    """On standard error, so that the file alone is on standard output."""
    from bot.core.text import for_terminal
    from bot.github.imported import MOST_KEYS

    lines = []
    for fate, words in TOLD.items():
        some = [one for one in found.keys if one.fate == fate]
        lines.append(f"{len(some)} {words}")
        for one in some[:MOST_KEYS]:
            to = f" -> {', '.join(one.ours)}" if one.ours else ""
            lines.append(f"  {one.path} {one.key}{to}{f': {one.why}' if one.why else ''}")
    if written_to:
        lines.append(f"{written_to} is written; look through it and commit it to the default branch")
    elif write:
        lines.append("there is nothing to write: no key has a counterpart in hob.yml")
    click.echo(for_terminal("\n".join(lines)), err=True)


def _print(text: str) -> None:
    import sys

    from bot.core.text import for_terminal

    click.echo(for_terminal(text) if sys.stdout.isatty() else text, nl=False)
