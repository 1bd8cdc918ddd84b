"""Files that make every clone of the repository larger for ever."""

from bot.core.check_input import CheckedChange
from bot.core.file_kinds import LOCK_FILES
from bot.core.findings import Finding
from bot.core.sandbox_types import RunProgram

MEGABYTE = 1024 * 1024
LARGE, VERY_LARGE = MEGABYTE, 10 * MEGABYTE


async def run(change: CheckedChange, _: RunProgram) -> list[Finding] | None:
    """Files whose lines GitHub does not show (binary, or too large) and that are over 1 MB."""
    judged = [
        (file.path, change.sizes[file.path])
        for file in (*change.files, *change.others)
        if file.hunks is None and file.path in change.sizes and file.path.rpartition("/")[2] not in LOCK_FILES
    ]
    if not judged:
        return None
    return [_finding(path, size) for path, size in judged if size > LARGE]


def _finding(path: str, size: int) -> Finding:
    return Finding(
        path=path,
        severity="major" if size > VERY_LARGE else "minor",
        category="large file",
        title=f"A file of {size / MEGABYTE:.1f} MB",
        body="It stays in the history, and in every clone, even when it is deleted later. "
        "Does it belong into git, or into a release, a bucket or Git LFS?",
        source="large",
    )
