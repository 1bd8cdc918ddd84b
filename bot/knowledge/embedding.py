"""Vectors of an index: made in the background, some at a time, where a host has a model for it, and asked for
what is near a text in meaning. Without a host nothing is near anything, and all else works.

Measured: they find files for the texts of people (issues) and duplicates among issues; for the words of
commits they add nothing. So issues come first, and of code the functions.
"""

import asyncio
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bot.core.inference import Embed, Embedding, Purpose
from bot.core.knowledge import KnownIssue
from bot.knowledge.git import Git
from bot.knowledge.issues import averaged, shown
from bot.knowledge.parsing.files import decode, lines_of
from bot.knowledge.storage import IndexStore
from bot.knowledge.storage.types import Hit, StoredChunk, VectorOf

MODEL = "vectors"
"""Under which the shelf remembers whose its vectors are: a model as `Embedding` names it, and their
length."""
MOST_CHUNKS = 20_000
"""Of the tip, functions first: some 10 MB at 384 numbers each."""
MOST_NEAR = 50
MOST_ISSUES = 10_000
AT_ONCE = 32
LONGEST = 8_000
"""Characters of a text that are sent: no model reads more of it with profit."""
_KINDS = ("function", "class", "section", "window", "rest")
_EVERY = 1_000_000

EmbedProgress = Callable[[int, int], None]
"""Called with how many vectors are made, of how many."""


@dataclass(frozen=True, slots=True)
class Filled:
    """How many vectors were made, and for a person why not all were; empty where none is missing."""

    made: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Task:
    """Some texts of one kind, with what they are of."""

    of: VectorOf
    texts: Mapping[int, str]
    source: Mapping[int, StoredChunk] | Mapping[int, KnownIssue]


async def fill(
    index_store: IndexStore,
    git: Git | None,
    embed: Embed,
    progress: EmbedProgress = lambda done, of: None,
    most: int = _EVERY,
) -> Filled:
    """Makes vectors that are missing, about `most` of them. What was made stays: it may be ended at any time
    and goes on where it was. The model stays the one of the vectors that are there for as long as a host has
    it; another one's take their place. Raises `IndexStoreError`, `GitError`."""
    model = await _model(index_store, embed)
    if model.failure:
        return Filled(reason=model.reason)
    missing = await asyncio.to_thread(_missing, index_store, _key(model))
    total, done = sum(map(len, missing.values())), 0
    for of, ids in missing.items():
        for some in (ids[at : at + AT_ONCE] for at in range(0, len(ids), AT_ONCE)):
            task = await asyncio.to_thread(_task, index_store, git, of, some)
            if not task.texts:
                continue
            if done >= most:
                return Filled(done, "the others next time")
            made = await embed(list(task.texts.values()), "document", model.model)
            if made.failure:
                return Filled(done, made.reason)
            done += await asyncio.to_thread(_keep, index_store, task, made)
            progress(done, total)
    return Filled(done)


async def near_chunks(index_store: IndexStore, embed: Embed, query: str, limit: int = MOST_NEAR) -> list[Hit]:
    """Passages that are near a text, each with how much nearer it is than the first that is not among them:
    every passage is somewhat near. Empty where there is no model."""
    made = await _asked(index_store, embed, [query[:LONGEST]], "query")
    if made is None:
        return []
    found = await asyncio.to_thread(index_store.nearest, "chunk", _key(made), made.vectors[0], limit + 1)
    least = found[limit].score if len(found) > limit else 0.0
    return [Hit(hit.id, hit.score - least) for hit in found[:limit] if hit.score > least]


