"""Repositories, commits and files."""

import base64
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from bot.testing.github.git import FileChange, GitCommit, TreeNode
from bot.testing.github.milestones import RepositoryRelease
from bot.testing.github.repository import Repository
from bot.testing.github.shapes.common import Shape, node_id, user
from bot.testing.github.world import stamp

_URLS = {
    "archive_url": "/{archive_format}{/ref}",
    "assignees_url": "/assignees{/user}",
    "blobs_url": "/git/blobs{/sha}",
    "branches_url": "/branches{/branch}",
    "collaborators_url": "/collaborators{/collaborator}",
    "comments_url": "/comments{/number}",
    "commits_url": "/commits{/sha}",
    "compare_url": "/compare/{base}...{head}",
    "contents_url": "/contents/{+path}",
    "contributors_url": "/contributors",
    "deployments_url": "/deployments",
    "downloads_url": "/downloads",
    "events_url": "/events",
    "forks_url": "/forks",
    "git_commits_url": "/git/commits{/sha}",
    "git_refs_url": "/git/refs{/sha}",
    "git_tags_url": "/git/tags{/sha}",
    "hooks_url": "/hooks",
    "issue_comment_url": "/issues/comments{/number}",
    "issue_events_url": "/issues/events{/number}",
    "issues_url": "/issues{/number}",
    "keys_url": "/keys{/key_id}",
    "labels_url": "/labels{/name}",
    "languages_url": "/languages",
    "merges_url": "/merges",
    "milestones_url": "/milestones{/number}",
    "notifications_url": "/notifications{?since,all,participating}",
    "pulls_url": "/pulls{/number}",
    "releases_url": "/releases{/id}",
    "stargazers_url": "/stargazers",
    "statuses_url": "/statuses/{sha}",
    "subscribers_url": "/subscribers",
    "subscription_url": "/subscription",
    "tags_url": "/tags",
    "teams_url": "/teams",
    "trees_url": "/git/trees{/sha}",
}


def api(repo: Repository) -> str:
    return f"{repo.world.api_url}/repos/{repo.full_name}"


def html(repo: Repository) -> str:
    return f"{repo.world.html_url}/{repo.full_name}"


def repository(repo: Repository) -> Shape:
    """As it stands in payloads. https://docs.github.com/en/rest/repos/repos#get-a-repository"""
    world, base, page = repo.world, api(repo), html(repo)
    host = page.split("://")[-1]
    still_open = sum(issue.state == "open" for issue in repo.issues.values())
    return {
        "id": repo.id,
        "node_id": node_id("R", repo.id),
        "name": repo.name,
        "full_name": repo.full_name,
        "private": repo.private,
        "owner": user(world, repo.owner),
        "html_url": page,
        "description": None,
        "fork": repo.parent is not None,
        "url": base,
        **{key: base + rest for key, rest in _URLS.items()},
        "git_url": f"git://{host}.git",
        "ssh_url": f"git@{host.replace('/', ':', 1)}.git",
        "clone_url": f"{world.git_url}/{repo.full_name}.git",
        "svn_url": page,
        "mirror_url": None,
        "homepage": None,
        "size": repo.size,
        "stargazers_count": 0,
        "watchers_count": 0,
        "watchers": 0,
        "language": None,
        "has_issues": repo.has_issues,
        "has_projects": True,
        "has_downloads": True,
        "has_wiki": False,
        "has_pages": False,
        "has_discussions": False,
        "forks_count": 0,
        "forks": 0,
        "archived": repo.archived,
        "disabled": False,
        "open_issues_count": still_open,
        "open_issues": still_open,
        "license": None,
        "allow_forking": True,
        "is_template": False,
        "web_commit_signoff_required": False,
        "topics": [],
        "visibility": "private" if repo.private else "public",
        "default_branch": repo.default_branch,
        "created_at": stamp(repo.created_at),
        "updated_at": stamp(repo.created_at),
        "pushed_at": stamp(repo.pushed_at),
    }


def full_repository(repo: Repository) -> Shape:
    return {**repository(repo), "network_count": 0, "subscribers_count": 0}


def permission(repo: Repository, login: str) -> Shape:
    """https://docs.github.com/en/rest/collaborators/collaborators#get-repository-permissions-for-a-user

    `permission` knows four words; `role_name` says triage and maintain.
    """
    who = repo.world.user(login)
    role = repo.role(who)
    coarse = {"triage": "read", "maintain": "write"}.get(role, role)
    rank = ("none", "read", "triage", "write", "maintain", "admin").index(role)
    can = {
        name: rank >= at for at, name in enumerate(("pull", "triage", "push", "maintain", "admin"), start=1)
    }
    return {
        "permission": coarse,
        "role_name": role,
        "user": {**user(repo.world, who), "permissions": can, "role_name": role},
    }


