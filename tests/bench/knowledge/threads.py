"""Issues and pull requests as GitHub's API tells them, and which of them belong together.

A duplicate is what somebody closed with "duplicate of #12"; a pull request fixes what it says "fixes #12" of.
Both texts are then shown without such references. `python -m tests.bench.knowledge.threads FOLDER OUT.jsonl`
reads what was saved of the API: files `issues/N.json` and `pulls/N.json` with `issue` or `pull`, `comments`
and `events` in one object, as github-metadata-backup writes them; or `items/N-main.json` with
`items/N-comments.json`, as in brson/rust-issue-archive, of which each year is a repository of its own.
"""

import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

MOST_BODY = 8_000
_TO = r"\s+(?:#|https?://github\.com/[\w.-]+/[\w.-]+/(?:issues|pull)/)(\d+)"
_DUPLICATE = re.compile(r"\bdup(?:e|licate)?(?:\s+of|\s+with|\s+to|\s*:|\s*->)?" + _TO, re.IGNORECASE)
_FIXES = re.compile(r"\b(?:fix(?:e[sd])?|close[sd]?|resolve[sd]?):?(?:\s+issue)?" + _TO, re.IGNORECASE)
_REFERENCE = re.compile(
    r"(?:\b(?:fix(?:e[sd])?|close[sd]?|resolve[sd]?|cc|refs?|see|dup(?:e|licate)?(?: of)?):?\s+)?(?:issue )?"
    r"(?:#\d+|https?://\S+)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Thread:
    """Times as GitHub writes them; `closed` is empty while it is open. `same` are older issues that it is a
    duplicate of, `fixes` those that a pull request fixes."""

    repository: str
    number: int
    pull: bool
    title: str
    body: str
    created: str
    closed: str
    same: tuple[int, ...] = ()
    fixes: tuple[int, ...] = ()


def thread(repository: str, told: dict[str, Any], comments: Iterable[str], pull: bool) -> Thread:
    """From an issue or pull request of the API and the texts of its comments."""
    number, title, body = told["number"], told.get("title") or "", told.get("body") or ""
    closed = told.get("closed_at") or ""
    same = (
        {int(found) for text in comments for found in _DUPLICATE.findall(text)}
        if closed and not pull
        else set()
    )
    fixes = {int(found) for found in _FIXES.findall(f" {title}\n{body}")} if pull else set()
    return Thread(
        repository,
        number,
        pull,
        title,
        _REFERENCE.sub(" ", body[:MOST_BODY]).strip(),
        told.get("created_at") or "",
        closed,
        tuple(sorted(one for one in same if one < number)) if closed and not pull else (),
        tuple(sorted(one for one in fixes if one < number)) if pull else (),
    )


def saved(folder: Path) -> Iterator[Thread]:
    """All that lies in the folder, by number."""
    paths = [*folder.glob("issues/*.json"), *folder.glob("pulls/*.json")]
    for path in sorted(paths, key=lambda path: int(path.stem)):
        raw = json.loads(path.read_bytes())
        told = raw.get("issue") or raw.get("pull") or {}
        said = [each.get("body") or "" for each in [*raw.get("comments", ()), *raw.get("events", ())]]
        if "number" in told:
            yield thread(folder.name, told, said, path.parent.name == "pulls")
    for path in sorted(folder.glob("items/*-main.json")):
        told = json.loads(path.read_bytes())
        comments = json.loads(path.with_name(path.name.replace("-main", "-comments")).read_bytes())
        said = [each.get("body") or "" for each in comments]
        yield thread(f"{folder.name} {told['created_at'][:4]}", told, said, "pull_request" in told)


def read(path: Path) -> list[Thread]:
    with path.open(encoding="utf-8") as file:
        told = [json.loads(line) for line in file]
    return [Thread(**{**raw, "same": tuple(raw["same"]), "fixes": tuple(raw["fixes"])}) for raw in told]


def write(path: Path, threads: Sequence[Thread]) -> None:
    path.write_text("".join(json.dumps(asdict(each), ensure_ascii=False) + "\n" for each in threads))


if __name__ == "__main__":
    write(Path(sys.argv[2]), list(saved(Path(sys.argv[1]))))
