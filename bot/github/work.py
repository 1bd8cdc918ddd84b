"""Issues and pull requests with what they wait for, milestones, releases. All text here is hostile.

GraphQL tells a hundred with all their edges in one call; REST is asked for one issue alone, and where a
server does not know the fields yet.

https://docs.github.com/en/graphql/reference/objects#issue
https://docs.github.com/en/rest/issues/issue-dependencies  https://docs.github.com/en/rest/issues/sub-issues
"""

from collections.abc import Iterable, Mapping
from typing import Any, cast

from bot.core.errors import GitHubError, Gone, RateLimited, TemporaryError
from bot.core.mentions import mentions
from bot.core.refs import Login, RepoRef
from bot.core.work_items import GHOST, Milestone, Release, WorkItem, WorkRef, WorkState, ref_of
from bot.github.api import Api, Params
from bot.github.conversations import actor, as_object, label_names, seconds
from bot.github.payloads import clean
from bot.github.refusals import read_graphql

PERMISSION = {"issues": "read", "pull_requests": "read"}
PER_PAGE, FEWEST = 100, 12
"""Issues of a query: at first, and where GitHub fails on more."""
MOST_MILESTONES, MOST_RELATED = 500, 100
_ISSUE = "/repos/{owner}/{repo}/issues/{number}"
_UNKNOWN = ("doesn't exist on type", "doesn't accept argument")
"""What GraphQL says of a field or an argument that this server is too old for."""

_REF = "{ totalCount nodes { number title state repository { nameWithOwner } } }"
_SHARED = """number title body state createdAt updatedAt closedAt authorAssociation
  author { __typename login } milestone { title } comments(first: 1) { totalCount }
  assignees(first: 10) { nodes { login } } labels(first: 30) { nodes { name } }"""
_NODES = f"""{{
  issues(first: $most, after: $issues, states: $open, orderBy: {{field: UPDATED_AT, direction: DESC}}) {{
    pageInfo {{ hasNextPage endCursor }}
    nodes {{ {_SHARED} stateReason(enableDuplicate: true) issueType {{ name }}
      parent {{ number title state repository {{ nameWithOwner }} }}
      subIssues(first: 100) {_REF} blockedBy(first: 50) {_REF} blocking(first: 50) {_REF}
      closedByPullRequestsReferences(first: 10, includeClosedPrs: true) {_REF}
    }}
  }}
  pullRequests(first: $most, after: $pulls, states: $opened, orderBy: {{field: UPDATED_AT, direction: DESC}})
  {{
    pageInfo {{ hasNextPage endCursor }}
    nodes {{ {_SHARED} isDraft closingIssuesReferences(first: 10) {_REF} }}
  }}
}}"""
_GIVEN = (
    "$owner: String!, $name: String!, $most: Int!, $issues: String, $pulls: String, "
    "$open: [IssueState!], $opened: [PullRequestState!]"
)
_ALL = f"query({_GIVEN}) {{ repository(owner: $owner, name: $name) {_NODES} }}"
_OF_MILESTONE = (
    f"query({_GIVEN}, $milestone: Int!) {{ repository(owner: $owner, name: $name) {{ "
    f"milestone(number: $milestone) {_NODES} }} }}"
)


async def work_items(
    api: Api, repo: RepoRef, *, milestone: str = "", open_only: bool = True, most: int = 1000
) -> list[WorkItem]:
    """The last updated first. A milestone is found by its title; none of that title has no items."""
    number = 0
    if milestone:
        named = [one for one in await milestones(api) if one.title == milestone]
        if not named:
            return []
        number = named[0].number
    try:
        found = await _by_graphql(api, repo, number, open_only, most)
    except _Unknown:
        found = await _by_rest(api, repo, number, open_only, most)
    return sorted(found, key=lambda item: (-item.updated, -item.number))[:most]


async def work_item(api: Api, repo: RepoRef, number: int) -> WorkItem:
    """Open or closed, with its edges, in at most five calls; `Gone` also where it was transferred."""
    found = as_object(await api.get(_ISSUE, {"number": number}))
    if found.get("number") != number or not _here(found, repo):
        raise Gone(410, "it was transferred to another repository")
    return await _related(api, repo, found)


async def milestones(api: Api) -> list[Milestone]:
    """https://docs.github.com/en/rest/issues/milestones#list-milestones"""
    path = "/repos/{owner}/{repo}/milestones"
    found = await api.get_all(path, {"state": "all", "direction": "desc"}, cap=MOST_MILESTONES)
    return [
        Milestone(
            title=clean(one.get("title")),
            number=int(one.get("number") or 0),
            open=one.get("state") == "open",
            open_items=int(one.get("open_issues") or 0),
            closed_items=int(one.get("closed_issues") or 0),
            due=seconds(one.get("due_on")),
        )
        for one in map(as_object, found)
    ]


