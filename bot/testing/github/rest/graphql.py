"""GraphQL, as far as a bot needs it: many files at a commit in one call, issues and what they wait for,
threads and whether they are resolved. https://docs.github.com/en/graphql"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from bot.testing.github.auth import allows, covers
from bot.testing.github.issues import Issue
from bot.testing.github.pulls import PullRequest
from bot.testing.github.refusals import REFUSALS
from bot.testing.github.repository import Repository
from bot.testing.github.rest import graph_issues as graph
from bot.testing.github.rest import threads
from bot.testing.github.rest.document import ParseError, Selection, Variable, parse
from bot.testing.github.rest.fields import Fields, GraphError, Query, check_size, fields_of
from bot.testing.github.shapes import repos
from bot.testing.github.wire import RestCall, RestResponse, route

_LONGEST = 512_000
"""Bytes of text after which GitHub cuts a blob."""


@route("POST", "/graphql")
def post_graphql(call: RestCall) -> RestResponse:
    """200 with `errors` for what is wrong in a document, as GitHub does."""
    asked = call.json()
    variables = asked.get("variables") or {}
    try:
        kind, selections = parse(str(asked.get("query") or ""))
    except ParseError as problem:
        return RestResponse(200, {"errors": [{"message": str(problem)}]})
    if sum(child.name == "object" for one in selections for child in one.children) > call.state.most_objects:
        said = REFUSALS["graphql too large"]
        return RestResponse(said.status, said.answer)
    query = Query(call)
    root = _root if kind == "query" else _mutation
    try:
        given = [_given(one, variables) for one in selections]
        check_size(given)
        data = {one.key: root(query, one) for one in given}
    except GraphError as refused:
        return RestResponse(200, {"errors": [{"type": refused.kind, "message": str(refused)}]})
    if any("extensions" in error for error in query.errors):
        return RestResponse(200, {"errors": query.errors})
    return RestResponse(200, {"data": data} | ({"errors": query.errors} if query.errors else {}))


def _root(query: Query, asked: Selection) -> Any:
    state, token = query.call.state, query.call.token
    if asked.name == "__typename":
        return "Query"
    if asked.name == "rateLimit":
        return {
            child.key: {"cost": 1, "remaining": state.limits.per_hour}.get(child.name)
            for child in asked.children
        }
    if asked.name != "repository":
        query.undefined("Query", asked.name, ["query"])
        return None
    full_name = f"{asked.arguments.get('owner')}/{asked.arguments.get('name')}"
    repo = state.repositories.get(full_name.lower())
    if repo is None or token is None or not covers(state, token, repo.id):
        words = f"Could not resolve to a Repository with the name '{full_name}'."
        query.wrong("NOT_FOUND", words, [asked.key])
        return None
    return query.pick("Repository", _repository(query, repo, asked), asked)


def _mutation(query: Query, asked: Selection) -> dict[str, Any] | None:
    if asked.name != "resolveReviewThread":
        query.undefined("Mutation", asked.name, ["mutation"])
        return None
    answer, wrong = threads.resolve(query, asked, asked.arguments.get("input"))
    if wrong:
        words = "Resource not accessible by integration" if wrong == "FORBIDDEN" else "Could not resolve"
        query.wrong(wrong, words, [asked.key])
    found: dict[str, Any] | None = answer
    return found


def _value(value: Any, variables: dict[str, Any]) -> Any:
    if isinstance(value, dict):
        return {name: _value(one, variables) for name, one in value.items()}
    if isinstance(value, list):
        return [_value(one, variables) for one in value]
    return variables.get(value.name) if isinstance(value, Variable) else value


def _given(asked: Selection, variables: dict[str, Any]) -> Selection:
    """The same with the values of variables in their places, all the way down."""
    arguments = {name: _value(value, variables) for name, value in asked.arguments.items()}
    return replace(
        asked, arguments=arguments, children=tuple(_given(one, variables) for one in asked.children)
    )


def _repository(query: Query, repo: Repository, asked: Selection) -> Fields:
    expressions = [str(one.arguments.get("expression")) for one in asked.children if one.name == "object"]
    objects = repo.git.objects(expressions)

    def when(need: str, make: Callable[[Selection], Any]) -> Callable[[Selection], Any]:
        """What needs a permission is null without it, and an error says so."""

        def made(one: Selection) -> Any:
            if query.call.token is not None and allows(query.call.token, need):
                return make(one)
            query.wrong("FORBIDDEN", "Resource not accessible by integration", [asked.key, one.key])
            return None

        return made

    def numbered(kind: str, fits: Callable[[Issue], bool]) -> Callable[[Selection], Any]:
        def made(one: Selection) -> Any:
            number = one.arguments.get("number")
            found = next((each for each in repo.shown if each.number == number and fits(each)), None)
            if found is None:
                words = f"Could not resolve to {kind} with the number of {number}."
                query.wrong("NOT_FOUND", words, [asked.key, one.key])
                return None
            shape = graph.pull if isinstance(found, PullRequest) else graph.issue
            return shape(query, found, one)  # type: ignore[arg-type]

        return made

    plain = [one for one in repo.shown if one.event == "issues"]
    policy = [f"{folder}SECURITY.md" for folder in ("", ".github/", "docs/")]
    policies = (
        repo.git.objects([f"{repo.default_branch}:{path}" for path in policy])
        if any(one.name.lower().find("securitypolicy") >= 0 for one in asked.children)
        else {}
    )
    return {
        **graph.home(repo),
        "object": when(
            "contents:read",
            lambda one: _object(query, repo, one, objects.get(str(one.arguments.get("expression")))),
        ),
        "pullRequest": numbered("a PullRequest", lambda each: isinstance(each, PullRequest)),
        "issue": when("issues:read", numbered("an Issue", lambda each: each.event == "issues")),
        "issueOrPullRequest": when("issues:read", numbered("an issue or pull request", lambda each: True)),
        "issues": when("issues:read", lambda one: graph.issues(query, plain, one)),
        "pullRequests": when("pull_requests:read", lambda one: graph.pulls(query, repo.pulls, one)),
        "labels": lambda one: graph.labels(query, repo.labels, one),
        "issueTypes": lambda one: graph.issue_types(query, repo.issue_types, one),
        "milestones": when("issues:read", lambda one: graph.milestones(query, repo, one)),
        "milestone": when(
            "issues:read",
            lambda one: graph.milestone(
                query,
                repo,
                next((each for each in repo.milestones if each.number == one.arguments.get("number")), None),
                one,
            ),
        ),
        "releases": when("contents:read", lambda one: graph.releases(query, repo, one)),
        "isSecurityPolicyEnabled": any(policies.values()),
        "securityPolicyUrl": f"{repos.html(repo)}/security/policy" if any(policies.values()) else None,
        "owner": lambda one: graph.person(query, repo.owner, one),
        "defaultBranchRef": lambda one: query.pick(
            "Ref",
            {
                "name": repo.default_branch,
                "target": lambda one: query.pick(
                    "Commit", {"oid": repo.git.resolve(repo.default_branch)}, one
                ),
            },
            one,
        ),
    }


def _object(
    query: Query, repo: Repository, asked: Selection, found: tuple[str, str, bytes] | None, at: str = ""
) -> dict[str, Any] | None:
    """A blob, tree, commit or tag; `at`: the path of an entry."""
    if found is None:
        return None
    kind, sha, data = found
    name = {"blob": "Blob", "tree": "Tree", "commit": "Commit", "tag": "Tag"}[kind]
    at = at or str(asked.arguments.get("expression") or "").partition(":")[2].strip("/")
    fields: dict[str, Any] = {"oid": sha, "abbreviatedOid": sha[:7]}
    if kind == "blob":
        fields |= _blob(data)
    if kind == "tree":
        fields["entries"] = lambda one: _tree(query, repo, list(_entries(data)), one, at)
    return query.pick(name, fields, asked)


def _tree(
    query: Query, repo: Repository, entries: list[dict[str, Any]], asked: Selection, at: str
) -> list[dict[str, Any]]:
    """Entries with what stands in them, where that is asked for."""
    wanted = {one.name for one in fields_of(asked, "TreePath")} & {"object", "size"}
    objects = repo.git.objects(one["oid"] for one in entries) if wanted else {}
    listed = []
    for one in entries:
        found, path = objects.get(one["oid"]), f"{at}/{one['name']}".lstrip("/")
        extension = "." + one["name"].rpartition(".")[2] if "." in one["name"] else ""
        fields = one | {
            "path": path,
            "extension": extension,
            "size": len(found[2]) if found and found[0] == "blob" else 0,
            "object": lambda node, found=found, path=path: _object(query, repo, node, found, path),
        }
        listed.append(query.pick("TreePath", fields, asked))
    return listed


def _entries(data: bytes) -> Iterator[dict[str, Any]]:
    """A tree object of git, as https://docs.github.com/en/graphql/reference/objects#treeentry tells it."""
    at = 0
    while at < len(data):
        blank, end = data.index(b" ", at), data.index(b"\0", at)
        mode = int(data[at:blank], 8)
        at = end + 21
        yield {
            "name": data[blank + 1 : end].decode("utf-8", "replace"),
            "mode": mode,
            "type": {0o040000: "tree", 0o160000: "commit"}.get(mode, "blob"),
            "oid": data[end + 1 : at].hex(),
        }


def _blob(data: bytes) -> dict[str, Any]:
    """https://docs.github.com/en/graphql/reference/objects#blob"""
    binary = b"\0" in data[:8000]
    return {
        "byteSize": len(data),
        "isBinary": binary,
        "isTruncated": not binary and len(data) > _LONGEST,
        "text": None if binary else data[:_LONGEST].decode("utf-8", "replace"),
    }
