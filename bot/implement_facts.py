"""What a change is to be written from that somebody described in words: an issue on GitHub, or an objective
on this machine; the plan for it, and the files that it is about."""

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from bot.agents.look_ups import looks_up
from bot.agents.research import Research
from bot.agents.review.looking import Looking
from bot.agents.tools import Lookups, ReadFiles
from bot.context import Context
from bot.core.code_search import Excerpt, Library, whole
from bot.core.edit_paths import is_private, why_not
from bot.core.errors import GitHubError
from bot.core.facts import PatchFacts, RepoContext
from bot.core.file_kinds import kind_of_path
from bot.core.github_reader import TreePath
from bot.core.inference import Usage
from bot.core.knowledge import Found, IndexedLibrary
from bot.core.named_files import candidates, named_files
from bot.core.refs import Login, Sha
from bot.core.work_budget import WorkBudget
from bot.log import redact
from bot.proposals import REGULAR, allowed, regular

MOST_FILES = 12
"""Files that a model is shown whole at first."""
MOST_TEXT = 512 * 1024
SMALL = 100_000
"""Bytes of all files of a repository that is shown whole, where it has no more than `MOST_FILES`."""
ROUNDS = 2
"""How often a model says where to look next before it writes."""
MOST_NAMES = 2_000
_WORD = re.compile(r"[^\W_]{3,40}")


@dataclass(frozen=True, slots=True)
class WantedChange:
    """What somebody wants done. `plan`: the text of one that stands; `wish`: what was said with the
    command."""

    title: str
    text: str
    said: tuple[tuple[Login, str], ...] = ()
    plan: str = ""
    wish: str = ""

    @property
    def words(self) -> str:
        return "\n".join([self.title, self.text, self.plan, self.wish, *(what for _, what in self.said)])


async def implement_facts(
    ctx: Context,
    context: RepoContext,
    tip: Sha,
    wanted: WantedChange,
    library: Library | None,
    budget: WorkBudget,
) -> tuple[PatchFacts, tuple[Usage, ...]]:
    """The files that the words name come first, then what a search finds; of a small repository all are
    there. Every other path is told by its name."""
    tree = await _tree(ctx, tip)
    named = candidates(named_files(wanted.words, ctx.repo.full_name))
    paths = [path for several in named.values() for path in several]
    used: tuple[Usage, ...] = ()
    if library is not None and not _small(tree):
        found, used = await _searched(ctx, tip, library, wanted, budget)
        paths += found
    texts_there = [path for path, entry in tree.items() if _is_source(path, entry)]
    paths += texts_there if _small(tree) else ()
    readable = (path for path in dict.fromkeys(paths) if not is_private(path))
    asked = [path for path in readable if not tree or _is_file(tree.get(path))]
    texts = await ctx.github.texts(tip, asked[:50])
    shown = dict(list(texts.items())[:MOST_FILES])
    others = dict.fromkeys(
        [*(path for path in texts if path not in shown), *_ranked(texts_there, wanted.words)]
    )
    facts = PatchFacts(
        context=context,
        kind="implement",
        title=wanted.title,
        description=wanted.text,
        texts=shown,
        conversation=wanted.said,
        wish=wanted.wish,
        names=tuple(path for path in others if path not in shown)[:MOST_NAMES],
        modes={path: entry.mode for path, entry in tree.items()},
        exists=tree.__contains__ if tree else None,
        allowed=allowed(context),
        tools=ctx.tools,
    )
    return (facts if tree else await regular(ctx, tip, facts)), used


def reading(ctx: Context, at: Sha, modes: Mapping[str, int]) -> ReadFiles:
    """Reads more files of a commit, of whose paths `modes` has all, or none."""

    async def read(paths: Sequence[str]) -> tuple[Mapping[str, str], Mapping[str, int]]:
        found = modes or await ctx.github.modes(at, paths)
        files = [path for path in paths if found.get(path) in REGULAR]
        return await ctx.github.texts(at, files), {path: found[path] for path in files}

    return read


