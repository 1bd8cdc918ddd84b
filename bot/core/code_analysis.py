"""What an agent needs of other packages, handed to it as functions so that it stays pure: parsing, linting,
knowing names. The defaults know Python and nothing else."""

import ast
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from bot.core.findings import Finding
from bot.core.source import Chunk, ChunkKind

LINTED = (".py", ".pyi")
"""Endings of the files that the linter of `Tools` knows."""
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_UNPARSABLE = (SyntaxError, ValueError, RecursionError, MemoryError)


def python_symbols(path: str, text: str) -> Sequence[Chunk]:
    """The functions and classes of a Python file; nothing of any other, or of one that does not parse."""
    if not path.endswith((".py", ".pyi")):
        return ()
    try:
        tree = ast.parse(text)
    except _UNPARSABLE:
        return ()
    return tuple(_chunks(tree, ""))


def _chunks(node: ast.AST, before: str) -> list[Chunk]:
    found: list[Chunk] = []
    for child in ast.iter_child_nodes(node):
        if isinstance(child, _DEFINITIONS):
            name = f"{before}{child.name}"
            start = min([child.lineno, *(decorator.lineno for decorator in child.decorator_list)])
            sort: ChunkKind = "class" if isinstance(child, ast.ClassDef) else "function"
            found.append(Chunk(sort, name, start, child.end_lineno or child.lineno))
            found += _chunks(child, f"{name}.")
    return found


def python_still_parses(path: str, before: str, after: str) -> bool | None:
    """Whether a change leaves a Python file no worse than it was; None of any other."""
    return _parses(after) or not _parses(before) if path.endswith((".py", ".pyi")) else None


def _parses(text: str) -> bool:
    try:
        ast.parse(text)
    except _UNPARSABLE:
        return False
    return True


async def no_lint(_: Mapping[str, str]) -> Sequence[Finding] | None:
    return None


@dataclass(frozen=True, slots=True)
class Tools:
    """`symbols(path, text)`: the definitions of a file. `still_parses(path, before, after)`: whether a
    change keeps a file parsable. `lint({path: text})`: what a linter finds in whole files, None when it did
    not run. `known(name)`: whether the repository has this name; None when only the changed files are
    known."""

    symbols: Callable[[str, str], Sequence[Chunk]] = python_symbols
    still_parses: Callable[[str, str, str], bool | None] = python_still_parses
    lint: Callable[[Mapping[str, str]], Awaitable[Sequence[Finding] | None]] = no_lint
    known: Callable[[str], bool] | None = None
