"""Training data from a repository's own past, in `tune/NUMBER` (GitHub's) of the data directory:

    data/train.jsonl, valid.jsonl, test.jsonl   one example a line, as mlx-lm's LoRA reads chats
    cases/*.json                                the held-out pull requests, as `hob eval` reads them
    manifest.json                               what was made, when, of what (`ExportManifest`)

A file without examples is not there, for mlx-lm fails on an empty one. What is newest is held out
(`test.jsonl` and the cases), the newest of the rest is `valid.jsonl`; nothing of one pull request stands in
two of them.
"""

import hashlib
import json
import math
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


MergedPull = tuple[int, float]
"""A pull request, and when it was merged in epoch seconds."""


@dataclass(frozen=True, slots=True)
class TrainingExample:
    """A question as it is put to a reviewer, and the answer that people's own decisions give. `pulls`: every
    pull request that any of it comes from, first the one that is asked about."""

    pulls: tuple[MergedPull, ...]
    source: TrainingSource
    system: str
    user: str
    assistant: str

    @property
    def line(self) -> str:
        """One line of JSON, without its end."""
        said = (("system", self.system), ("user", self.user), ("assistant", self.assistant))
        return json.dumps({"messages": [{"role": role, "content": text} for role, text in said]})


@dataclass(frozen=True, slots=True)
class TimeSplit:
    """(when, pull request) from which on `valid` and `test` begin."""

    valid: tuple[float, int]
    test: tuple[float, int]

    @property
    def held_out_from(self) -> float | None:
        """Epoch seconds of the first merge that is held out; None where none is."""
        return self.test[0] if self.test[0] < math.inf else None

    def side(self, pulls: Iterable[MergedPull]) -> DataFile | None:
        """Where what comes from these belongs; None where that is several files."""
        sides = {self._side(at, number) for number, at in pulls}
        return sides.pop() if len(sides) == 1 else None

    def _side(self, at: float, number: int) -> DataFile:
        if (at, number) >= self.test:
            return "test"
        return "valid" if (at, number) >= self.valid else "train"


@dataclass(frozen=True, slots=True)
class ExportManifest:
    """`manifest.json`. `repo_id` is GitHub's, which stays when the name changes; `made` and `split` are ISO
    8601 in UTC (what was merged before `split` is trained on; empty where nothing is held out); `max_tokens`:
    about as many has the longest example at most; `counts` has examples `by_source` and lines or cases
    `by_file` (`train`, `valid`, `test`, `cases`); `redacted`: places where a credential was taken out;
    `left_out`: examples by the reason; `private`: the repository was it then, which an export that does not
    say counts as."""

    repository: str
    repo_id: int
    made: str
    split: str
    digest: str
    max_tokens: int = 0
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    redacted: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict)
    private: bool = False

    @property
    def text(self) -> str:
        return json.dumps(asdict(self), indent=2) + "\n"


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
            int(said["repo_id"]),
            made,
            split,
            digest,
            int(said["max_tokens"]),
            counts,
            int(said["redacted"]),
            _counts(said["left_out"]),
            said.get("private") is not False,
        )
    except (KeyError, TypeError, AttributeError, RecursionError, OverflowError) as wrong:
        raise ValueError(f"it is no manifest of an export: {type(wrong).__name__} {wrong}") from None


def _counts(said: Mapping[str, Any]) -> dict[str, int]:
    return {str(name): int(count) for name, count in said.items()}


def data_digest(files: Mapping[DataFile, bytes]) -> str:
    """SHA-256 over the data files, 64 hexadecimal digits. A file that is not there counts as an empty one."""
    told = hashlib.sha256()
    for name in DATA_FILES:
        body = files.get(name, b"")
        told.update(f"{name} {len(body)}\n".encode() + body)
    return told.hexdigest()


def by_time(pulls: Iterable[MergedPull]) -> TimeSplit:
    """Each file has a pull request where there are enough of them: two for something held out, three for
    something to validate with."""
    ordered = sorted((at, number) for number, at in dict(pulls).items())
    rest, test = _newest(ordered, HELD_OUT_SHARE)
    _, valid = _newest(rest, VALID_SHARE)
    never = (math.inf, 0)
    return TimeSplit((*valid, *test, never)[0], (*test, never)[0])


_Ordered = Sequence[tuple[float, int]]


def _newest(ordered: _Ordered, share: float) -> tuple[_Ordered, _Ordered]:
    """(the others, the newest): of two or more at least one each."""
    many = min(max(1, round(len(ordered) * share)), len(ordered) - 1) if len(ordered) > 1 else 0
    return ordered[: len(ordered) - many], ordered[len(ordered) - many :]
