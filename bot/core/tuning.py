"""Training data from a repository's own past, in `tune/OWNER--REPO` of the data directory:

    data/train.jsonl, valid.jsonl, test.jsonl   one example a line, as mlx-lm's LoRA reads chats
    cases/*.json                                the held-out pull requests, as `hob eval` reads them
    manifest.json                               what was made, when, of what (`ExportManifest`)

What is newest is held out (`test.jsonl` and the cases), the newest of the rest is `valid.jsonl`; nothing of
one pull request stands in two of them.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

TUNE = "tune"
"""The folder below the data directory."""
DATA, CASES, MANIFEST = "data", "cases", "manifest.json"
DataFile = Literal["train", "valid", "test"]
DATA_FILES: tuple[DataFile, ...] = ("train", "valid", "test")
HELD_OUT_SHARE = 0.2
"""Of the pull requests, the newest."""
VALID_SHARE = 0.1
"""Of the rest, the newest."""
LEAST_EXAMPLES = 20
"""Fewer to train on are not worth an hour of a machine."""
STRADDLES = "from pull requests of two sides of the split"

TrainingSource = Literal["accepted", "dismissed", "remark", "fix", "quiet"]
"""What an answer rests on, the surest first: a finding of Hob's that was mended, one that a person dismissed
(the answer is without it), a remark of somebody who may write that led to a change, what a fix mended soon
after the merge, and code beside such remarks of which nobody said anything."""


@dataclass(frozen=True, slots=True)
class TrainingExample:
    """A question as it is put to a reviewer, and the answer that people's own decisions give. `pulls`: every
    pull request that any of it comes from."""

    pulls: frozenset[int]
    source: TrainingSource
    system: str
    user: str
    assistant: str

    @property
    def line(self) -> str:
        """One line of JSON, without its end."""
        said = (("system", self.system), ("user", self.user), ("assistant", self.assistant))
        messages = [{"role": role, "content": text} for role, text in said]
        return json.dumps({"messages": messages})


@dataclass(frozen=True, slots=True)
class TimeSplit:
    """The pull requests of each file. `at`: epoch seconds of the first merge that is held out; 0.0 where none
    is."""

    sides: Mapping[DataFile, frozenset[int]]
    at: float = 0.0

    def side(self, pulls: Iterable[int]) -> DataFile | None:
        """Where an example from these belongs; None where they are of several sides."""
        wanted = frozenset(pulls)
        return next((name for name in DATA_FILES if wanted and wanted <= self.sides[name]), None)


@dataclass(frozen=True, slots=True)
class ExportManifest:
    """`manifest.json`. `made` and `split` are ISO 8601 in UTC (what was merged before `split` is trained on;
    empty where nothing is held out); `max_tokens`: about as many has the longest example at most; `counts`
    has examples `by_source` and lines or cases `by_file` (`train`, `valid`, `test`, `cases`); `redacted`:
    credentials that were taken out; `left_out`: examples by the reason."""

    repository: str
    made: str
    split: str
    digest: str
    max_tokens: int = 0
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    redacted: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n"


def manifest_of(text: str) -> ExportManifest:
    """ValueError for what is no manifest."""
    try:
        said: dict[str, Any] = json.loads(text)
        counts = {str(kind): _counts(some) for kind, some in said["counts"].items()}
        repository, made, split, digest = (
            str(said[name]) for name in ("repository", "made", "split", "digest")
        )
        return ExportManifest(
            repository,
            made,
            split,
            digest,
            int(said["max_tokens"]),
            counts,
            int(said["redacted"]),
            _counts(said["left_out"]),
        )
    except (KeyError, TypeError, AttributeError, RecursionError, OverflowError) as wrong:
        raise ValueError(f"it is no manifest of an export: {type(wrong).__name__} {wrong}") from None


def _counts(said: Mapping[str, Any]) -> dict[str, int]:
    return {str(name): int(count) for name, count in said.items()}


def folder_name(full_name: str) -> str:
    """Of `Owner/Repo`: `owner--repo`. GitHub's names of owners have no two dashes in a row, and no two names
    differ by their case alone."""
    return full_name.replace("/", "--").lower()


def data_digest(files: Mapping[DataFile, bytes]) -> str:
    """SHA-256 over the data files, 64 hexadecimal digits. A file that is not there counts as an empty one."""
    told = hashlib.sha256()
    for name in DATA_FILES:
        body = files.get(name, b"")
        told.update(f"{name} {len(body)}\n".encode() + body)
    return told.hexdigest()


def by_time(merged: Mapping[int, float], held_out: float = HELD_OUT_SHARE) -> TimeSplit:
    """`merged`: pull request -> epoch seconds. Each file has one where there are enough of them: two for
    something held out, three for something to validate with."""
    ordered = sorted(merged, key=lambda number: (merged[number], number))
    rest, test = _newest(ordered, held_out)
    train, valid = _newest(rest, VALID_SHARE)
    sides: dict[DataFile, frozenset[int]] = {
        "train": frozenset(train),
        "valid": frozenset(valid),
        "test": frozenset(test),
    }
    return TimeSplit(sides, merged[test[0]] if test else 0.0)


def _newest(ordered: Sequence[int], share: float) -> tuple[Sequence[int], Sequence[int]]:
    """(the others, the newest): of two or more at least one each."""
    many = min(max(1, round(len(ordered) * share)), len(ordered) - 1) if len(ordered) > 1 else 0
    return ordered[: len(ordered) - many], ordered[len(ordered) - many :]
