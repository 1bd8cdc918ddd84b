"""Vectors of texts by a host that speaks Ollama's protocol."""

from collections.abc import Sequence

import httpx

from tests.fakes.minilm import NAME


def embed(url: str, texts: Sequence[str]) -> list[list[float]]:
    """One a text, in their order."""
    body = {"model": NAME, "input": list(texts), "truncate": True}
    answer = httpx.post(f"{url}/api/embed", json=body, timeout=600)
    vectors: list[list[float]] = answer.raise_for_status().json()["embeddings"]
    return vectors
