"""Texts of files at a commit: many in one GraphQL query, a few by REST where GraphQL is not to be had.

Paths are a stranger's: they go into variables, never into a document.
https://docs.github.com/en/graphql/reference/objects#blob
https://docs.github.com/en/rest/repos/contents#get-repository-content
"""

import base64
import binascii
from collections.abc import Iterable
from typing import Any

from bot.core import recipes
from bot.core.errors import GitHubError, Gone
from bot.core.github_reader import TreePath
from bot.core.refs import RepoRef, Sha
from bot.core.settings import Complaint
from bot.core.text import utf8_size
from bot.github.api import Api, Params
from bot.github.objects import PER_QUERY, objects
from bot.github.payloads import clean
from bot.yamlnodes import MOST_BYTES

CONFIG = ".github/hob.yml"
PER_REST = 20
MOST_TEXT = 512 * 1024
"""Bytes of a file's text; GraphQL cuts longer ones itself."""

_MARK = "\ufeff"
"""Of bytes' order, which begins some files and is left out of some answers."""
_BLOB = "... on Blob { text isBinary isTruncated byteSize }"
_SIZE = "... on Blob { byteSize }"

_MODES = {"file": 0o100644, "dir": 0o040000, "symlink": 0o120000, "submodule": 0o160000}
_ENTRIES = "... on Tree { entries { name mode } }"


async def texts(
    api: Api, repo: RepoRef, sha: Sha, paths: Iterable[str], cap: int = MOST_TEXT
) -> dict[str, str]:
    """The texts of those paths that are text of at most `cap` bytes at `sha`; others are left out. A call for
    each 50; what GraphQL leaves unanswered is read by REST, the first `PER_REST` of it."""
    asked = [path for path in dict.fromkeys(paths) if _can_exist(path)]
    blobs, left = await objects(api, repo, [f"{sha}:{path}" for path in asked], _BLOB)
    found = {path: _blob_text(blobs.get(f"{sha}:{path}"), cap) for path in asked}
    by_rest = await _by_rest(api, repo, sha, [path for path in asked if f"{sha}:{path}" in left], cap)
    return {path: text for path, text in found.items() if text is not None} | by_rest


async def folders(api: Api, repo: RepoRef, sha: Sha, paths: Iterable[str]) -> dict[str, int]:
    """path -> mode (0o100644 a file, 0o120000 a symlink) of what lies in these folders (`""`: the root) at
    `sha`, in a call for each 50; nothing of what is no folder."""
    asked = list(dict.fromkeys(paths))
    trees, left = await objects(api, repo, [f"{sha}:{path}" for path in asked], _ENTRIES)
    found: dict[str, int] = {}
    for path in asked:
        if f"{sha}:{path}" in left:
            found |= await _folder_by_rest(api, repo, sha, path)
            continue
        tree = trees.get(f"{sha}:{path}")
        for entry in (tree.get("entries") if isinstance(tree, dict) else None) or ():
            found[f"{path}/{entry['name']}".lstrip("/")] = entry["mode"]
    return found


async def recipe_files(api: Api, repo: RepoRef, ref: Sha, name: str) -> recipes.RecipeFiles:
    """As a `GitHubReader` gives them: a call, and another where there are any to read."""
    try:
        listed = recipes.listed(await folders(api, repo, ref, [recipes.FOLDER]))
        there = [path for path in listed if not name or path == recipes.path_of(name)]
        wanted = [path for path in there if listed[path]]
        found = await texts(api, repo, ref, wanted, recipes.MOST_BYTES) if wanted else {}
    except GitHubError as error:
        if error.status not in (403, 404):
            raise
        return {}
    return {path: found.get(path) for path in there}


async def tree(api: Api, sha: Sha) -> dict[str, TreePath]:
    """https://docs.github.com/en/rest/git/trees#get-a-tree"""
    path = "/repos/{owner}/{repo}/git/trees/{sha}{?recursive}"
    found = await api.get(path, {"sha": sha, "recursive": "1"})
    entries = found.get("tree") if isinstance(found, dict) and not found.get("truncated") else ()
    listed = [one for one in entries or () if isinstance(one, dict) and isinstance(one.get("path"), str)]
    kept = [one for one in listed if clean(one["path"]) == one["path"]]
    return {one["path"]: TreePath(_mode(one.get("mode")), _size(one.get("size"))) for one in kept}


