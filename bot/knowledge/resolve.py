"""What a name means where it is used: the definitions that it may stand for, and how sure that is.

By rules that hold in any language: what the file itself defines, what it imports, what its package holds, the
only one of that name. Where none decides, all are possible and that is said.
"""

import posixpath
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from bot.knowledge.parsing.imports import FileTree
from bot.knowledge.parsing.languages import language_of
from bot.knowledge.storage import IndexStore

MOST_MEANINGS = 8
"""A name that more places define (`get`, `run`) means nothing by itself."""
_PACKAGES = frozenset({"Go", "Java", "Kotlin", "C#", "Swift"})
"""Languages in which files of one folder see each other without an import."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """Paths that define what is meant, the likeliest first, and how sure each is, from 0 to 1."""

    paths: tuple[str, ...] = ()
    sure: float = 0.0
    how: str = ""
    """For a person: `imported`, `one of 3 of that name`."""


NOTHING = Meaning()


class TipNames:
    """The names of a tip. Reads all its imports once."""

    def __init__(self, index_store: IndexStore) -> None:
        tree = FileTree(path for path, file in index_store.files().items() if not file.why)
        self._reach: dict[str, set[str]] = {}
        for each in index_store.imports():
            meant = tree.meant(each.path, each.target)
            if meant:
                self._reach.setdefault(each.path, set()).update(meant)

    @property
    def imports(self) -> Mapping[str, Collection[str]]:
        """file -> the files that it imports."""
        return self._reach

    def meaning(self, path: str, defining: Collection[str]) -> Meaning:
        """What a name means in the file `path`, given all files that define it."""
        if path in defining:
            return Meaning((path,), 1.0, "in the same file")
        reach = self._reach.get(path, ())
        if imported := sorted(one for one in defining if one in reach):
            return _of(imported, 0.9, "imported")
        folder, language = posixpath.dirname(path), language_of(path)
        if language in _PACKAGES:
            beside = sorted(one for one in defining if posixpath.dirname(one) == folder)
            if beside:
                return _of(beside, 0.85, "in the same package")
        alike = sorted(one for one in defining if _kin(language_of(one)) == _kin(language))
        if len(alike) == 1:
            return Meaning((alike[0],), 0.8, "the only one of that name")
        if within := [one for one in alike if _package_of(one) in reach]:
            return _of(within, 0.7, "in a package that is imported")
        if 1 < len(alike) <= MOST_MEANINGS:
            return Meaning(tuple(alike), 0.5 / len(alike), f"one of {len(alike)} of that name")
        return NOTHING


def _of(paths: Collection[str], sure: float, how: str) -> Meaning:
    many = "" if len(paths) == 1 else f", one of {len(paths)}"
    return Meaning(tuple(paths), sure / len(paths), how + many)


def _package_of(path: str) -> str:
    """The file that an import of a package of Python means: it brings the package's modules in reach."""
    return f"{posixpath.dirname(path)}/__init__.py".lstrip("/")


def _kin(language: str) -> str:
    """Languages whose files call each other."""
    families = {"TSX": "JavaScript", "TypeScript": "JavaScript", "Vue": "JavaScript", "Svelte": "JavaScript"}
    return (families | {"C++": "C", "Kotlin": "Java"}).get(language, language)
