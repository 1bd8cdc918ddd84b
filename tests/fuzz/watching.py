"""One input tried on one target: what is wrong with it, in a line. And inputs as they are kept: a line of
ASCII each, so that no editor, scanner or terminal meets what they hold."""

import ast
import re
import signal
import time
import traceback
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from tests.fuzz.targets import Target

CORPUS = Path(__file__).parent / "corpus"
KEPT, FOUND = "kept.txt", "found.txt"
"""Of a target: inputs that between them go everywhere it goes, and inputs that once failed."""
SECONDS = 0.05
"""Of the processor, on the machine of `QUIET`, for any input, beside the target's rate."""
QUIET = 0.0085
"""Seconds that `_work` takes on a machine on which nothing else runs."""
LONGEST = 10.0
"""Times as long as is allowed: then an input is stopped."""


class TooSlow(BaseException):
    pass


def _stop(*_: object) -> None:
    raise TooSlow


def _work() -> float:
    begun = time.process_time()
    for number in range(60):
        re.findall(r"(\w+) (\d+)", f"word {number} " * 60)
        sorted(str(one * 7919 % 1000) for one in range(300))
    return time.process_time() - begun


@cache
def machine_factor() -> float:
    """How many times as slow as `QUIET` this machine is now; at least 1."""
    return max(1.0, min(_work() for _ in range(3)) / QUIET)


def allowed(target: Target, data: bytes) -> float:
    """Seconds of the processor."""
    return machine_factor() * (SECONDS + target.rate * len(data) / 10_000)


def complaint(target: Target, data: bytes) -> str:
    """What is wrong with how the target reads it; empty where nothing is. Slowness is believed the third
    time."""
    told = _tried(target, data)
    for _ in range(2):
        told = _tried(target, data) if told.startswith("slow") else told
    return told


def _tried(target: Target, data: bytes) -> str:
    limit = allowed(target, data)
    before = signal.signal(signal.SIGPROF, _stop)
    signal.setitimer(signal.ITIMER_PROF, limit * LONGEST)
    begun = time.process_time()
    try:
        target.read(data)
    except target.refusals:
        pass
    except TooSlow:
        return f"slow: stopped after {limit * LONGEST:.2f} s of {len(data)} bytes"
    except Exception as error:
        return f"{type(error).__name__} {_where(error)}: {ascii(str(error))[:150]}"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
    took = time.process_time() - begun
    return f"slow: {took:.2f} s for {len(data)} bytes, {limit:.2f} s are allowed" if took > limit else ""


def _where(error: Exception) -> str:
    """The innermost line of the project's."""
    frames = [
        one for one in traceback.extract_tb(error.__traceback__) if "/site-packages/" not in one.filename
    ]
    frames = [one for one in frames if "/bot/" in one.filename or "/tests/" in one.filename] or frames
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"


def kind_of(told: str) -> str:
    """Findings of one kind are one finding."""
    return told.partition(":")[0] if told.startswith("slow") else " ".join(told.split()[:2])


def read_corpus(name: str, file: str) -> list[bytes]:
    path = CORPUS / name / file
    lines = path.read_text("ascii").splitlines() if path.exists() else []
    return [ast.literal_eval(line) for line in lines]


def write_corpus(name: str, file: str, inputs: Iterable[bytes]) -> None:
    path = CORPUS / name / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        "".join(f"{one!r}\n" for one in sorted(set(inputs), key=lambda one: (len(one), one))), "ascii"
    )