def _mode(said: Any) -> int:
    digits = isinstance(said, str) and len(said) <= 6 and set(said) <= set("01234567")
    return int(said, 8) if said and digits else 0


def _size(said: Any) -> int:
    return said if isinstance(said, int) else 0


async def sizes(api: Api, repo: RepoRef, sha: Sha, paths: Iterable[str]) -> dict[str, int]:
    """Bytes of those paths that are files at `sha`: of the first 50, in one call; of none where GraphQL is
    not to be had."""
    asked = [path for path in dict.fromkeys(paths) if _can_exist(path)][:PER_QUERY]
    blobs, _ = await objects(api, repo, [f"{sha}:{path}" for path in asked], _SIZE)
    given = {path: (blobs.get(f"{sha}:{path}") or {}).get("byteSize") for path in asked}
    return {path: size for path, size in given.items() if isinstance(size, int)}


def _can_exist(path: str) -> bool:
    """git takes no such segments, but its names of revisions do: `sha:../x` would be read as relative."""
    return not {"", ".", "..", ".git"} & set(path.split("/"))


def _blob_text(blob: Any, cap: int) -> str | None:
    """None also for what the file's bytes would not be made of again: it is in another encoding."""
    if not isinstance(blob, dict) or blob.get("isBinary") or blob.get("isTruncated"):
        return None
    text, size = blob.get("text"), blob.get("byteSize")
    if not isinstance(text, str) or not isinstance(size, int) or size > cap:
        return None
    text = clean(text)
    if size - utf8_size(text) == len(_MARK.encode()) and not text.startswith(_MARK):
        text = _MARK + text
    return text if utf8_size(text) == size else None


async def _by_rest(api: Api, repo: RepoRef, sha: Sha, paths: list[str], cap: int) -> dict[str, str]:
    """One call a file, so only for a few."""
    found: dict[str, str] = {}
    for path in paths[:PER_REST]:
        try:
            entry = await _entry(api, repo, sha, path)
        except GitHubError as error:
            if error.status not in (403, 404):  # 403: over 100 MB
                raise
            continue
        text = _file_text(entry, cap)
        if text is not None:
            found[path] = text
    return found


async def _folder_by_rest(api: Api, repo: RepoRef, sha: Sha, path: str) -> dict[str, int]:
    """https://docs.github.com/en/rest/repos/contents#get-repository-content"""
    try:
        entries = await _entry(api, repo, sha, path)
    except GitHubError as error:
        if error.status not in (403, 404):
            raise
        return {}
    listed = [one for one in entries if isinstance(one, dict)] if isinstance(entries, list) else []
    return {clean(one.get("path")): _MODES.get(str(one.get("type")), 0) for one in listed}


async def _entry(api: Api, repo: RepoRef, ref: str, path: str) -> Any:
    params: Params = {"owner": repo.owner, "repo": repo.name, "ref": ref}
    if not path:
        return await api.get("/repos/{owner}/{repo}/contents/", params)
    return await api.get("/repos/{owner}/{repo}/contents{/path*}", {**params, "path": path.split("/")})


def _file_text(entry: Any, cap: int) -> str | None:
    """The text of a regular file; None for anything else, binary or over `cap` bytes."""
    if not isinstance(entry, dict) or entry.get("type") != "file" or entry.get("encoding") != "base64":
        return None
    try:
        content = base64.b64decode(str(entry.get("content")))
        text = content.decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    return None if len(content) > cap or "\0" in text else text


async def config_text(api: Api, repo: RepoRef, ref: str) -> tuple[str | None, tuple[Complaint, ...]]:
    """`.github/hob.yml` at `ref` (a base, never a head), or None.

    With a complaint where it cannot be read: a symlink, a submodule, a directory, not text, or too large.
    """
    try:
        entry = await _entry(api, repo, ref, CONFIG)
    except Gone as error:
        if error.status == 404:
            return None, ()
        raise
    kind = "dir" if isinstance(entry, list) else str(entry.get("type"))
    if kind != "file":
        return None, (Complaint(1, f"line 1: {CONFIG} is a {kind}, not a file; it is ignored"),)
    text = _file_text(entry, MOST_BYTES)
    if text is None:
        return None, (
            Complaint(1, f"line 1: {CONFIG} is not text of at most {MOST_BYTES // 1024} KB; it is ignored"),
        )
    return text, ()
