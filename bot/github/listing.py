"""Which issues there are, by GraphQL: REST lists pull requests among them.

https://docs.github.com/en/graphql/reference/objects#repository
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from bot.core.github_reader import IssueStates
from bot.core.refs import RepoRef
from bot.github.api import Api
from bot.github.conversations import seconds

_NUMBERS = """query($owner: String!, $name: String!, $after: String, $states: [IssueState!],
  $labels: [String!], $since: DateTime) {
  repository(owner: $owner, name: $name) {
    issues(first: 100, after: $after, states: $states, filterBy: {labels: $labels, since: $since},
           orderBy: {field: CREATED_AT, direction: ASC}) {
      pageInfo { hasNextPage endCursor }
      nodes { number createdAt author { __typename } }
    }
  }
}"""
_STATES = {"open": ["OPEN"], "closed": ["CLOSED"], "all": None}


async def issue_numbers(
    api: Api, repo: RepoRef, since: float, labels: Sequence[str], state: IssueStates, most: int
) -> list[int]:
    """A call for each hundred. Apps' issues are left out: nobody answers there."""
    told = datetime.fromtimestamp(since, UTC).isoformat().replace("+00:00", "Z") if since else None
    asked: dict[str, Any] = {"owner": repo.owner, "name": repo.name, "states": _STATES[state]}
    asked |= {"labels": list(labels) or None, "since": told}
    found: list[int] = []
    after: str | None = None
    while len(found) < most:
        data = await api.graphql(_NUMBERS, {**asked, "after": after})
        page = (data.get("repository") or {}).get("issues") or {}
        nodes = [one for one in page.get("nodes") or () if isinstance(one, dict)]
        found += [
            int(one["number"])
            for one in nodes
            if seconds(one.get("createdAt")) >= since and (one.get("author") or {}).get("__typename") != "Bot"
        ]
        info = page.get("pageInfo") or {}
        after = info.get("endCursor")
        if not info.get("hasNextPage") or not after:
            break
    return found[:most]
