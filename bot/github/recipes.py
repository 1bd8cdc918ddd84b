"""`.github/hob/recipes/NAME.md`, Markdown with YAML between `---` lines: read key by key. What is wrong is
reported with its file and line. Where it is what guards the recipe, the recipe is not offered."""

import difflib
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

from bot import yamlnodes
from bot.core.recipes import FOLDER, MOST, MOST_BYTES, NAME, Recipe, RecipeFiles, Recipes, extended, path_of
from bot.core.settings import Complaint
from bot.github.hobyml import (
    Section,
    SettingsFile,
    WrongError,
    capped,
    choice,
    names,
    short,
    string,
)
from bot.github.payloads import clean
from bot.patterns import is_pattern
from bot.yamlnodes import UnreadableError, YamlNode

MOST_TITLE = 100
MOST_FRONT = 4_000
"""Characters between the `---` lines."""
_GUARDS = ("title", "who", "paths", "path", "on", "chain", "extends", "allow", "allowed")
"""Keys without which another thing would be done than was meant, and what people write for them."""


def read_all(
    files: RecipeFiles,
    taken: Collection[str],
    bundled: Mapping[str, Recipe],
    is_chain: Callable[[str], bool],
) -> Recipes:
    """All that there is: a repository's file takes the place of what is bundled under its name. `taken`:
    names of commands, which no file may have; `is_chain`: whether a chain of this name makes a patch."""
    found = dict(bundled)
    complaints: list[Complaint] = []
    for place, (path, text) in enumerate(sorted(files.items())):
        name = path[len(FOLDER) + 1 : -len(".md")]
        if wrong := _misnamed(name, taken):
            complaints.append(Complaint(1, f"line 1: `{short(name)}.md` {wrong}; it is ignored", FOLDER))
            continue
        found.pop(name, None)  # whatever it says, the file stands for its name
        if text is None:
            unfit = f"it is no regular file with text of at most {MOST_BYTES >> 10} KB"
            why = f"there are over {MOST} recipes" if place >= MOST else unfit
            complaints.append(Complaint(1, f"line 1: {why}; it is ignored", path))
            continue
        recipe, said = read(name, text, bundled, is_chain)
        complaints += said
        if recipe:
            found[name] = recipe
    return Recipes(dict(sorted(found.items())), capped(complaints))


def _misnamed(name: str, taken: Collection[str]) -> str:
    if not NAME.fullmatch(name):
        return "is no name of a command: up to 31 small letters, digits and hyphens, a letter first"
    return "has the name of one of Hob's own commands" if name in taken else ""


def read(
    name: str, text: str, bundled: Mapping[str, Recipe], is_chain: Callable[[str], bool]
) -> tuple[Recipe | None, tuple[Complaint, ...]]:
    """One file's recipe, if it may be offered, and what was wrong with the file."""
    file = SettingsFile(path_of(name), before=1, instead="the recipe is not offered until that is mended")
    front, body = _parts(text)
    values = _values(file, front, _keys(bundled, is_chain))
    said = values or {}
    recipe = Recipe(
        name,
        said.get("title", ""),
        body,
        said.get("who", ""),
        (said["paths"],) if "paths" in said else (),
        said.get("chain", ""),
        said.get("on", "anywhere"),
    )
    if base := bundled.get(said.get("extends", "")):
        recipe = extended(base, recipe)
    if values is not None and not recipe.body:
        file.complain(0, "it does not say what is to be done; the recipe is ignored")
    sound = values is not None and bool(recipe.body)
    titled = recipe if recipe.title else replace(recipe, title=name.replace("-", " "))
    return (titled if sound else None), tuple(file.complaints)


def _values(file: SettingsFile, front: str | None, known: Section) -> dict[str, Any] | None:
    """The front matter's; None where the recipe is not to be offered."""
    if front is None or len(front) > MOST_FRONT:
        why = "does not end: a line `---` is missing" if front is None else f"is over {MOST_FRONT} characters"
        file.complain(0, f"the front matter {why}; the recipe is ignored")
        return None
    try:
        tree = yamlnodes.read(front)
        if tree is None:
            return {}
        values = file.section(tree, known)
    except UnreadableError as error:
        file.complain(error.line, f"{error.message}; the recipe is ignored")
    except WrongError as wrong:
        file.complain(1, f"{wrong}; the recipe is ignored")
    else:
        return values if _guarded(tree, values) else None
    return None


def _parts(text: str) -> tuple[str | None, str]:
    """(what stands between the `---` lines, None where they do not end; the rest)"""
    lines = text.lstrip("\ufeff").split("\n")
    if lines[0].strip() != "---":
        return "", text.strip()
    end = next((n for n, line in enumerate(lines[1:], 1) if line.rstrip() == "---"), 0)
    if not end:
        return None, ""
    return "\n".join(line.rstrip("\r") for line in lines[1:end]), "\n".join(lines[end + 1 :]).strip()


def _guarded(tree: YamlNode, values: Mapping[str, Any]) -> bool:
    """Whether nothing that guards the recipe was lost: by a value that cannot be, or a key misspelt."""
    items = tree.items if isinstance(tree, yamlnodes.Mapping) else ()
    keys = (short(key.text).lower() for key, _ in items if isinstance(key, yamlnodes.Scalar))
    lost = [key for key in keys if key not in values]
    return not any(difflib.get_close_matches(key, _GUARDS) for key in lost)


def _keys(bundled: Mapping[str, Recipe], is_chain: Callable[[str], bool]) -> Section:
    def chain(_: SettingsFile, node: YamlNode) -> str:
        name = string(node, MOST_TITLE)
        if not NAME.fullmatch(name) or not is_chain(name):
            raise WrongError("the name of a chain that gives a patch is expected, such as implement")
        return name

    return {
        "title": _title,
        "who": choice("write", "maintain", "admin"),
        "paths": _paths,
        "chain": chain,
        "on": choice("pull requests", "issues", "anywhere"),
        "extends": choice(*sorted(bundled)),
    }


def _title(_: SettingsFile, node: YamlNode) -> str:
    return " ".join(clean(string(node, MOST_TITLE)).split())


def _paths(file: SettingsFile, node: YamlNode) -> tuple[str, ...]:
    said = len(file.complaints)
    patterns = names(file, node)
    if wrong := [one for one in patterns if not is_pattern(one) or not one.strip()]:
        raise WrongError(f"`{short(wrong[0])}` is no pattern as .gitignore writes them")
    if not patterns or len(file.complaints) > said:
        raise WrongError("a list of patterns is expected, such as [src/**]")
    return patterns
