"""all-MiniLM-L6-v2 (BERT, 6 layers, 384 numbers, mean pooling) computed with numpy. Only for those who have
`make .venv/.bench`: `tests.fakes.minilm` imports it where the model is there.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file
from tokenizers import Tokenizer

HEADS, WIDTH, LAYERS = 12, 384, 6
BATCH_TOKENS = 1536

Array = np.ndarray[Any, np.dtype[np.float32]]


class MiniLM:
    """The model. Some 15 texts of 170 tokens a second on two cores."""

    def __init__(self, folder: Path, reads: int) -> None:
        self._reads = reads
        self._weights: dict[str, Array] = load_file(folder / "model.safetensors")
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()

    def tokens(self, text: str) -> list[int]:
        """Numbers of the text's tokens, the two special ones around them included."""
        return list(self._tokenizer.encode(text).ids)

    def embed(self, texts: Sequence[str]) -> Array:
        """A vector of length 1 for each text; what is past the tokens that it reads is not read."""
        given = [self.tokens(text) for text in texts]
        given = [ids if len(ids) <= self._reads else [*ids[: self._reads - 1], ids[-1]] for ids in given]
        vectors = np.zeros((len(given), WIDTH), np.float32)
        for rows in _batches([len(ids) for ids in given]):
            vectors[rows] = self._forward([given[row] for row in rows])
        return vectors

    def _forward(self, batch: list[list[int]]) -> Array:
        longest = max(map(len, batch))
        ids = np.array([[*row, *[0] * (longest - len(row))] for row in batch])
        real = np.array([[1.0] * len(row) + [0.0] * (longest - len(row)) for row in batch], np.float32)
        at = "embeddings"
        words = self._weights[f"{at}.word_embeddings.weight"][ids]
        places = self._weights[f"{at}.position_embeddings.weight"][:longest]
        hidden = self._norm(at, words + places + self._weights[f"{at}.token_type_embeddings.weight"][0])
        for layer in range(LAYERS):
            hidden = self._layer(f"encoder.layer.{layer}", hidden, real)
        mean = (hidden * real[..., None]).sum(1) / real.sum(1, keepdims=True)
        return mean / np.linalg.norm(mean, axis=1, keepdims=True)

    def _layer(self, at: str, hidden: Array, real: Array) -> Array:
        batch, length, _ = hidden.shape
        query, key, value = (
            self._dense(f"{at}.attention.self.{part}", hidden)
            .reshape(batch, length, HEADS, WIDTH // HEADS)
            .transpose(0, 2, 1, 3)
            for part in ("query", "key", "value")
        )
        scores = query @ key.transpose(0, 1, 3, 2) / np.float32(WIDTH // HEADS) ** 0.5
        weights = _softmax(scores + (real[:, None, None, :] - 1.0) * 1e9)
        seen = (weights @ value).transpose(0, 2, 1, 3).reshape(batch, length, WIDTH)
        hidden = self._norm(
            f"{at}.attention.output", hidden + self._dense(f"{at}.attention.output.dense", seen)
        )
        wide = _gelu(self._dense(f"{at}.intermediate.dense", hidden))
        return self._norm(f"{at}.output", hidden + self._dense(f"{at}.output.dense", wide))

    def _dense(self, at: str, given: Array) -> Array:
        return given @ self._weights[f"{at}.weight"].T + self._weights[f"{at}.bias"]

    def _norm(self, at: str, given: Array) -> Array:
        centred = given - given.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-12)
        return scaled * self._weights[f"{at}.LayerNorm.weight"] + self._weights[f"{at}.LayerNorm.bias"]


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Texts of like length together, so that little is computed for padding."""
    batch: list[int] = []
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and lengths[row] * (len(batch) + 1) > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


def _softmax(scores: Array) -> Array:
    raised = np.exp(scores - scores.max(-1, keepdims=True))
    return raised / raised.sum(-1, keepdims=True)


def _gelu(given: Array) -> Array:
    """With the error function to 2e-7 (Abramowitz and Stegun, 7.1.26), which numpy has not."""
    size = np.abs(given) * np.float32(0.5**0.5)
    t = 1.0 / (1.0 + np.float32(0.3275911) * size)
    series = np.float32(1.061405429)
    for term in (-1.453152027, 1.421413741, -0.284496736, 0.254829592):
        series = series * t + np.float32(term)
    erf = np.sign(given) * (1.0 - series * t * np.exp(-size * size))
    return 0.5 * given * (1.0 + erf)
