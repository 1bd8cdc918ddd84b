"""The memory of a repository that is named as people name it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import click

from bot.config import load_config
from bot.core.errors import UserError
from bot.core.memory import Memory, MemoryKind
from bot.core.refs import LOGIN, NAME
from bot.core.text import cut, day, strip_invisible
from bot.store import Store, open_store


def listed(repo: str) -> list[Memory]:
    """All that is remembered, oldest first; what has expired is not."""
    with _opened(repo) as store:
        known = store.memory.repo_id(repo)
        return [] if known is None else store.memory.live(known)


def taken(repo: str, new: Sequence[Memory]) -> int:
    """Keeps these; how many were new. UserError for a repository that Hob has never heard of."""
    with _opened(repo) as store:
        known = store.memory.repo_id(repo)
        if known is None:
            raise UserError(
                f"Hob has not heard of {repo} yet",
                "install its App there and let one delivery come in: GitHub then tells the repository's id",
            )
        return store.memory.add(known, repo, new)


def forgotten(repo: str, n: int) -> None:
    """UserError when nothing has that number."""
    with _opened(repo) as store:
        known = store.memory.repo_id(repo)
        if known is None or not store.memory.forget(known, n):
            raise UserError(
                f"nothing is remembered of {repo} under {n}", f"`hob memory list --repo {repo}` shows all"
            )


def decided(repo: str, n: int, kind: MemoryKind) -> None:
    """UserError when no convention of that number waits for it."""
    with _opened(repo) as store:
        known = store.memory.repo_id(repo)
        if known is None or not store.memory.decide(known, n, kind):
            raise UserError(
                f"no convention of {repo} is offered under {n}", f"`hob memory list --repo {repo}` shows all"
            )


def told(one: Memory) -> str:
    """One line for a terminal, whatever people wrote into it."""
    lesson = one.lesson
    what = lesson.text if lesson.kind != "dismissal" else f"{lesson.path}: {lesson.title} ({lesson.text})"
    until = "" if one.expires is None else f", until {day(one.expires)}"
    words = strip_invisible(" ".join(what.split()))[0]
    return (
        f"{one.n:>4}  {lesson.kind:10}  {cut(words, 300, end='…')}  [{lesson.author}, {day(one.at)}{until}]"
    )


@contextmanager
def _opened(repo: str) -> Iterator[Store]:
    owner, _, name = repo.partition("/")
    if not LOGIN.fullmatch(owner) or not NAME.fullmatch(name):
        raise click.UsageError("no repository on GitHub looks like this: say OWNER/NAME")
    store = open_store(load_config().store.database_url)
    try:
        store.require_schema()
        yield store
    finally:
        store.close()