async def releases(api: Api, most: int) -> list[Release]:
    """https://docs.github.com/en/rest/releases/releases#list-releases"""
    found = await api.get_all("/repos/{owner}/{repo}/releases", cap=most)
    return [
        Release(
            tag=clean(one.get("tag_name")),
            name=clean(one.get("name")),
            body=clean(one.get("body")),
            at=seconds(one.get("published_at")),
            prerelease=bool(one.get("prerelease")),
        )
        for one in map(as_object, found)
        if not one.get("draft")
    ]


class _Unknown(Exception):
    """The server does not know a field that is asked for."""


async def _by_graphql(api: Api, repo: RepoRef, milestone: int, open_only: bool, most: int) -> list[WorkItem]:
    """Issues and pull requests in the same calls."""
    only = ["OPEN"] if open_only else None
    asked: dict[str, Any] = {"owner": repo.owner, "name": repo.name, "open": only, "opened": only}
    asked |= {"milestone": milestone} if milestone else {}
    places: dict[str, str | None] = {"issues": None, "pulls": None}
    found: list[WorkItem] = []
    size, seen = PER_PAGE, 0
    while True:
        page, size = await _page(api, {**asked, **places}, size)
        seen += size
        more = False
        for key, name in (("issues", "issues"), ("pulls", "pullRequests")):
            listed = page.get(name) or {}
            found += [_item(one, repo) for one in listed.get("nodes") or () if isinstance(one, dict)]
            info = listed.get("pageInfo") or {}
            places[key] = info.get("endCursor") or places[key]
            more |= bool(info.get("hasNextPage"))
        if not more or seen >= most:
            return found


async def _page(api: Api, asked: Mapping[str, Any], size: int) -> tuple[dict[str, Any], int]:
    """(the connections, how many of each were asked for); half as many where GitHub does not answer so
    many."""
    document = _OF_MILESTONE if "milestone" in asked else _ALL
    while True:
        try:
            data, errors = await api.graphql_partly(document, {**asked, "most": size}, retries=0)
        except RateLimited:
            raise
        except TemporaryError:
            if size <= FEWEST:
                raise
            size //= 2
            continue
        except GitHubError as refused:
            if any(words in str(refused) for words in _UNKNOWN):
                raise _Unknown from None
            raise
        page = data.get("repository") or {}
        page = (page.get("milestone") or {}) if "milestone" in asked else page
        if errors and not page.get("issues"):
            raise read_graphql(errors).error()
        return page, size


def _item(found: dict[str, Any], repo: RepoRef) -> WorkItem:
    related = {
        name: _refs((found.get(name) or {}).get("nodes"), repo)
        for name in ("subIssues", "blockedBy", "blocking", "closedByPullRequestsReferences", _CLOSES)
    }
    holding = (found.get(name) or {} for name in ("subIssues", "blockedBy"))
    unseen = sum(int(one.get("totalCount") or 0) for one in holding)
    author = found.get("author") or {}
    suffix = "[bot]" if author.get("__typename") == "Bot" else ""
    return WorkItem(
        number=int(found.get("number") or 0),
        kind="pull_request" if "isDraft" in found else "issue",
        title=clean(found.get("title")),
        state=_state(found.get("state")),
        state_reason=clean(found.get("stateReason")).lower(),
        body=clean(found.get("body")),
        author=Login(clean(author.get("login")).removesuffix("[bot]") + suffix) if author else GHOST,
        association=clean(found.get("authorAssociation")),
        assignees=tuple(Login(name) for name in _names(found.get("assignees"), "login")),
        labels=tuple(_names(found.get("labels"), "name")),
        milestone=clean((found.get("milestone") or {}).get("title")),
        type=clean((found.get("issueType") or {}).get("name")),
        created=seconds(found.get("createdAt")),
        updated=seconds(found.get("updatedAt")),
        closed=seconds(found.get("closedAt")),
        comments=int((found.get("comments") or {}).get("totalCount") or 0),
        parent=next(iter(_refs([found.get("parent")], repo)), None),
        sub_issues=related["subIssues"],
        blocked_by=related["blockedBy"],
        blocking=related["blocking"],
        linked_pulls=related["closedByPullRequestsReferences"],
        closes=related[_CLOSES],
        draft=bool(found.get("isDraft")),
        unseen=max(0, unseen - len(related["subIssues"]) - len(related["blockedBy"])),
    )


_CLOSES = "closingIssuesReferences"


def _refs(nodes: Iterable[Any] | None, repo: RepoRef) -> tuple[WorkRef, ...]:
    return tuple(
        WorkRef(
            int(one.get("number") or 0),
            _elsewhere(clean((one.get("repository") or {}).get("nameWithOwner")), repo),
            _state(one.get("state")),
            clean(one.get("title")),
        )
        for one in nodes or ()
        if isinstance(one, dict)
    )


