"""Many objects of git in one GraphQL query, and in fewer where GitHub does not answer so much at once.

https://docs.github.com/en/graphql/reference/objects#repository
"""

import logging
from collections.abc import Sequence
from typing import Any

from bot.core.errors import GitHubError, QueryTooLarge, RateLimited, TemporaryError
from bot.core.refs import RepoRef
from bot.github.api import RETRIES, Api
from bot.github.refusals import read_one

PER_QUERY = 50
EXTRA_QUERIES = 8
"""Queries above one for each 50 names, for what failed or was left out; then the rest is left unanswered."""
log = logging.getLogger(__name__)


async def objects(
    api: Api, repo: RepoRef, names: Sequence[str], fields: str
) -> tuple[dict[str, Any], frozenset[str]]:
    """(what git's names of revisions, `sha:path`, stand for; the names that GraphQL did not answer). What is
    not there is in neither.

    A part of an answer is used. A query that fails for its size, or for no reason that it gives, is asked
    again with half as many names, never the same twice; a name that fails alone is left. Limits are raised.
    """
    found: dict[str, Any] = {}
    left: set[str] = set()
    waiting, size = list(names), PER_QUERY
    for _ in range(-(-len(waiting) // PER_QUERY) + EXTRA_QUERIES):
        if not waiting:
            break
        batch, waiting = waiting[:size], waiting[size:]
        try:
            answered, lacking, broken = await _query(api, repo, batch, fields)
        except RateLimited:
            raise
        except GitHubError as error:
            log.info("GraphQL is of no use here: %s", error)
            return found, frozenset((*left, *batch, *waiting))
        except TemporaryError as error:
            if len(names) == 1 and not isinstance(error, QueryTooLarge):
                raise  # not for its size: GitHub fails for now
            log.info("a query for %d objects failed: %s", len(batch), error)
            answered, lacking, broken = {}, batch, []
        found |= answered
        left.update(broken)
        if lacking:
            waiting = [*lacking, *waiting]
            size = max(1, len(batch) // 2)
        if len(batch) == 1 and lacking:
            left.add(waiting.pop(0))
            size = PER_QUERY // 4
    return found, frozenset((*left, *waiting))


async def _query(
    api: Api, repo: RepoRef, names: Sequence[str], fields: str
) -> tuple[dict[str, Any], list[str], list[str]]:
    """(answered, lacking for the size of the query, refused one by one)"""
    keys = {f"e{n}": name for n, name in enumerate(names)}
    declared = "".join(f", ${key}: String!" for key in keys)
    asked = " ".join(f"{key}: object(expression: ${key}) {{ {fields} }}" for key in keys)
    document = (
        f"query($owner: String!, $name: String!{declared}) "
        f"{{ repository(owner: $owner, name: $name) {{ {asked} }} }}"
    )
    retries = 0 if len(names) > 1 else RETRIES
    values = {"owner": repo.owner, "name": repo.name, **keys}
    data, errors = await api.graphql_partly(document, values, retries=retries)
    given = data.get("repository")
    given = given if isinstance(given, dict) else {}
    wrong = _by_key(errors)
    whole = wrong.pop("", "")
    unsaid = [key for key in keys if key in wrong or (whole and given.get(key) is None)]
    lacking = [key for key in unsaid if wrong.get(key, whole) in ("too large", "unclear")]
    broken = [keys[key] for key in unsaid if key not in lacking]
    answered = {keys[key]: given.get(key) for key in keys if key not in unsaid}
    return answered, [keys[key] for key in lacking], broken


def _by_key(errors: Sequence[Any]) -> dict[str, str]:
    """What each error means, by the key that it names; under "" one that names none of them."""
    found: dict[str, str] = {}
    for error in errors:
        if not isinstance(error, dict):
            continue
        path = error.get("path")
        key = str(path[1]) if isinstance(path, list) and len(path) > 1 else ""
        found.setdefault(key, read_one(error).kind)
    return found
