"""Commits and refs made by hand. https://docs.github.com/en/rest/git"""

from typing import Any

from bot.testing.github.git import GitProgramError, GitRepo
from bot.testing.github.refusals import REFUSALS
from bot.testing.github.repository import NOTHING, Repository
from bot.testing.github.shapes import pulls, repos
from bot.testing.github.wire import RestCall, RestRefusal, RestResponse, invalid, not_found, route

_GIT = "/repos/{owner}/{repo}/git"
_MODES = {"100644": "blob", "100755": "blob", "120000": "blob", "040000": "tree", "160000": "commit"}
_MOST_ENTRIES = 100_000
WORKFLOWS = ".github/workflows/"


@route("GET", _GIT + "/commits/{sha}", "contents:read")
def get_git_commit(call: RestCall) -> RestResponse:
    repo, sha = call.repo(), call.params["sha"]
    if repo.git.resolve(sha) != sha:
        raise not_found()
    return RestResponse(200, repos.git_commit(repo, repo.git.commit(sha)))


@route("GET", _GIT + "/trees/{sha}", "contents:read")
def get_tree(call: RestCall) -> RestResponse:
    repo = call.repo()
    try:
        tree = repo.git.run("rev-parse", "--verify", f"{call.params['sha']}^{{tree}}").decode().strip()
    except GitProgramError:
        raise not_found() from None
    deep = ["-r", "-t"] if call.query.get("recursive") else []
    listed = repo.git.run("ls-tree", "-l", "-z", *deep, tree).decode().split("\0")[:-1]
    return RestResponse(200, repos.tree(repo, tree, listed[:_MOST_ENTRIES], cut=len(listed) > _MOST_ENTRIES))


@route("POST", _GIT + "/trees", "contents:write")
def create_tree(call: RestCall) -> RestResponse:
    """Each entry has a `sha` (null: it goes) or a `content`."""
    repo, asked = call.repo(), call.json()
    entries = asked.get("tree")
    if not isinstance(entries, list) or not entries:
        raise RestRefusal(422, "Invalid tree info")
    lines = [_line(call, repo.git, one) for one in entries]
    index = str(repo.git.path / f"index-{call.state.world.next_id()}")
    base = [str(asked["base_tree"])] if asked.get("base_tree") else ["--empty"]
    try:
        repo.git.run("read-tree", *base, GIT_INDEX_FILE=index)
        repo.git.run("update-index", "-z", "--index-info", data=b"".join(lines), GIT_INDEX_FILE=index)
        tree = repo.git.run("write-tree", GIT_INDEX_FILE=index).decode().strip()
    except GitProgramError as wrong:
        raise RestRefusal(422, f"GitRPC::BadObjectState: {wrong}") from None
    listed = repo.git.run("ls-tree", "-l", "-z", tree).decode().split("\0")[:-1]
    return RestResponse(201, repos.tree(repo, tree, listed, cut=False))


def _line(call: RestCall, git: GitRepo, one: Any) -> bytes:
    """As `update-index --index-info` reads it."""
    path, mode = str(one.get("path", "")), str(one.get("mode", "100644"))
    parts = path.split("/")
    if not path or any(part in ("", ".", "..") or part.lower() == ".git" for part in parts):
        raise RestRefusal(422, "tree.path contains a malformed path component")
    if mode not in _MODES:
        raise RestRefusal(422, f"tree.mode {mode} is not a valid mode")
    if one.get("sha") is not None and one.get("content") is not None:
        raise RestRefusal(422, "Must supply either tree.sha or tree.content, not both")
    if one.get("sha") is None and one.get("content") is None:
        _refuse_workflow(call, git, path, "")
        return f"0 {NOTHING}\t{path}\0".encode()
    if one.get("content") is not None:
        if mode in ("160000", "040000"):
            raise RestRefusal(422, f"tree.mode {mode} takes a sha")
        sha = git.run("hash-object", "-w", "--stdin", data=one["content"].encode()).decode().strip()
    else:
        sha = str(one["sha"])
        known = git.objects([sha])
        kind = known[sha][0] if sha in known else ""
        if mode != "160000" and kind != _MODES[mode]:  # a submodule's commit is another repository's
            raise RestRefusal(422, f"tree.sha {sha} is not a valid {_MODES[mode]}")
    _refuse_workflow(call, git, path, sha)
    return f"{mode} {sha}\t{path}\0".encode()


def _refuse_workflow(call: RestCall, git: GitRepo, path: str, blob: str) -> None:
    """A workflow needs a permission of its own, but for one that stands at the same path, with the same text,
    on some branch. https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/scopes-for-oauth-apps"""
    if not path.startswith(WORKFLOWS) or "workflows" in _granted(call):
        return
    heads = git.run("for-each-ref", "--format=%(refname)", "refs/heads").decode().split()
    nodes = (git.node(git.resolve(head) or "", path) for head in heads)
    if not any((node.sha if node else "") == blob for node in nodes):
        raise RestRefusal(403, "Resource not accessible by integration")


def _granted(call: RestCall) -> dict[str, str]:
    return call.token.permissions if call.token else {}