def _names(connection: Any, key: str) -> list[str]:
    nodes = (connection or {}).get("nodes") or ()
    return [clean(one.get(key)) for one in nodes if isinstance(one, dict)]


def _elsewhere(full_name: str, repo: RepoRef) -> str:
    name = full_name.lower()
    return "" if name in ("", repo.full_name.lower()) else name


def _state(said: Any) -> WorkState:
    word = str(said).lower()
    return cast("WorkState", word) if word in ("open", "merged") else "closed"


async def _by_rest(api: Api, repo: RepoRef, milestone: int, open_only: bool, most: int) -> list[WorkItem]:
    """A call for each hundred, and one or two for each issue that waits for others."""
    asked: dict[str, str | int | list[str]] = {"state": "open" if open_only else "all", "sort": "updated"}
    if milestone:
        asked["milestone"] = str(milestone)
    listed = await api.get_all("/repos/{owner}/{repo}/issues", asked, cap=most)
    return [await _related(api, repo, as_object(one), one_of_many=True) for one in listed]


async def _related(api: Api, repo: RepoRef, found: dict[str, Any], *, one_of_many: bool = False) -> WorkItem:
    """With what its counts say there is. `one_of_many`: what it blocks and its parent are told by the
    others."""
    dependencies = found.get("issue_dependencies_summary") or {}
    parts = found.get("sub_issues_summary") or {}
    at: Params = {"number": int(found.get("number") or 0)}

    async def listed(path: str, count: Any) -> tuple[WorkRef, ...]:
        if not count:
            return ()
        try:
            return _rest_refs(await api.get_all(_ISSUE + path, at, cap=MOST_RELATED), repo)
        except Gone:  # an older server
            return ()

    blocked = await listed("/dependencies/blocked_by", dependencies.get("total_blocked_by"))
    blocking: tuple[WorkRef, ...] = ()
    parent: WorkRef | None = None
    if not one_of_many:
        blocking = await listed("/dependencies/blocking", dependencies.get("total_blocking"))
        if found.get("parent_issue_url"):
            try:
                parent = next(iter(_rest_refs([await api.get(_ISSUE + "/parent", at)], repo)), None)
            except GitHubError as error:
                if error.status not in (403, 404, 410):
                    raise
    sub_issues = await listed("/sub_issues", parts.get("total"))
    return _rest_item(found, repo, blocked, blocking, sub_issues, parent)


def _rest_item(
    found: dict[str, Any],
    repo: RepoRef,
    blocked: tuple[WorkRef, ...],
    blocking: tuple[WorkRef, ...],
    sub_issues: tuple[WorkRef, ...],
    parent: WorkRef | None,
) -> WorkItem:
    pull = found.get("pull_request")
    body = clean(found.get("body"))
    said = mentions(body, repo.full_name) if pull else ()
    counts = found.get("issue_dependencies_summary") or {}, found.get("sub_issues_summary") or {}
    told = int(counts[0].get("total_blocked_by") or 0) + int(counts[1].get("total") or 0)
    return WorkItem(
        number=int(found.get("number") or 0),
        kind="pull_request" if pull else "issue",
        title=clean(found.get("title")),
        state=_rest_state(found),
        state_reason=clean(found.get("state_reason")),
        body=body,
        author=actor(found.get("user")).login,
        association=clean(found.get("author_association")),
        assignees=tuple(actor(one).login for one in found.get("assignees") or ()),
        labels=label_names(found.get("labels")),
        milestone=clean((found.get("milestone") or {}).get("title")),
        type=clean((found.get("type") or {}).get("name")),
        created=seconds(found.get("created_at")),
        updated=seconds(found.get("updated_at")),
        closed=seconds(found.get("closed_at")),
        comments=int(found.get("comments") or 0),
        parent=parent,
        sub_issues=sub_issues,
        blocked_by=blocked,
        blocking=blocking,
        closes=tuple(ref_of(one.issue) for one in said if one.relation == "fixes"),
        draft=bool(found.get("draft")),
        unseen=max(0, told - len(blocked) - len(sub_issues)),
    )


def _rest_state(found: Mapping[str, Any]) -> WorkState:
    pull = found.get("pull_request")
    merged = isinstance(pull, dict) and pull.get("merged_at")
    return "merged" if merged else _state(found.get("state"))


def _rest_refs(listed: Iterable[Any], repo: RepoRef) -> tuple[WorkRef, ...]:
    return tuple(
        WorkRef(int(one.get("number") or 0), _repo_of(one, repo), _rest_state(one), clean(one.get("title")))
        for one in listed
        if isinstance(one, dict)
    )


def _repo_of(found: Mapping[str, Any], repo: RepoRef) -> str:
    """Of an issue, by the address of its repository."""
    return _elsewhere("/".join(clean(found.get("repository_url")).split("/")[-2:]), repo)


def _here(found: Mapping[str, Any], repo: RepoRef) -> bool:
    return not _repo_of(found, repo)
