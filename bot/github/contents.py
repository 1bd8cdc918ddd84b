"""Texts of files at a commit: many in one GraphQL query, a few by REST where GraphQL is not to be had.

Paths are a stranger's: they go into variables, never into a document.
https://docs.github.com/en/graphql/reference/objects#blob
https://docs.github.com/en/rest/repos/contents#get-repository-content
"""

import base64
import binascii
from collections.abc import Iterable
from typing import Any

from bot.core.errors import GitHubError, Gone
from bot.core.refs import RepoRef, Sha
from bot.core.settings import Complaint
from bot.github.api import Api, Params
from bot.github.payloads import clean
from bot.yamlnodes import MOST_BYTES

CONFIG = ".github/hob.yml"
PER_QUERY = 50
PER_REST = 20
MOST_TEXT = 512 * 1024
"""Bytes of a file's text; GraphQL cuts longer ones itself."""

_BLOB = "... on Blob { text isBinary isTruncated byteSize }"
_SIZE = "... on Blob { byteSize }"

_ENTRIES = "... on Tree { entries { name mode } }"

Wanted = tuple[Sha, str]
"""A commit and a path in it."""


async def texts(
    api: Api, repo: RepoRef, sha: Sha, paths: Iterable[str], cap: int = MOST_TEXT
) -> dict[str, str]:
    """The texts of those paths that are text of at most `cap` bytes at `sha`; others are left out."""
    found = await texts_at(api, repo, [(sha, path) for path in paths], cap)
    return {path: text for (_, path), text in found.items()}


async def texts_at(
    api: Api, repo: RepoRef, wanted: Iterable[Wanted], cap: int = MOST_TEXT
) -> dict[Wanted, str]:
    """The same for several commits at once: a call for each 50."""
    asked = [one for one in dict.fromkeys(wanted) if _can_exist(one[1])]
    found: dict[Wanted, str] = {}
    for start in range(0, len(asked), PER_QUERY):
        batch = asked[start : start + PER_QUERY]
        try:
            found |= await _by_graphql(api, repo, batch, cap)
        except GitHubError as error:
            if error.status not in (403, 404):
                raise
            return await _by_rest(api, repo, asked, cap)
    return found


async def folders(api: Api, repo: RepoRef, sha: Sha, paths: Iterable[str]) -> dict[str, int]:
    """path -> mode (0o100644 a file, 0o120000 a symlink) of what lies in these folders (`""`: the root) at
    `sha`, in one call; nothing of what is no folder."""
    asked = list(dict.fromkeys(paths))[:PER_QUERY]
    trees = await _objects(api, repo, [f"{sha}:{path}" for path in asked], _ENTRIES)
    return {
        f"{path}/{entry['name']}".lstrip("/"): entry["mode"]
        for path, tree in zip(asked, trees, strict=True)
        for entry in (tree.get("entries") if isinstance(tree, dict) else None) or ()
    }


async def sizes(api: Api, repo: RepoRef, sha: Sha, paths: Iterable[str]) -> dict[str, int]:
    """Bytes of those paths that are files at `sha`: of the first 50, in one call; of none where GraphQL is
    not to be had."""
    asked = [(sha, path) for path in dict.fromkeys(paths) if _can_exist(path)][:PER_QUERY]
    if not asked:
        return {}
    try:
        blobs = await _objects(api, repo, [f"{sha}:{path}" for _, path in asked], _SIZE)
    except GitHubError as error:
        if error.status not in (403, 404):
            raise
        return {}
    found = zip(asked, blobs, strict=True)
    given = {path: blob.get("byteSize") for (_, path), blob in found if isinstance(blob, dict)}
    return {path: size for path, size in given.items() if isinstance(size, int)}


def _can_exist(path: str) -> bool:
    """git takes no such segments, but its names of revisions do: `sha:../x` would be read as relative."""
    return not {"", ".", "..", ".git"} & set(path.split("/"))


async def _by_graphql(api: Api, repo: RepoRef, wanted: list[Wanted], cap: int) -> dict[Wanted, str]:
    blobs = await _objects(api, repo, [f"{sha}:{path}" for sha, path in wanted], _BLOB)
    given = ((want, _blob_text(blob, cap)) for want, blob in zip(wanted, blobs, strict=True))
    return {want: text for want, text in given if text is not None}


async def _objects(api: Api, repo: RepoRef, names: list[str], fields: str) -> list[Any]:
    """What git's names of revisions (`sha:path`) stand for, in one call; None for what is not there.

    https://docs.github.com/en/graphql/reference/objects#repository
    """
    keys = [f"e{n}" for n in range(len(names))]
    declared = "".join(f", ${key}: String!" for key in keys)
    asked = " ".join(f"{key}: object(expression: ${key}) {{ {fields} }}" for key in keys)
    document = (
        f"query($owner: String!, $name: String!{declared}) "
        f"{{ repository(owner: $owner, name: $name) {{ {asked} }} }}"
    )
    values = dict(zip(keys, names, strict=True))
    data = await api.graphql(document, {"owner": repo.owner, "name": repo.name, **values})
    found = data.get("repository") or {}
    return [found.get(key) for key in keys]


def _blob_text(blob: Any, cap: int) -> str | None:
    if not isinstance(blob, dict) or blob.get("isBinary") or blob.get("isTruncated"):
        return None
    text, size = blob.get("text"), blob.get("byteSize")
    if not isinstance(text, str) or not isinstance(size, int) or size > cap:
        return None
    return clean(text)


async def _by_rest(api: Api, repo: RepoRef, wanted: list[Wanted], cap: int) -> dict[Wanted, str]:
    """One call a file, so only for a few."""
    found: dict[Wanted, str] = {}
    for sha, path in wanted[:PER_REST]:
        try:
            entry = await _entry(api, repo, sha, path)
        except GitHubError as error:
            if error.status not in (403, 404):  # 403: over 100 MB
                raise
            continue
        text = _file_text(entry, cap)
        if text is not None:
            found[sha, path] = text
    return found


async def _entry(api: Api, repo: RepoRef, ref: str, path: str) -> Any:
    params: Params = {"owner": repo.owner, "repo": repo.name, "path": path.split("/"), "ref": ref}
    return await api.get("/repos/{owner}/{repo}/contents{/path*}", params)


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