def file(repo: Repository, change: FileChange, sha: str) -> Shape:
    """https://docs.github.com/en/rest/pulls/pulls#list-pull-requests-files"""
    optional: dict[str, Any] = {}
    if change.patch is not None:
        optional["patch"] = change.patch
    if change.previous is not None:
        optional["previous_filename"] = change.previous
    return {
        "sha": change.sha,
        "filename": change.path,
        "status": change.status,
        "additions": change.additions,
        "deletions": change.deletions,
        "changes": change.additions + change.deletions,
        "blob_url": _uri(f"{html(repo)}/blob/{sha}/", change.path),
        "raw_url": _uri(f"{html(repo)}/raw/{sha}/", change.path),
        "contents_url": _uri(f"{api(repo)}/contents/", change.path) + f"?ref={sha}",
        **optional,
    }


def _uri(base: str, path: str) -> str:
    return base + quote(path, safe="")


def commit(repo: Repository, one: GitCommit) -> Shape:
    """https://docs.github.com/en/rest/commits/commits#get-a-commit"""
    world, url, page = repo.world, f"{api(repo)}/commits/{one.sha}", html(repo)
    known = world.users.get(one.name.lower())
    account = user(world, known) if known else None
    signature = {"name": one.name, "email": one.email, "date": stamp(one.at)}
    return {
        "sha": one.sha,
        "node_id": f"C_{one.sha[:20]}",
        "url": url,
        "html_url": f"{page}/commit/{one.sha}",
        "comments_url": f"{url}/comments",
        "commit": {
            "author": signature,
            "committer": signature,
            "message": one.message,
            "tree": {"sha": one.tree, "url": f"{api(repo)}/git/trees/{one.tree}"},
            "url": f"{api(repo)}/git/commits/{one.sha}",
            "comment_count": 0,
            "verification": {
                "verified": False,
                "reason": "unsigned",
                "signature": None,
                "payload": None,
                "verified_at": None,
            },
        },
        "author": account,
        "committer": account,
        "parents": [
            {"sha": sha, "url": f"{api(repo)}/commits/{sha}", "html_url": f"{page}/commit/{sha}"}
            for sha in one.parents
        ],
    }


def comparison(
    repo: Repository,
    base: str,
    middle: str,
    head: str,
    behind: int,
    ahead: int,
    commits: Sequence[GitCommit],
    changes: Sequence[FileChange],
) -> Shape:
    """https://docs.github.com/en/rest/commits/commits#compare-two-commits"""
    page, url = f"{html(repo)}/compare/{base}...{head}", f"{api(repo)}/compare/{base}...{head}"
    state = ("diverged" if behind else "ahead") if ahead else ("behind" if behind else "identical")
    return {
        "url": url,
        "html_url": page,
        "permalink_url": page,
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        "base_commit": commit(repo, repo.git.commit(base)),
        "merge_base_commit": commit(repo, repo.git.commit(middle)),
        "status": state,
        "ahead_by": ahead,
        "behind_by": behind,
        "total_commits": ahead,
        "commits": [commit(repo, one) for one in commits],
        "files": [file(repo, change, head) for change in changes],
    }


def content(repo: Repository, node: TreeNode, ref: str, data: bytes | None = None) -> Shape:
    """A file, symlink, submodule or (without data) an entry of a directory.

    https://docs.github.com/en/rest/repos/contents#get-repository-content
    """
    kind = {"040000": "dir", "120000": "symlink", "160000": "submodule"}.get(node.mode, "file")
    url = _uri(f"{api(repo)}/contents/", node.path) + f"?ref={ref}"
    sort = "trees" if kind in ("dir", "submodule") else "blobs"
    git_url = f"{api(repo)}/git/{sort}/{node.sha}"
    page = _uri(f"{html(repo)}/blob/{ref}/", node.path)
    shape: Shape = {
        "type": kind,
        "name": node.path.rsplit("/", 1)[-1],
        "path": node.path,
        "sha": node.sha,
        "size": node.size,
        "url": url,
        "git_url": git_url,
        "html_url": page,
        "download_url": page.replace("/blob/", "/raw/", 1) if kind in ("file", "symlink") else None,
        "_links": {"self": url, "git": git_url, "html": page},
    }
    if data is not None and kind == "file":
        inline = node.size <= 1_000_000
        shape |= {"encoding": "base64" if inline else "none", "content": _encoded(data) if inline else ""}
    elif data is not None and kind == "symlink":
        shape["target"] = data.decode("utf-8", "replace")
    elif kind == "submodule":
        shape["submodule_git_url"] = f"{repo.world.html_url}/elsewhere/{shape['name']}.git"
    return shape