@route("POST", _GIT + "/commits", "contents:write")
def create_commit(call: RestCall) -> RestResponse:
    """Without an author it is the App's, and GitHub signs it."""
    repo, asked = call.repo(), call.json()
    tree, message = call.text("tree", required=True), call.text("message", required=True)
    parents = asked.get("parents") or []
    if any(repo.git.resolve(str(one)) != one for one in parents):
        raise RestRefusal(422, "Parent SHA does not exist or is not a commit object")
    who = call.caller
    signature = f"{who.login} <{who.id}+{who.login}@users.noreply.github.com> {int(repo.world.now())} +0000"
    lines = [f"tree {tree}", *(f"parent {one}" for one in parents)]
    lines += [f"author {signature}", f"committer {signature}", "", message]
    try:
        if repo.git.run("cat-file", "-t", tree).strip() != b"tree":
            raise RestRefusal(422, "Tree SHA is not a tree object")
        text = "\n".join(lines).encode()
        made = repo.git.run("hash-object", "-t", "commit", "-w", "--stdin", data=text).decode().strip()
    except GitProgramError:
        raise RestRefusal(422, "Tree SHA does not exist") from None
    return RestResponse(201, repos.git_commit(repo, repo.git.commit(made)))


@route("GET", _GIT + "/ref/{ref}", "contents:read")
def get_ref(call: RestCall) -> RestResponse:
    repo, ref = call.repo(), f"refs/{call.params['ref']}"
    sha = _points_at(repo, ref)
    if sha is None:
        raise not_found()
    return RestResponse(200, repos.git_ref(repo, ref, sha))


@route("POST", _GIT + "/refs", "contents:write")
def create_ref(call: RestCall) -> RestResponse:
    repo = call.repo()
    ref, sha = call.text("ref", required=True), call.text("sha", required=True)
    if not ref.startswith("refs/") or ref.count("/") < 2:
        raise RestRefusal(422, "Reference name must start with 'refs/' and contain at least two slashes.")
    if _points_at(repo, ref):
        raise RestRefusal(422, "Reference already exists")
    if repo.git.resolve(sha) != sha:
        raise RestRefusal(422, "Object does not exist")
    _refuse(call, ref)
    _refuse_workflows(call, sha)
    try:
        repo.git.point(ref, sha)
    except GitProgramError:
        raise RestRefusal(422, "Reference update failed") from None
    repo.moved(ref, NOTHING, sha, call.caller)
    return RestResponse(201, repos.git_ref(repo, ref, sha))


@route("PATCH", _GIT + "/refs/{ref}", "contents:write")
def update_ref(call: RestCall) -> RestResponse:
    """Only forward, unless `force` says otherwise."""
    repo, ref, sha = call.repo(), f"refs/{call.params['ref']}", call.text("sha", required=True)
    before = _points_at(repo, ref)
    if before is None:
        raise RestRefusal(422, "Reference does not exist")
    if repo.git.resolve(sha) != sha:
        raise RestRefusal(422, "Object does not exist")
    if call.json().get("force") is not True and repo.git.merge_base(before, sha) != before:
        raise RestRefusal(422, "Update is not a fast forward")
    _refuse(call, ref)
    _refuse_workflows(call, sha)
    repo.git.point(ref, sha)
    repo.moved(ref, before, sha, call.caller)
    return RestResponse(200, repos.git_ref(repo, ref, sha))


@route("DELETE", _GIT + "/refs/{ref}", "contents:write")
def delete_ref(call: RestCall) -> RestResponse:
    repo, ref = call.repo(), f"refs/{call.params['ref']}"
    before = _points_at(repo, ref)
    if before is None:
        raise RestRefusal(422, "Reference does not exist")
    _refuse(call, ref)
    repo.git.point(ref, None)
    repo.moved(ref, before, NOTHING, call.caller)
    return RestResponse(204)


def _points_at(repo: Repository, ref: str) -> str | None:
    try:
        return repo.git.run("rev-parse", "--verify", "--quiet", ref).decode().strip()
    except GitProgramError:
        return None


def _refuse_workflows(call: RestCall, sha: str) -> None:
    """Those that a commit changes against its first parent."""
    git = call.repo().git
    for parent in git.commit(sha).parents[:1]:
        for change in git.changes(parent, sha):
            _refuse_workflow(call, git, change.path, "" if change.status == "removed" else change.sha)


def _refuse(call: RestCall, ref: str) -> None:
    """What the repository's rules say of a branch (`Repository.protected`)."""
    name = call.repo().protected.get(ref.removeprefix("refs/heads/"))
    if name is not None:
        said = REFUSALS[name]
        raise RestRefusal(said.status, said.message, list(said.errors))


@route("POST", "/repos/{owner}/{repo}/pulls", "pull_requests:write")
def create_pull(call: RestCall) -> RestResponse:
    """https://docs.github.com/en/rest/pulls/pulls#create-a-pull-request"""
    repo, asked = call.repo(), call.json()
    head, base = call.text("head", required=True), call.text("base", required=True)
    head = head.removeprefix(f"{repo.owner.login}:")
    for name, field in ((head, "head"), (base, "base")):
        if _points_at(repo, f"refs/heads/{name}") is None:
            raise invalid("PullRequest", field, f"{field} is not a branch", "invalid")
    if any(one.state == "open" and (one.head_ref, one.base_ref) == (head, base) for one in repo.pulls):
        said = f"A pull request already exists for {repo.owner.login}:{head}."
        raise RestRefusal(422, "Validation Failed", [{"message": said, "code": "custom"}])
    if asked.get("draft") and not repo.drafts:
        said = "Draft pull requests are not supported in this repository."
        raise RestRefusal(422, "Validation Failed", [{"message": said, "code": "custom"}])
    pull = repo.open_from(
        call.text("title", required=True),
        call.text("body"),
        head,
        base,
        call.caller,
        bool(asked.get("draft")),
    )
    return RestResponse(201, pulls.pull(repo, pull))