def reading_from(library: Library) -> ReadFiles:
    """Reads more files as a library has them; none of an archive."""

    async def read(paths: Sequence[str]) -> tuple[Mapping[str, str], Mapping[str, int]]:
        found = {path: await whole(library, path) for path in paths if not path.startswith("@")}
        return {path: "\n".join(lines) + "\n" for path, lines in found.items() if lines}, {}

    return read


def lookups(ctx: Context, at: Sha, library: Library | None) -> Lookups:
    """What tools look up, as of a commit. An index knows callers and issues as of what it was made from."""
    known = ctx.knowledge
    source = known if known is not None else library
    indexed = source if isinstance(source, IndexedLibrary) else None
    tests, commits = ctx.suite, ctx.github.touching

    async def search(query: str) -> Sequence[Excerpt]:
        if indexed is not None:
            return await indexed.search(query, at)
        return await source.search(query) if source is not None else ()

    async def issues(query: str) -> Sequence[Found]:
        return await known.related(query, "", k=8) if known is not None else ()

    return Lookups(
        search=search if source is not None else None,
        callers=indexed.callers if indexed is not None else None,
        issues=issues if known is not None else None,
        commits=lambda path: commits(path, at, 10),
        tests=partial(tests, at) if tests else None,
        redact=redact,
        note=ctx.note_tool,
    )


def looking(ctx: Context, at: Sha, library: Library | None = None, read: ReadFiles | None = None) -> Looking:
    """Where a review of that head looks up what is outside of its diff. `library`: what is searched where the
    context knows nothing; `read`: instead of the context's own way to files."""
    beside = lookups(ctx, at, library)
    return Looking(beside.search, redact, partial(looks_up, read or reading(ctx, at, {}), beside))


async def _tree(ctx: Context, tip: Sha) -> Mapping[str, TreePath]:
    """Nothing where it cannot be told at once: then only what is asked for is known."""
    try:
        return await ctx.github.tree(tip)
    except GitHubError:
        return {}


async def _searched(
    ctx: Context, tip: Sha, library: Library, wanted: WantedChange, budget: WorkBudget
) -> tuple[list[str], tuple[Usage, ...]]:
    looked: list[Usage] = []
    there = ctx.searched(library, looked, tip, budget)
    scout = Research.of(ctx.persona, ctx.infer, there, rounds=ROUNDS if ctx.idle else 1)
    try:
        async with asyncio.timeout(budget.seconds_left):
            found, spent = await scout.gather(f"{wanted.title}\n\n{wanted.text[:4_000]}")
    except TimeoutError:
        return [], tuple(looked)
    for one in spent:
        budget.spend(one.tokens_in + one.tokens_out, max(1, one.calls))
    used = (line for one in spent for line in one.usage("implement scout"))
    return [one.path for one in found if one.kind == "file"], (*looked, *used)


def _is_file(entry: TreePath | None) -> bool:
    return entry is not None and entry.mode in REGULAR and entry.size <= MOST_TEXT


def _is_source(path: str, entry: TreePath) -> bool:
    """Whether it may be part of a change: somebody's writing, which may be touched."""
    return _is_file(entry) and not (kind_of_path(path) or is_private(path) or why_not(path))


def _small(tree: Mapping[str, TreePath]) -> bool:
    files = [entry.size for path, entry in tree.items() if _is_source(path, entry)]
    return bool(tree) and len(files) <= MOST_FILES and sum(files) <= SMALL


def _ranked(paths: Sequence[str], words: str) -> Iterator[str]:
    """Those first whose names hold words of the text, then those that lie nearest to the root."""
    said = {word.casefold() for word in _WORD.findall(words[:50_000])}

    def rank(path: str) -> tuple[int, int, str]:
        parts = {part.casefold() for part in _WORD.findall(path)}
        return -len(parts & said), path.count("/"), path

    yield from sorted(paths, key=rank)
