"""`python -m tests.fuzz.guided TARGET FAILED …`: atheris on one target, with libFuzzer's words after it. What
fails is written into the folder FAILED, and the search goes on."""

import hashlib
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["bot", "markdown_it", "yaml"]):
    from tests.fuzz.targets import TARGETS

from tests.fuzz.watching import complaint, kind_of

MOST_OF_A_KIND = 5


def main(name: str, failed: Path, words: list[str]) -> None:
    target = TARGETS[name]
    seen: dict[str, int] = {}

    def try_one(data: bytes) -> None:
        told = complaint(target, data)
        kind = kind_of(told)
        if told and seen.setdefault(kind, 0) < MOST_OF_A_KIND:
            seen[kind] += 1
            (failed / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)

    atheris.Setup([sys.argv[0], *words, "-timeout=100", "-rss_limit_mb=3000"], try_one)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
