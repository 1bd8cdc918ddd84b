"""`python -m tests.fuzz MINUTES [TARGET]`: each target for its share of the time, a quarter of it by
Hypothesis and the rest by atheris, led by what an input reaches; without atheris, by Hypothesis alone.

What fails is written into the target's corpus, and the end is 1. `KEEP=1` also keeps the inputs that between
them reach all that was reached.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from types import FrameType
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.fuzz.documents import documents, inputs_of, made_of, pieces
from tests.fuzz.targets import TARGETS
from tests.fuzz.watching import FOUND, KEPT, complaint, kind_of, machine_factor, read_corpus, write_corpus

LONGEST = 4_096
"""Bytes of an input that atheris makes."""


@dataclass(slots=True)
class Fuzzed:
    """Of one target: how many inputs were tried, and the smallest of each kind of finding."""

    name: str
    by_hypothesis: int = 0
    by_atheris: int = 0
    found: dict[str, tuple[bytes, str]] = field(default_factory=dict)

    def try_one(self, data: bytes) -> None:
        told = complaint(TARGETS[self.name], data)
        kind = kind_of(told)
        if told and (kind not in self.found or len(data) < len(self.found[kind][0])):
            self.found[kind] = (data, told)


def by_hypothesis(fuzzed: Fuzzed, seconds: float) -> None:
    ends = time.monotonic() + seconds
    number = time.time_ns()

    while time.monotonic() < ends:
        number += 1

        @seed(number)
        @settings(
            max_examples=100,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.generate,),
        )
        @given(documents(fuzzed.name))
        def try_all(data: bytes) -> None:
            fuzzed.by_hypothesis += 1
            fuzzed.try_one(data)

        try_all()


def by_atheris(fuzzed: Fuzzed, seconds: float) -> None:
    """In a process of its own, whose code is instrumented; what fails there is tried again here."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        (folder / "all").mkdir()
        (folder / "failed").mkdir()
        for number, data in enumerate(inputs_of(fuzzed.name)):
            (folder / "all" / f"{number}").write_bytes(data)
        words = {one for one in pieces() if 1 < len(one) < 60}
        escaped = ("".join(f"\\x{byte:02x}" for byte in word) for word in sorted(words))
        (folder / "words").write_text("".join(f'"{word}"\n' for word in escaped))
        more = [f"-max_total_time={max(1, int(seconds))}", f"-max_len={LONGEST}", f"-dict={folder / 'words'}"]
        said = _child(fuzzed.name, folder, *more)
        counted = re.findall(r"^Done (\d+) runs", said, re.MULTILINE) or re.findall(
            r"^#(\d+)\b", said, re.MULTILINE
        )
        fuzzed.by_atheris = int(counted[-1]) if counted else 0
        if not counted or "ERROR" in said:
            raise SystemExit(f"{fuzzed.name}: atheris ended early:\n{said[-2_000:]}")
        for path in sorted((folder / "failed").iterdir(), key=lambda one: one.stat().st_size):
            fuzzed.try_one(path.read_bytes())
        if os.environ.get("KEEP"):
            tried = [path.read_bytes() for path in (folder / "all").iterdir()]
            write_corpus(fuzzed.name, KEPT, least(fuzzed.name, tried))


def least(name: str, tried: Iterable[bytes]) -> list[bytes]:
    """The shortest that between them reach all lines of Hob that are reached and that no sample reaches."""
    reached: set[tuple[str, int]] = set()
    samples = made_of(name)
    kept: list[bytes] = []
    here: set[tuple[str, int]] = set()

    def trace(frame: FrameType, event: str, _: object) -> Callable[..., Any] | None:
        if "/bot/" not in frame.f_code.co_filename:
            return None
        here.add((frame.f_code.co_filename, frame.f_lineno))
        return trace

    for data in [*samples, *sorted(tried, key=lambda one: (len(one), one))]:
        here.clear()
        sys.settrace(trace)
        try:
            TARGETS[name].read(data)
        except Exception:
            continue
        finally:
            sys.settrace(None)
        if here - reached:
            reached |= here
            kept.append(data)
    return [data for data in kept if data not in samples]


def _child(name: str, folder: Path, *words: str) -> str:
    line = [
        sys.executable,
        "-m",
        "tests.fuzz.guided",
        name,
        str(folder / "failed"),
        str(folder / "all"),
        *words,
    ]
    done = subprocess.run(line, capture_output=True, text=True, errors="replace", check=False)
    return done.stdout + done.stderr


def main(minutes: float, only: str = "") -> int:
    if only and only not in TARGETS:
        raise SystemExit(f"there is no target {only}; there are {', '.join(TARGETS)}")
    names = [only] if only else list(TARGETS)
    guided = find_spec("atheris") is not None
    share = minutes * 60 / len(names)
    print(
        f"machine factor {machine_factor():.2f}; {'Hypothesis and atheris' if guided else 'Hypothesis alone'}"
    )
    failed = False
    for name in names:
        fuzzed = Fuzzed(name)
        by_hypothesis(fuzzed, share / 4 if guided else share)
        if guided:
            by_atheris(fuzzed, share * 3 / 4)
        tried = f"{fuzzed.by_hypothesis:,} by Hypothesis, {fuzzed.by_atheris:,} by atheris"
        print(f"{name:12} {share / 60:.1f} min, inputs: {tried}; {len(fuzzed.found)} failed", flush=True)
        for data, told in fuzzed.found.values():
            print(f"  {told}\n  {data[:300]!r}", flush=True)
        if fuzzed.found:
            failed = True
            write_corpus(
                name, FOUND, [*read_corpus(name, FOUND), *(data for data, _ in fuzzed.found.values())]
            )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), *sys.argv[2:3]))
