"""The files that a pull request, a commit or a comparison changes, as GitHub tells them."""

from typing import Any

from bot.core.diff import BadPatch, FileDiff, Status, parse_patch
from bot.github.api import Api
from bot.github.conversations import as_object
from bot.github.payloads import clean

MOST_FILES = 3_000
"""More files of a pull request GitHub does not list."""
_STATUSES: dict[str, Status] = {
    "added": "added",
    "removed": "removed",
    "renamed": "renamed",
    "copied": "copied",
    "changed": "changed",
    "unchanged": "unchanged",
}


async def changed_files(api: Api, number: int) -> list[FileDiff]:
    """Of a pull request, a call for each 100.

    https://docs.github.com/en/rest/pulls/pulls#list-pull-requests-files
    """
    path = "/repos/{owner}/{repo}/pulls/{number}/files"
    return [file_diff(one) for one in await api.get_all(path, {"number": number}, cap=MOST_FILES)]


def file_diff(found: Any) -> FileDiff:
    """A changed file as GitHub tells it; without hunks where it gives no patch (binary, too large, renamed
    only), or one that is not to be understood."""
    found = as_object(found)
    patch, old = found.get("patch"), found.get("previous_filename")
    try:
        hunks = parse_patch(patch) if isinstance(patch, str) else None
    except BadPatch:
        hunks = None
    return FileDiff(
        path=clean(found.get("filename")),
        status=_STATUSES.get(str(found.get("status")), "modified"),
        hunks=hunks,
        old_path=clean(old) if old else None,
        additions=int(found.get("additions") or 0),
        deletions=int(found.get("deletions") or 0),
        blob=found.get("sha") or "",
    )
