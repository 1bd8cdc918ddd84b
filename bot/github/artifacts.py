"""Coverage reports among the artifacts that CI left for a commit. Archives are a stranger's: nothing is
unpacked onto a disk, and every size is capped while it is read.

https://docs.github.com/en/rest/actions/artifacts
"""

import io
import re
import zipfile
from typing import Any

from bot.core.errors import HobError
from bot.core.refs import RepoRef, Sha
from bot.github.api import Api, Params
from bot.github.payloads import clean

PERMISSION = {"actions": "read"}
MOST_ARTIFACTS = 3
MOST_ARCHIVE = 20 * 1024 * 1024
MOST_REPORT = 20 * 1024 * 1024
"""Bytes of all reports of an archive together, unpacked."""
MOST_MEMBERS = 2_000
_BOUNDED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""How GitHub packs. Of the others zipfile unpacks all that was read at once, whatever it grows to."""
_NAMED = re.compile(r"(?i)cov|lcov|cobertura")
_REPORT = re.compile(r"(?i)(?:^|/)[\w.-]{0,60}(?:(?:coverage|cobertura)[\w.-]{0,60}\.xml|lcov[\w.-]{0,60})$")


async def reports(api: Api, repo: RepoRef, sha: Sha) -> dict[str, str]:
    """`artifact/member` -> text, of those of the newest 100 artifacts that are of this commit and named for
    coverage. Empty where the permission was not granted, or anything is in the way: a review does without."""
    params: Params = {"owner": repo.owner, "repo": repo.name, "per_page": 100}
    found: dict[str, str] = {}
    try:
        listed = await api.get("/repos/{owner}/{repo}/actions/artifacts", params)
        for artifact in _wanted(listed, sha):
            where: Params = {"owner": repo.owner, "repo": repo.name, "id": artifact["id"]}
            raw = await api.elsewhere("/repos/{owner}/{repo}/actions/artifacts/{id}/zip", where)
            found |= {f"{artifact['id']}/{name}": text for name, text in unpacked(raw).items()}
    except HobError:
        return found
    return found


def _wanted(listed: Any, sha: Sha) -> list[dict[str, Any]]:
    artifacts = listed.get("artifacts") if isinstance(listed, dict) else None
    return [
        one
        for one in artifacts or ()
        if isinstance(one, dict)
        and isinstance(one.get("id"), int)
        and (one.get("workflow_run") or {}).get("head_sha") == sha
        and not one.get("expired")
        and _NAMED.search(str(one.get("name")))
        and isinstance(size := one.get("size_in_bytes"), int)
        and size <= MOST_ARCHIVE
    ][:MOST_ARTIFACTS]


def unpacked(raw: bytes) -> dict[str, str]:
    """Name -> text of an archive's reports. What claims or turns out to be too large is left out, and so is
    what is packed in a way that cannot be bounded."""
    found: dict[str, str] = {}
    room = MOST_REPORT
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            for member in archive.infolist()[:MOST_MEMBERS]:
                if not _REPORT.search(member.filename) or member.is_dir() or member.file_size > room:
                    continue
                if member.compress_type not in _BOUNDED:
                    continue
                with archive.open(member) as opened:
                    data = opened.read(room + 1)
                if len(data) > room:
                    break
                room -= len(data)
                found[member.filename] = clean(data.decode("utf-8", "replace"))
    except Exception:  # cut short, encrypted: of many kinds, some of them of the struct module
        return found
    return found