async def near_issues(index_store: IndexStore, embed: Embed, title: str, body: str) -> dict[int, float]:
    """Number -> how close an issue is in meaning, for `bot.knowledge.issues.RepositoryIssues`. Empty where
    there is no model."""
    made = await _asked(index_store, embed, [title, _whole(title, body)], "document")
    if made is None:
        return {}
    key, (of_title, of_whole) = _key(made), made.vectors
    titles = await asyncio.to_thread(index_store.nearest, "title", key, of_title, MOST_ISSUES)
    wholes = await asyncio.to_thread(index_store.nearest, "issue", key, of_whole, MOST_ISSUES)
    return averaged(wholes, titles)


def _whole(title: str, body: str) -> str:
    return f"{title}\n\n{shown(body)}"[:LONGEST]


def _key(made: Embedding) -> str:
    return f"{made.model} {len(made.vectors[0])}"


async def _model(index_store: IndexStore, embed: Embed) -> Embedding:
    """An answer of the model whose vectors are on the shelf, or now will be."""
    known = index_store.state(MODEL)
    made = await embed(["a text"], "document", known.rpartition(" ")[0])
    if known and made.failure == "no_host":
        made = await embed(["a text"])
    if not made.failure and _key(made) != known:
        with index_store.writing():
            index_store.drop_vectors(_key(made))
            index_store.set_state(MODEL, _key(made))
    return made


async def _asked(
    index_store: IndexStore, embed: Embed, texts: Sequence[str], purpose: Purpose
) -> Embedding | None:
    known = index_store.state(MODEL)
    if not known:
        return None
    made = await embed(texts, purpose, known.rpartition(" ")[0])
    return None if made.failure or _key(made) != known else made


def _missing(index_store: IndexStore, key: str) -> dict[VectorOf, list[int]]:
    """What has no vector yet, in the order in which it is made: the newest issues first, of code the
    functions."""
    issues = index_store.without_vector("issue", key, MOST_ISSUES)
    titles = index_store.without_vector("title", key, MOST_ISSUES)
    chunks = index_store.chunks(index_store.without_vector("chunk", key, _EVERY))
    room = max(0, MOST_CHUNKS - (index_store.sizes().chunks - len(chunks)))
    chunks.sort(key=lambda each: (_KINDS.index(each.chunk.kind), each.id))
    return {"issue": issues, "title": titles, "chunk": [each.id for each in chunks[:room]]}


def _task(index_store: IndexStore, git: Git | None, of: VectorOf, ids: Sequence[int]) -> _Task:
    """The texts of some, as far as they can be read."""
    if of == "chunk":
        chunks = {each.id: each for each in index_store.chunks(ids)}
        return _Task(of, dict(_passages(index_store, git, list(chunks.values()))), chunks)
    issues = index_store.issues(ids)
    texts = {
        number: each.title if of == "title" else _whole(each.title, each.body)
        for number, each in issues.items()
    }
    return _Task(of, texts, issues)


def _passages(
    index_store: IndexStore, git: Git | None, chunks: Collection[StoredChunk]
) -> Iterator[tuple[int, str]]:
    """(id, where it is and what it is called, then its lines)"""
    blobs = {each.blob for each in chunks}
    paths = index_store.paths(blobs)
    lines = {sha: lines_of(decode(data)) for sha, data in git.contents(sorted(blobs))} if git else {}
    for each in chunks:
        if each.blob in lines and each.blob in paths:
            own = lines[each.blob][each.chunk.start - 1 : each.chunk.end]
            yield each.id, "\n".join([paths[each.blob][0], each.chunk.symbol, *own])[:LONGEST]


def _keep(index_store: IndexStore, task: _Task, made: Embedding) -> int:
    """Puts vectors on the shelf, but of what has changed while they were made; how many."""
    vectors = dict(zip(task.texts, made.vectors, strict=True))
    with index_store.writing():
        now: Mapping[int, object] = (
            {each.id: each for each in index_store.chunks(vectors)}
            if task.of == "chunk"
            else index_store.issues(vectors)
        )
        same = [
            (number, vector) for number, vector in vectors.items() if now.get(number) == task.source[number]
        ]
        index_store.put_vectors(task.of, _key(made), same)
    return len(same)
