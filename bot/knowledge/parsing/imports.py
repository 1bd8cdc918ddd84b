"""Which files of a tree an import means, as far as names tell: no build file, path mapping or package of
others is read. What cannot be told gives nothing.
"""

import posixpath
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from bot.knowledge.parsing.languages import language_of

MOST = 50
"""Files of one folder that stand for a package."""
_SCRIPT = (".ts", ".tsx", ".d.ts", ".js", ".jsx", ".mjs", ".cjs", ".mts", ".cts", ".vue", ".svelte")
_GO = (
    "archive bufio bytes compress container context crypto database debug embed encoding errors expvar flag"
    " fmt go hash html image index io iter log maps math mime net os path plugin reflect regexp runtime"
    " slices sort strconv strings sync syscall testing text time unicode unsafe"
)
_GO_OWN = frozenset(_GO.split())
"""Folders of Go's own library."""


class FileTree:
    """The files of a commit, to be looked up as imports name them."""

    def __init__(self, paths: Iterable[str]) -> None:
        self.paths = frozenset(paths)
        self._named: dict[str, list[str]] = defaultdict(list)
        self._in: dict[str, list[str]] = defaultdict(list)
        self._folders: dict[str, list[str]] = defaultdict(list)
        for path in sorted(self.paths):
            folder, name = posixpath.split(path)
            self._named[name].append(path)
            if folder not in self._in:
                self._folders[posixpath.basename(folder)].append(folder)
            self._in[folder].append(path)

    def meant(self, path: str, target: str) -> tuple[str, ...]:
        """The files that `target`, as an import of the file `path` writes it, stands for."""
        find = _WAYS.get(language_of(path))
        target = target.strip()
        if find is None or not target or len(target) > 500:
            return ()
        return tuple(one for one in find(self, path, target) if one != path)[:MOST]

    def first(self, candidates: Iterable[str]) -> Sequence[str]:
        """The first of these paths that is a file."""
        return next(([one] for one in candidates if one in self.paths), [])

    def ending(self, path: str, suffix: str) -> list[str]:
        """Files whose path ends in whole parts so; of several those nearest to `path`."""
        named = self._named.get(posixpath.basename(suffix), ())
        found = [one for one in named if one == suffix or one.endswith(f"/{suffix}")]
        return _nearest(path, found)

    def folder(self, path: str, suffix: str, endings: tuple[str, ...]) -> list[str]:
        """The files with these endings in the folder whose path ends so, the one nearest to `path`."""
        named = self._folders.get(posixpath.basename(suffix), ())
        folders = [one for one in named if one == suffix or one.endswith(f"/{suffix}")]
        inside = [f"{one}/" for one in folders if any(each.endswith(endings) for each in self._in[one])]
        return [
            one for folder in _nearest(path, inside) for one in self._in[folder[:-1]] if one.endswith(endings)
        ]


def _nearest(path: str, found: Sequence[str]) -> list[str]:
    """Those that share the most leading parts with `path`; among them the ones least deep."""
    if len(found) < 2:
        return list(found)
    here = path.split("/")[:-1]
    ranked = [(-_shared(here, one.split("/")), one.count("/"), one) for one in found]
    best = min(rank[:2] for rank in ranked)
    return [one for *rank, one in ranked if tuple(rank) == best]


def _shared(here: Sequence[str], there: Sequence[str]) -> int:
    same = [a == b for a, b in zip(here, there, strict=False)]
    return same.index(False) if False in same else len(same)


def _joined(path: str, target: str) -> str:
    """A path relative to the folder of a file; empty where it leads out of the tree."""
    found = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
    return "" if found.startswith(("..", "/")) else found


def _python(tree: FileTree, path: str, target: str) -> Sequence[str]:
    dots = len(target) - len(target.lstrip("."))
    parts = [part for part in target[dots:].split(".") if part]
    if dots:
        base = _joined(path, "/".join([".", *[".."] * (dots - 1), *parts]))
        return (
            tree.first([f"{base}.py", f"{base}/__init__.py", f"{base}.pyi"])
            if parts
            else _package(tree, base)
        )
    while parts:
        name = "/".join(parts)
        for suffix in (f"{name}.py", f"{name}/__init__.py", f"{name}.pyi"):
            if found := tree.ending(path, suffix):
                return found if len(parts) > 1 else [one for one in found if _is_root(tree, one, suffix)]
        parts.pop()
        if len(parts) < 2:
            break
    return ()


def _package(tree: FileTree, base: str) -> Sequence[str]:
    return tree.first(["__init__.py" if base in ("", ".") else f"{base}/__init__.py"])


