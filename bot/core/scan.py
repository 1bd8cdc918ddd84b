"""Which code that no pull request touches is read first, and what is known of what was read. Pure."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Protocol

import msgspec

from bot.core.diff import FileDiff, Hunk, HunkLine
from bot.core.edit_paths import is_private
from bot.core.file_kinds import kind_of_path
from bot.core.findings import Finding, fingerprint
from bot.core.knowledge import FileRisk
from bot.core.review_chunks import kind
from bot.core.source import LeftOut

LEAST_LINES, MOST_LINES = 10, 2_000
"""Of a file: less tells nothing, more is written by no person."""
PROMPT_CHARS = 8_000
"""Of a file in one prompt, about."""
MOST_BEGUN = 3
"""As many deaths of its worker give a run up: the file they were over would be first of the next, too."""


@dataclass(frozen=True, slots=True)
class ScannedFile:
    """A file as it was read: of another `blob` it is to be read again. `night`: when, as `2026-03-04`;
    `calls`: questions that it took. One that is being read has no blob, so that it is read again; `begun`:
    how often in a row that was and did not end."""

    path: str
    blob: str
    night: str
    calls: int
    findings: tuple[Finding, ...] = ()
    begun: int = 0


def as_text(known: Iterable[ScannedFile]) -> str:
    """JSON; of half characters, which no file and no database takes, a `?` is left."""
    told = json.dumps([asdict(one) for one in known], ensure_ascii=False)
    return told.encode("utf-8", "replace").decode()


def of_text(text: str | bytes) -> list[ScannedFile]:
    """Nothing of what cannot be read."""
    try:
        return msgspec.json.decode(text, type=list[ScannedFile])
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return []


class ScanRecord(Protocol):
    """What was read of one repository."""

    async def known(self) -> Mapping[str, ScannedFile]:
        """By path."""
        ...

    async def keep(self, one: ScannedFile) -> None:
        """At once, in the place of what is known of that file."""
        ...

    async def drop(self, paths: Sequence[str]) -> None:
        """Files that are no longer there."""
        ...

    async def told(self) -> frozenset[str]:
        """Fingerprints of what the dashboard has of it."""
        ...


def is_code(path: str) -> bool:
    """Whether people write such a file, and it is no test, configuration or prose, and for no passwords."""
    return kind(path) == 0 and kind_of_path(path) is None and not is_private(path)


def riskiest(files: Iterable[FileRisk], known: Mapping[str, ScannedFile]) -> list[FileRisk]:
    """Those to be read, the riskiest first: code that people write, and that was not read as it is now."""
    new = (
        one
        for one in files
        if LEAST_LINES <= one.lines <= MOST_LINES
        and is_code(one.path)
        and not (one.path in known and known[one.path].blob == one.blob)
    )
    return sorted(new, key=lambda one: (-one.score, one.path))


def too_long(files: Iterable[FileRisk]) -> list[LeftOut]:
    """The code that is never read."""
    why = f"over {MOST_LINES:,} lines"
    return [LeftOut(one.path, why) for one in files if one.lines > MOST_LINES and is_code(one.path)]


def moved(files: Iterable[FileRisk], known: Mapping[str, ScannedFile]) -> dict[str, ScannedFile]:
    """What is known of files that have another name now and are the same: by the old name, under the new."""
    files = list(files)
    here = {one.path for one in files}
    gone = {one.blob: one for one in known.values() if one.blob and one.path not in here}
    found: dict[str, ScannedFile] = {}
    for file in files:
        if file.path not in known and (old := gone.pop(file.blob, None)):
            renamed = tuple(replace(one, path=file.path) for one in old.findings)
            found[old.path] = replace(old, path=file.path, findings=renamed)
    return found


def questions(lines: Sequence[str]) -> int:
    """That reading so much takes, with the one that verifies; about."""
    return 2 + sum(len(line) + 2 for line in lines) // PROMPT_CHARS


def spent(known: Iterable[ScannedFile], night: str) -> int:
    """Questions of that night."""
    return sum(one.calls for one in known if one.night == night)


def standing(
    known: Iterable[ScannedFile], blobs: Mapping[str, str], dismissed: Iterable[str] = ()
) -> list[Finding]:
    """What was found in files that are still the same (`blobs`: path -> blob at the tip), the worst first;
    not what people `dismissed`, by fingerprint."""
    unwanted = frozenset(dismissed)
    found = [
        finding
        for one in known
        if blobs.get(one.path) == one.blob
        for finding in one.findings
        if fingerprint(finding) not in unwanted
    ]
    return sorted(found, key=lambda finding: finding.rank)


def as_change(path: str, lines: Sequence[str]) -> FileDiff:
    """A whole file as if a pull request brought it."""
    new = tuple(HunkLine("+", text, None, number) for number, text in enumerate(lines, 1))
    hunk = Hunk(0, 0, 1, len(new), "", new)
    return FileDiff(path=path, status="added", hunks=(hunk,), additions=len(new))
