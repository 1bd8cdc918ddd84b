"""The repository and what git holds: files, blobs, commits, people's rights."""

from bot.testing.github.git import GitProgramError
from bot.testing.github.shapes import common, repos
from bot.testing.github.wire import RestCall, RestRefusal, RestResponse, not_found, route

_REPO = "/repos/{owner}/{repo}"


@route("GET", _REPO, "metadata:read")
def get_repository(call: RestCall) -> RestResponse:
    return RestResponse(200, repos.full_repository(call.repo()))


@route("GET", _REPO + "/collaborators/{username}/permission", "metadata:read")
def get_permission(call: RestCall) -> RestResponse:
    login = call.params["username"]
    if login.lower() not in call.state.users:
        raise RestRefusal(404, f"{login} is not a user")
    return RestResponse(200, repos.permission(call.repo(), login))


@route("GET", _REPO + "/labels", "issues:read", "pull_requests:read")
def list_labels(call: RestCall) -> RestResponse:
    repo = call.repo()
    return call.page(repo.labels, lambda one: common.label(repos.api(repo), one))


@route("GET", _REPO + "/contents/{path}", "contents:read")
def get_contents(call: RestCall) -> RestResponse:
    """https://docs.github.com/en/rest/repos/contents#get-repository-content"""
    repo, path = call.repo(), call.params["path"].strip("/")
    ref = call.query.get("ref") or repo.default_branch
    sha = repo.git.resolve(ref)
    if sha is None:
        raise RestRefusal(404, f"No commit found for the ref {ref}")
    node = repo.git.node(sha, path) if path else None
    if not path or (node is not None and node.kind == "tree"):
        return RestResponse(200, [repos.content(repo, entry, ref) for entry in repo.git.listing(sha, path)])
    if node is None:
        raise not_found()
    if node.size > 100_000_000:
        raise RestRefusal(
            403, "This API returns blobs up to 100 MB in size.", [{"code": "too_large", "field": "data"}]
        )
    data = repo.git.blob(node.sha) if node.kind == "blob" else b""
    if ".raw" in call.headers.get("accept", ""):
        return RestResponse(
            200, raw=data or b"", headers={"Content-Type": "application/vnd.github.raw+json; charset=utf-8"}
        )
    return RestResponse(200, repos.content(repo, node, ref, data))


@route("GET", _REPO + "/compare/{basehead}", "contents:read")
def compare(call: RestCall) -> RestResponse:
    """https://docs.github.com/en/rest/commits/commits#compare-two-commits"""
    repo = call.repo()
    names = call.params["basehead"].split("...")
    found = [repo.git.resolve(name) for name in names]
    if len(found) != 2 or not found[0] or not found[1]:
        raise not_found()
    base, head = found[0], found[1]
    middle = repo.git.merge_base(base, head)
    changes, commits = repo.git.changes(middle, head)[:300], repo.git.log(base, head)
    behind = len(repo.git.log(head, base))
    shown, headers = call.cut(commits, most=250)
    return RestResponse(
        200, repos.comparison(repo, base, middle, head, behind, len(commits), shown, changes), headers
    )


@route("GET", _REPO + "/git/blobs/{sha}", "contents:read")
def get_blob(call: RestCall) -> RestResponse:
    repo, sha = call.repo(), call.params["sha"]
    data = repo.git.blob(sha)
    if data is None:
        raise not_found()
    return RestResponse(200, repos.blob(repo, sha, data))


@route("GET", _REPO + "/commits", "contents:read")
def list_commits(call: RestCall) -> RestResponse:
    """https://docs.github.com/en/rest/commits/commits#list-commits"""
    repo, ref = call.repo(), call.query.get("sha") or call.repo().default_branch
    sha = repo.git.resolve(ref)
    if sha is None:
        raise RestRefusal(404, f"No commit found for SHA: {ref}")
    found = repo.git.touching(sha, call.query.get("path", "").strip("/"))
    return call.page(found, lambda one: repos.commit(repo, one))


@route("GET", _REPO + "/commits/{ref}", "contents:read")
def get_commit(call: RestCall) -> RestResponse:
    repo, ref = call.repo(), call.params["ref"]
    sha = repo.git.resolve(ref)
    if sha is None:
        raise RestRefusal(422, f"No commit found for SHA: {ref}")
    one = repo.git.commit(sha)
    try:
        changes = repo.git.changes(one.parents[0], sha) if one.parents else ()
    except GitProgramError:
        raise not_found() from None
    shown, headers = call.cut(changes, most=300)
    added, removed = sum(change.additions for change in changes), sum(change.deletions for change in changes)
    stats = {"additions": added, "deletions": removed, "total": added + removed}
    files = [repos.file(repo, change, sha) for change in shown]
    return RestResponse(200, repos.commit(repo, one) | {"stats": stats, "files": files}, headers)