def release(repo: Repository, one: RepositoryRelease) -> Shape:
    """https://docs.github.com/en/rest/releases/releases#get-a-release"""
    url, page = f"{api(repo)}/releases/{one.id}", html(repo)
    draft = one.published_at is None
    name = "" if draft else one.tag
    return {
        "url": url,
        "html_url": f"{page}/releases/tag/{quote(one.tag)}",
        "assets_url": f"{url}/assets",
        "upload_url": f"{url}/assets{{?name,label}}",
        "tarball_url": f"{api(repo)}/tarball/{name}" if name else None,
        "zipball_url": f"{api(repo)}/zipball/{name}" if name else None,
        "id": one.id,
        "node_id": node_id("RE", one.id),
        "tag_name": one.tag,
        "target_commitish": repo.default_branch,
        "name": one.name or None,
        "body": one.body or None,
        "draft": draft,
        "prerelease": one.prerelease,
        "immutable": False,
        "created_at": stamp(one.created_at),
        "published_at": stamp(one.published_at) if one.published_at is not None else None,
        "updated_at": stamp(one.created_at),
        "author": user(repo.world, one.author),
        "assets": [],
    }


def _encoded(data: bytes) -> str:
    """Base64 in lines of 60, each ended, as GitHub sends it."""
    text = base64.b64encode(data).decode()
    return "".join(text[at : at + 60] + "\n" for at in range(0, len(text), 60))


def blob(repo: Repository, sha: str, data: bytes) -> Shape:
    """https://docs.github.com/en/rest/git/blobs#get-a-blob"""
    url = f"{api(repo)}/git/blobs/{sha}"
    return {
        "sha": sha,
        "node_id": f"B_{sha[:20]}",
        "size": len(data),
        "url": url,
        "content": _encoded(data),
        "encoding": "base64",
    }


def git_commit(repo: Repository, one: GitCommit) -> Shape:
    """https://docs.github.com/en/rest/git/commits#get-a-commit-object"""
    root = f"{api(repo)}/git"
    signature = {"name": one.name, "email": one.email, "date": stamp(one.at)}
    return {
        "sha": one.sha,
        "node_id": f"C_{one.sha[:20]}",
        "url": f"{root}/commits/{one.sha}",
        "html_url": f"{html(repo)}/commit/{one.sha}",
        "author": signature,
        "committer": signature,
        "tree": {"sha": one.tree, "url": f"{root}/trees/{one.tree}"},
        "message": one.message,
        "parents": [
            {"sha": sha, "url": f"{root}/commits/{sha}", "html_url": f"{html(repo)}/commit/{sha}"}
            for sha in one.parents
        ],
        "verification": {
            "verified": False,
            "reason": "unsigned",
            "signature": None,
            "payload": None,
            "verified_at": None,
        },
    }


def tree(repo: Repository, sha: str, listed: list[str], cut: bool) -> Shape:
    """`listed` as `git ls-tree -l` writes it. https://docs.github.com/en/rest/git/trees#get-a-tree"""
    root = f"{api(repo)}/git"
    entries: list[Shape] = []
    for line in listed:
        told, _, path = line.partition("\t")
        mode, kind, name, size = told.split()
        entry: Shape = {"path": path, "mode": mode, "type": kind, "sha": name}
        if kind == "blob":
            entry |= {"size": int(size), "url": f"{root}/blobs/{name}"}
        elif kind == "tree":
            entry["url"] = f"{root}/trees/{name}"
        entries.append(entry)
    return {"sha": sha, "url": f"{root}/trees/{sha}", "tree": entries, "truncated": cut}


def git_ref(repo: Repository, ref: str, sha: str) -> Shape:
    """https://docs.github.com/en/rest/git/refs#get-a-reference"""
    root = f"{api(repo)}/git"
    return {
        "ref": ref,
        "node_id": node_id("REF", repo.id),
        "url": f"{root}/{quote(ref)}",
        "object": {"type": "commit", "sha": sha, "url": f"{root}/commits/{sha}"},
    }
