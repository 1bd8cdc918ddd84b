"""Threads on lines that Hob began, and whether they are resolved: REST does not tell.

https://docs.github.com/en/graphql/reference/objects#pullrequestreviewthread
"""

from typing import Any

from bot.core.effect_history import without_hint
from bot.core.errors import RateLimited, TemporaryError
from bot.core.facts import OwnThread
from bot.core.refs import RepoRef
from bot.github.api import Api
from bot.github.payloads import clean
from bot.github.refusals import read_graphql

MOST_THREADS, MOST_QUERIES = 500, 12
PER_PAGE, FEWEST = 100, 12
"""Threads of a query: at first, and where GitHub fails on more."""

_THREADS = """query($owner: String!, $name: String!, $number: Int!, $after: String, $most: Int!) {
  repository(owner: $owner, name: $name) { pullRequest(number: $number) {
    reviewThreads(first: $most, after: $after) {
      pageInfo { hasNextPage endCursor }
      nodes {
        id isResolved path
        root: comments(first: 1) { nodes {
          databaseId body author { __typename login }
          reactionGroups { content reactors(first: 1) { totalCount } }
        } }
        last: comments(last: 1) { nodes { databaseId body author { __typename login } } }
      }
    }
  } }
}"""


async def own_threads(api: Api, repo: RepoRef, number: int, slug: str) -> list[OwnThread]:
    """Oldest first, of the first 500 of anybody's; one call for each hundred. Where GitHub does not answer so
    many, half as many are asked for."""
    found: list[OwnThread] = []
    after: str | None = None
    most, seen = PER_PAGE, 0
    for _ in range(MOST_QUERIES):
        names = {"owner": repo.owner, "name": repo.name, "number": number, "after": after}
        page, most = await _page(api, names, most)
        seen += most
        made = (_thread(node, slug) for node in page.get("nodes") or () if isinstance(node, dict))
        found += [thread for thread in made if thread is not None]
        info = page.get("pageInfo") or {}
        after = info.get("endCursor")
        if not info.get("hasNextPage") or seen >= MOST_THREADS:
            break
    return found


async def _page(api: Api, names: dict[str, Any], most: int) -> tuple[dict[str, Any], int]:
    """(`reviewThreads`, as far as they were given; how many were asked for)"""
    while True:
        try:
            data, errors = await api.graphql_partly(_THREADS, {**names, "most": most}, retries=0)
            pull = (data.get("repository") or {}).get("pullRequest") or {}
            if errors and not pull.get("reviewThreads"):
                raise read_graphql(errors).error()
            return pull.get("reviewThreads") or {}, most
        except RateLimited:
            raise
        except TemporaryError:
            if most <= FEWEST:
                raise
            most //= 2


def _thread(node: dict[str, Any], slug: str) -> OwnThread | None:
    """None for one that somebody else began."""
    root, last = (_comment(node.get(name)) for name in ("root", "last"))
    if not root or not last or not _ours(root, slug):
        return None
    return OwnThread(
        id=str(node.get("id")),
        resolved=bool(node.get("isResolved")),
        path=clean(node.get("path")),
        comment_id=int(root.get("databaseId") or 0),
        body=without_hint(clean(root.get("body"))),
        liked=_reactions(root, "THUMBS_UP"),
        disliked=_reactions(root, "THUMBS_DOWN"),
        last_is_ours=_ours(last, slug),
        last=clean(last.get("body")),
    )


def _comment(page: Any) -> dict[str, Any]:
    nodes = page.get("nodes") if isinstance(page, dict) else None
    return nodes[0] if nodes and isinstance(nodes[0], dict) else {}


def _reactions(comment: dict[str, Any], content: str) -> int:
    groups = (one for one in comment.get("reactionGroups") or () if isinstance(one, dict))
    found = next((one for one in groups if one.get("content") == content), {})
    return int((found.get("reactors") or {}).get("totalCount") or 0)


def _ours(comment: dict[str, Any], slug: str) -> bool:
    """GraphQL names an App without the `[bot]` that REST writes; a person may have the same name."""
    author = comment.get("author") or {}
    return author.get("__typename") == "Bot" and str(author.get("login")).removesuffix("[bot]") == slug
