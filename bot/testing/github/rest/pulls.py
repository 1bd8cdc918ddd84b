"""Reading pull requests. https://docs.github.com/en/rest/pulls/pulls"""

from bot.testing.github.shapes import pulls, repos
from bot.testing.github.wire import RestCall, RestRefusal, RestResponse, route

_PULL = "/repos/{owner}/{repo}/pulls/{number}"
MOST_FILES, MOST_COMMITS, MOST_DIFF_FILES, MOST_DIFF_LINES = 3000, 250, 300, 20_000


@route("GET", "/repos/{owner}/{repo}/pulls", "pull_requests:read")
def list_pulls(call: RestCall) -> RestResponse:
    repo, state = call.repo(), call.query.get("state", "open")
    owner, _, head = call.query.get("head", "").rpartition(":")
    listed = [
        pull
        for pull in reversed(repo.pulls)
        if state in ("all", pull.state)
        and (not head or (pull.head_ref == head and pull.from_fork == (owner != repo.owner.login)))
        and call.query.get("base", pull.base_ref) == pull.base_ref
    ]
    if call.query.get("sort") == "updated":
        listed.sort(key=lambda one: one.updated_at, reverse=call.query.get("direction") == "desc")
    return call.page(listed, lambda one: pulls.pull(repo, one, whole=False))


@route("GET", _PULL, "pull_requests:read")
def get_pull(call: RestCall) -> RestResponse:
    accept = call.headers.get("accept", "")
    if ".diff" in accept or ".patch" in accept:
        return _diff(call)
    return RestResponse(200, pulls.pull(call.repo(), call.pull()))


@route("PATCH", _PULL, "pull_requests:write")
def edit_pull(call: RestCall) -> RestResponse:
    pull, asked = call.pull(), call.json()
    title, body = (asked.get(name) for name in ("title", "body"))
    if not all(value is None or isinstance(value, str) for value in (title, body)) or title == "":
        raise RestRefusal(422, "Validation Failed")
    if title is not None or body is not None:
        pull.retitle(call.caller, title, body)
    if asked.get("state") == "closed" and pull.state == "open":
        pull.close(call.caller.login)
    return RestResponse(200, pulls.pull(call.repo(), pull))


def _diff(call: RestCall) -> RestResponse:
    """The whole diff as text, 406 when it is too large for GitHub."""
    pull = call.pull()
    changed = pull.files()
    lines = sum(change.additions + change.deletions for change in changed)
    if len(changed) > MOST_DIFF_FILES or lines > MOST_DIFF_LINES:
        what = "files" if len(changed) > MOST_DIFF_FILES else "lines"
        most = MOST_DIFF_FILES if what == "files" else MOST_DIFF_LINES
        message = f"Sorry, the diff exceeded the maximum number of {what} ({most})."
        error = {"resource": "PullRequest", "field": "diff", "code": "too_large"}
        raise RestRefusal(406, message, [error])
    raw = pull.git.run("diff", "--patch", "--no-ext-diff", "-M50%", pull.merge_base, pull.head_sha)
    return RestResponse(200, raw=raw, headers={"Content-Type": "application/vnd.github.diff; charset=utf-8"})


@route("GET", _PULL + "/files", "pull_requests:read")
def list_files(call: RestCall) -> RestResponse:
    repo, pull = call.repo(), call.pull()
    return call.page(pull.files()[:MOST_FILES], lambda change: repos.file(repo, change, pull.head_sha))


@route("GET", _PULL + "/commits", "pull_requests:read")
def list_commits(call: RestCall) -> RestResponse:
    repo = call.repo()
    return call.page(call.pull().commits[:MOST_COMMITS], lambda one: repos.commit(repo, one))
