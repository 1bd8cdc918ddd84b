"""Recipes: files that say what is to be done, each a command of its own (`@hob NAME`). A repository's are
read at a base, never at a head; Hob's own are in `prompts/recipes/`."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from bot.core.commands import Command, command_in
from bot.core.settings import Complaint

FOLDER = ".github/hob/recipes"
NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")
MOST = 20
"""Recipes of one repository, the first by name."""
MOST_BYTES = 16 * 1024
"""Of one file."""
_REGULAR = (0o100644, 0o100755)

RecipeFiles = Mapping[str, str | None]
"""path -> text of what lies where recipes do; None: no regular file, no text, or too much of it."""
RecipeWho = Literal["", "write", "maintain", "admin"]
RecipePlace = Literal["anywhere", "issues", "pull requests"]


@dataclass(frozen=True, slots=True)
class Recipe:
    """`body` is what is to be done, in the words of whoever maintains the repository (or of Hob)."""

    name: str
    title: str
    body: str
    who: RecipeWho = ""
    """The least permission of who may have it done, beside `code.allow`."""
    paths: tuple[tuple[str, ...], ...] = ()
    """Lists of patterns as .gitignore writes them: a path that may be touched is in each of them."""
    chain: str = ""
    """The chain that makes the patch; empty: one question does."""
    on: RecipePlace = "anywhere"
    bundled: bool = False
    """Whether it is Hob's own, and no file of the repository says otherwise."""

    @property
    def subject(self) -> str:
        """What pull requests and commits are called: `title` up to its first comma, where it says how the
        command is given."""
        said = self.title.partition(",")[0].strip()[:80] or self.name
        return said[:1].upper() + said[1:]

    def line(self, slug: str) -> str:
        """For a list of commands."""
        return f"- `@{slug} {self.name}`: {self.title}"

    def fits(self, *, on_pull_request: bool) -> bool:
        return self.on in ("anywhere", "pull requests" if on_pull_request else "issues")


@dataclass(frozen=True, slots=True)
class Recipes:
    """What there is in a repository, by name, and what was wrong with its files."""

    by_name: Mapping[str, Recipe] = field(default_factory=dict)
    complaints: tuple[Complaint, ...] = ()


def path_of(name: str) -> str:
    """Where a repository's recipe of that name lies."""
    return f"{FOLDER}/{name}.md"


def is_recipe(path: str) -> bool:
    """Whether a file of this name would be one, if it lay on a base."""
    return path.startswith(f"{FOLDER}/") and path.endswith(".md")


def listed(tree: Mapping[str, int]) -> dict[str, bool]:
    """path -> whether its text is to be read: of the first `MOST` files by name those that are regular.
    `tree`: path -> git's mode of what lies there."""
    paths = sorted(path for path in tree if is_recipe(path) and "/" not in path[len(FOLDER) + 1 :])
    paths = [path for path in paths if path != f"{FOLDER}/README.md"]
    return {path: tree[path] in _REGULAR and place < MOST for place, path in enumerate(paths)}


def files_of(tree: Mapping[str, int], texts: Mapping[str, str]) -> RecipeFiles:
    """With the texts that could be read."""
    known = {path: texts.get(path) if wanted else None for path, wanted in listed(tree).items()}
    return {path: None if text is None or too_long(text) else text for path, text in known.items()}


def too_long(text: str) -> bool:
    return len(text) > MOST_BYTES or len(text.encode("utf-8", "replace")) > MOST_BYTES


def extended(base: Recipe, by: Recipe) -> Recipe:
    """`base` as `by` has it done: what it says of paths and people narrows, its text comes after."""
    return replace(
        by,
        title=by.title or base.title,
        body=f"{base.body}\n\n{by.body}".strip(),
        who=max(base.who, by.who, key=_RANK.__getitem__),
        paths=(*base.paths, *by.paths),
        chain=by.chain or base.chain,
        on=by.on if by.on != "anywhere" else base.on,
    )


_RANK: Mapping[str, int] = {who: rank for rank, who in enumerate(("", "write", "maintain", "admin"))}


def asked_for(command: Command | None) -> Command | None:
    """The command that a recipe's name would make of what was said: of free text whose first word may be one
    and that is no sentence, of `recipe NAME`, of a word after `/hob` that is no command."""
    if command is None or command.name == "help" or (command.name == "ask" and not command.free):
        return None
    if command.free or command.name == "recipe":
        return command_in(command.argument, NAME, orders=not command.free)
    return command if NAME.fullmatch(command.name) else None


def literal_paths(recipe: Recipe) -> Iterator[str]:
    """The files that its patterns name outright."""
    for pattern in (one for several in recipe.paths for one in several):
        if not re.search(r"[*?!\[\]\\]|/$", pattern):
            yield pattern.removeprefix("/")


def may_touch(recipe: Recipe, wanted: Callable[[str, tuple[str, ...]], bool]) -> Callable[[str], bool]:
    """Whether its patch may touch a path, beside what `code.paths` says."""
    return lambda path: all(wanted(path, several) for several in recipe.paths)
