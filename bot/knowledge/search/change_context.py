"""What belongs to a change: who calls what it changes, what it calls, what tests it, and code like it.

The index is of the tip. What it says is believed of files that the change's base has in the same state, and
of none that the change itself touches: their text at the head is shown as it is.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bot.core.check_input import new_lines
from bot.core.context_packing import ContextCandidate
from bot.core.diff import FileDiff, added_lines
from bot.core.knowledge import Found
from bot.core.review_chunks import changed_names, kind
from bot.core.source import LeftOut, Parsed, references_in
from bot.knowledge.git import Git
from bot.knowledge.graph import Graph
from bot.knowledge.parsing.code_analysis import symbols
from bot.knowledge.parsing.passages import parse
from bot.knowledge.search.excerpts import cut, texts
from bot.knowledge.search.search import Search
from bot.knowledge.storage import IndexStore

CALLER, CALLEE, TEST, ALIKE = 0.8, 0.7, 0.6, 0.3
"""What the surest of each kind is worth."""
WHOLE = 0.5
"""How much of that a whole function is worth, when its telling lines are there."""
MOST_FILES, MOST_NAMES, MOST_OF_A_KIND, MOST_WORDS = 30, 12, 6, 1_500
"""Changed files that are asked about; of each, names, passages of a kind, and characters searched for."""
SHORT, HEAD, BESIDE = 15, 10, 3
"""Lines of a function that is shown whole at once; of the beginning of a longer one; around a call."""


@dataclass(frozen=True, slots=True)
class _Lead:
    """A place that belongs to a file's change. `names` are what makes its lines telling; none: its
    beginning."""

    path: str
    start: int
    end: int
    value: float
    why: str
    names: tuple[str, ...] = ()


def around(
    index_store: IndexStore, git: Git, files: Sequence[FileDiff], heads: Mapping[str, str], base: str
) -> dict[str, tuple[ContextCandidate, ...]]:
    """path -> candidates, the most valuable first; nothing where the repository has no commit `base`.
    `heads` are the changed files' texts. Raises `IndexStoreError`, `GitError`."""
    held = _held(index_store, git, base)
    if not held:
        return {}
    graph = Graph(index_store)
    changed = {path for file in files for path in (file.path, file.old_path)}
    leads: dict[str, list[_Lead]] = {}
    for file in [one for one in files if one.path in heads][:MOST_FILES]:
        with index_store.reading():
            some = list(_leads(graph, Search(index_store, git), file, heads[file.path]))
        leads[file.path] = [lead for lead in some if lead.path in held and lead.path not in changed]
    lines = texts(git, {held[lead.path] for some in leads.values() for lead in some})
    return {
        path: tuple(sorted(_candidates(some, held, lines), key=lambda one: -one.value))
        for path, some in leads.items()
        if some
    }


def _held(index_store: IndexStore, git: Git, base: str) -> dict[str, str]:
    """path -> blob, of the files that are at the base as the index knows them."""
    if not (whole := git.commit(base)):
        return {}
    known = {path: file.sha for path, file in index_store.files().items() if not file.why}
    if whole == index_store.state("tip"):
        return known
    there = {entry.path: entry.sha for entry in git.tree(whole)}
    return {path: blob for path, blob in known.items() if there.get(path) == blob}


def _leads(graph: Graph, search: Search, file: FileDiff, text: str) -> Iterator[_Lead]:
    """From one changed file; what it was called before is what the index knows it as."""
    parsed = parse(file.path, text.encode(errors="replace"))
    if isinstance(parsed, LeftOut):
        return
    defined = symbols(file.path, text)
    names = sorted(changed_names(file, defined))[:MOST_NAMES]
    before = file.old_path or file.path
    for name in names:
        for one in graph.callers(before, name, MOST_OF_A_KIND):
            worth = TEST if kind(one.path) == 1 else CALLER
            yield _lead(one, worth * one.score, f"uses {name}", name)
    yield from _callees(graph, file, parsed, before)
    for one in graph.tests(before, 2):
        yield from _in_test(graph, one, names)
    yield from _alike(search, file, names)


def _callees(graph: Graph, file: FileDiff, parsed: Parsed, before: str) -> Iterator[_Lead]:
    """What is defined elsewhere and used on the lines that the change adds."""
    used = dict.fromkeys(
        name for line in sorted(added_lines(file)) for name in references_in(parsed, line, line)
    )
    defining = graph.defining(list(used)[: 4 * MOST_NAMES])
    for name, places in list(defining.items())[:MOST_NAMES]:
        meaning = graph.names.meaning(before, places)
        for path in meaning.paths[:2]:
            at = places[path].chunk
            yield _Lead(path, at.start, at.end, CALLEE * meaning.sure, f"{name} is used here")


def _in_test(graph: Graph, test: Found, names: Sequence[str]) -> Iterator[_Lead]:
    """Of a test of the file, the functions that name what the change touches; else its first one."""
    blob = graph.index_store.blobs_of([test.path]).get(test.path)
    chunks = [each.chunk for each in graph.index_store.chunks_of([blob] if blob else []) if each.chunk.symbol]
    uses = [use for use in graph.index_store.uses(names, 500) if use.path == test.path]
    naming = [
        chunk for chunk in chunks if any(chunk.start <= line <= chunk.end for u in uses for line in u.lines)
    ]
    worth = TEST * min(1.0, test.score)
    for chunk in naming[:2] or chunks[:1]:
        yield _Lead(test.path, chunk.start, chunk.end, worth * (1.0 if naming else WHOLE), "tests it")


def _alike(search: Search, file: FileDiff, names: Sequence[str]) -> Iterator[_Lead]:
    """By words: what does the same elsewhere, and may need the same change."""
    added = [line.text for line in new_lines(file)]
    found = search.passages("\n".join([" ".join(names), *added])[:MOST_WORDS], 2 * MOST_OF_A_KIND)
    for one in [one for one in found if one.symbol and one.path != file.path][:MOST_OF_A_KIND]:
        yield _lead(one, ALIKE * one.score / (found[0].score or 1.0), "is like it")


def _lead(found: Found, value: float, why: str, *names: str) -> _Lead:
    return _Lead(found.path, found.start, found.end, value, why, names)


def _candidates(
    leads: Iterable[_Lead], held: Mapping[str, str], lines: Mapping[str, Sequence[str]]
) -> Iterator[ContextCandidate]:
    """The telling lines of each place, and at a lower value the whole of it."""
    for lead in leads:
        text = lines.get(held[lead.path], ())
        if lead.end - lead.start < SHORT:
            yield ContextCandidate(cut(lead.path, text, lead.start, lead.end), lead.value, lead.why)
            continue
        for start, end in _telling(text, lead):
            yield ContextCandidate(cut(lead.path, text, start, end), lead.value, lead.why)
        yield ContextCandidate(cut(lead.path, text, lead.start, lead.end), WHOLE * lead.value, lead.why)


def _telling(text: Sequence[str], lead: _Lead) -> Iterator[tuple[int, int]]:
    """The first line, and those around a name; else the first lines."""
    words = re.compile("|".join(rf"\b{re.escape(name)}\b" for name in lead.names) or r"(?!)")
    at = [n for n in range(lead.start, lead.end + 1) if n <= len(text) and words.search(text[n - 1])]
    if not at:
        yield lead.start, lead.start + HEAD - 1
        return
    yield lead.start, lead.start
    yield from ((max(lead.start, n - BESIDE), min(lead.end, n + BESIDE)) for n in at[:3])