def _is_root(tree: FileTree, path: str, suffix: str) -> bool:
    """Whether a module of one name can be imported by it: `json` is not `app/io/json.py`."""
    root = path[: -len(suffix)].rstrip("/")
    return f"{root}/__init__.py".lstrip("/") not in tree.paths


def _script(tree: FileTree, path: str, target: str) -> Sequence[str]:
    if target.startswith("."):
        bases = [_joined(path, target)]
    elif target[:2] in ("@/", "~/"):
        bases = [f"src/{target[2:]}", target[2:]]
    else:
        return ()
    for base in filter(None, bases):
        stem, dot, ending = base.rpartition(".")
        swapped = [f"{stem}.ts", f"{stem}.tsx"] if dot and ending in ("js", "jsx", "mjs") else []
        names = [base, *swapped, *(base + each for each in _SCRIPT)]
        if found := tree.first([*names, *(f"{base}/index{each}" for each in _SCRIPT)]):
            return found
    return ()


def _go(tree: FileTree, path: str, target: str) -> Sequence[str]:
    parts = target.split("/")
    if "." not in parts[0] and parts[0] in _GO_OWN:
        return ()
    for at in range(1, len(parts)):
        found = tree.folder(path, "/".join(parts[at:]), (".go",))
        if found:
            return [one for one in found if not one.endswith("_test.go")]
    return ()


def _c(tree: FileTree, path: str, target: str) -> Sequence[str]:
    beside = _joined(path, target)
    return [beside] if beside in tree.paths else tree.ending(path, posixpath.normpath(target).lstrip("./"))


def _jvm(tree: FileTree, path: str, target: str) -> Sequence[str]:
    parts = [part for part in target.removesuffix(".*").split(".") if part != "*"]
    for length in (len(parts), len(parts) - 1):
        name = "/".join(parts[:length])
        if length < 2:
            break
        if found := [one for ending in (".java", ".kt") for one in tree.ending(path, name + ending)]:
            return found
        if found := tree.folder(path, name, (".java", ".kt")):
            return found
    return ()


def _rust(tree: FileTree, path: str, target: str) -> Sequence[str]:
    parts = [part.strip() for part in target.partition("{")[0].partition(" as ")[0].split("::")]
    parts = [part for part in parts if part and part != "*"]
    own = posixpath.dirname(path)
    name = posixpath.basename(path)
    inside = own if name in ("mod.rs", "lib.rs", "main.rs") else f"{own}/{name[:-3]}"
    root = path.rpartition("/src/")[0] + "/src" if "/src/" in f"/{path}" else own
    starts = {"crate": root.lstrip("/"), "self": inside, "super": posixpath.dirname(inside)}
    base = inside
    if parts and parts[0] in starts:
        base = starts[parts.pop(0)]
    while parts and parts[0] == "super":
        base = posixpath.dirname(base)
        parts.pop(0)
    while parts:
        module = "/".join([base, *parts]).lstrip("/")
        if found := tree.first([f"{module}.rs", f"{module}/mod.rs"]):
            return found
        parts.pop()
    return ()


def _ruby(tree: FileTree, path: str, target: str) -> Sequence[str]:
    name = target if target.endswith(".rb") else f"{target}.rb"
    beside = _joined(path, name)
    if beside in tree.paths:
        return [beside]
    return () if target.startswith(".") else tree.ending(path, f"lib/{name}") or tree.ending(path, name)


def _php(tree: FileTree, path: str, target: str) -> Sequence[str]:
    if "\\" not in target:
        beside = _joined(path, target.lstrip("/"))
        return [beside] if beside in tree.paths else ()
    parts = target.strip("\\").split("\\")
    whole, short = ("/".join(some) + ".php" for some in (parts, parts[1:]))
    return tree.ending(path, whole) or tree.ending(path, short)


def _shell(tree: FileTree, path: str, target: str) -> Sequence[str]:
    return tree.first(filter(None, [_joined(path, target), target.removeprefix("./")]))


_WAYS: dict[str, Callable[[FileTree, str, str], Sequence[str]]] = {
    "Python": _python,
    **dict.fromkeys(("JavaScript", "TypeScript", "TSX", "Vue", "Svelte"), _script),
    "Go": _go,
    **dict.fromkeys(("C", "C++"), _c),
    **dict.fromkeys(("Java", "Kotlin"), _jvm),
    "Rust": _rust,
    "Ruby": _ruby,
    "PHP": _php,
    "Shell": _shell,
}
