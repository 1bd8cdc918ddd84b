"""Issues, pull requests and commits of the index that have to do with a question, to be shown and cited."""

from collections.abc import Sequence

from bot.core.code_search import Excerpt
from bot.core.knowledge import KnownIssue
from bot.core.records import numbers_in, of_commit, of_issue, shas_in
from bot.core.text import day
from bot.knowledge.search.query import query_terms
from bot.knowledge.search.ranking import rarest
from bot.knowledge.storage import IndexStore
from bot.knowledge.storage.types import IndexedCommit, WordTable

MOST_ISSUES, MOST_COMMITS = 4, 3
MOST_TERMS, LOOKED_AT = 16, 30
_RECENT = 2_000
"""Commits among which the beginning of an id is looked for."""


def records(index_store: IndexStore, query: str) -> tuple[Excerpt, ...]:
    """Those that are named first, then the best by words: they hold two words of the question at least."""
    with index_store.reading():
        numbers = [*numbers_in(query), *_alike(index_store, "issue", query, MOST_ISSUES)]
        issues = index_store.issues(list(dict.fromkeys(numbers)))
        found = index_store.commits(_alike(index_store, "commit", query, MOST_COMMITS))
        named = _named(index_store, shas_in(query))
    commits = {one.sha: one for one in (*named, *found.values())}
    return (
        *(_issue(issues[number]) for number in dict.fromkeys(numbers) if number in issues),
        *(_commit(one) for one in commits.values()),
    )


def _alike(index_store: IndexStore, table: WordTable, query: str, most: int) -> list[int]:
    terms = list(query_terms(query).terms)
    counts = index_store.frequencies(table, terms)
    kept = rarest(dict.fromkeys(terms, 1.0), counts, MOST_TERMS)
    ids = [hit.id for hit in index_store.match(table, kept, LOOKED_AT)]
    held = index_store.holding(table, kept, ids)
    return [one for one in ids if len(held[one]) >= min(2, len(kept))][:most]


def _named(index_store: IndexStore, shas: Sequence[str]) -> list[IndexedCommit]:
    if not shas:
        return []
    return [one for one in index_store.recent(_RECENT) if one.sha.startswith(tuple(shas))]


def _issue(one: KnownIssue) -> Excerpt:
    kind = "issue" if one.kind == "issue" else "pull request"
    about = (
        f"{one.state} {kind} by {one.author}",
        f"opened {day(one.created)}" if one.created else "",
        f"closed {day(one.closed)}" if one.closed else "",
        f"labels: {', '.join(one.labels[:10])}" if one.labels else "",
    )
    return of_issue(one.number, one.title, about, one.body)


def _commit(one: IndexedCommit) -> Excerpt:
    return of_commit(one.sha, one.name, one.at, f"{one.subject}\n{one.body}".strip(), one.paths)
