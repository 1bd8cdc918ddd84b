"""How a model is trained on a repository's past, and what mlx-lm's LoRA says while it does it.

https://github.com/ml-explore/mlx-lm/blob/main/mlx_lm/LORA.md
"""

import hashlib
import json
import math
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from bot.core.adapters import DIGEST_LENGTH

RANK = 8
SCALE = 20.0
"""mlx-lm's own."""
LONGEST_EXAMPLE = 16_384
"""Tokens: as many as a review's prompt and answer have at most."""
REPORTS = 50
"""So often, at most, a training says how far it is; it is validated a fifth as often."""


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """`layers`: of the model's last ones, -1 for all; `max_tokens`: of the longest example."""

    iterations: int = 600
    layers: int = 16
    learning_rate: float = 1e-5
    max_tokens: int = LONGEST_EXAMPLE

    def digest(self, data: str, base: str, revision: str) -> str:
        """Names an adapter: the same for the same data, model and settings."""
        told = json.dumps([data, base, revision, asdict(self), RANK, SCALE])
        return hashlib.sha256(told.encode()).hexdigest()[:DIGEST_LENGTH]

    def config(self, model: str, data: str, adapter: str) -> dict[str, Any]:
        """What `mlx_lm lora --config` reads; the arguments are folders. Only answers are learnt, never what
        they were asked; one example at a time and no activations kept, so that memory is that of the
        model and little more."""
        every = max(1, self.iterations // REPORTS)
        return {
            "model": model,
            "train": True,
            "data": data,
            "adapter_path": adapter,
            "fine_tune_type": "lora",
            "lora_parameters": {"rank": RANK, "scale": SCALE, "dropout": 0.0},
            "num_layers": self.layers,
            "iters": self.iterations,
            "learning_rate": self.learning_rate,
            "batch_size": 1,
            "grad_checkpoint": True,
            "mask_prompt": True,
            "max_seq_length": self.max_tokens,
            "val_batches": -1,
            "steps_per_report": every,
            "steps_per_eval": every * 5,
            "save_every": self.iterations + 1,
            "seed": 0,
        }


@dataclass(frozen=True, slots=True)
class LossReport:
    """One line of its table. `validation`: over examples that are not trained on."""

    iteration: int
    loss: float
    validation: bool = False


_STYLE = re.compile(r"\x1b\[[0-9;]{0,20}[A-Za-z]")
_REPORT = re.compile(
    r" {0,9}([0-9]{1,9}) {1,9}(?:val {1,9}([0-9]{1,9}\.[0-9]{1,9}|nan|inf)"
    r"|([0-9]{1,9}\.[0-9]{1,9}|nan|inf) {0,9}[▲▼])(?: .*)?"
)
_REPORT_BEFORE = re.compile(r"Iter ([0-9]{1,9}): (Val|Train) loss ([0-9]{1,9}\.[0-9]{1,9}|nan|inf),.*")
"""How it was said before its table, and is by other versions of the same interface."""
_LONGEST_LINE = 400


def loss_report(line: str) -> LossReport | None:
    """Of a line that mlx-lm printed; None for any other."""
    if len(line) > _LONGEST_LINE:
        return None
    line = _STYLE.sub("", line).rstrip()
    if before := _REPORT_BEFORE.fullmatch(line):
        return LossReport(int(before[1]), float(before[3]), before[2] == "Val")
    found = _REPORT.fullmatch(line)
    if found is None:
        return None
    iteration, validation, training = found.groups()
    return LossReport(int(iteration), float(validation or training), validation is not None)


@dataclass(frozen=True, slots=True)
class Losses:
    """The first and the last of a training, over what it was validated with or else over what it learnt."""

    first: float
    last: float
    validation: bool

    @property
    def fell(self) -> bool:
        return math.isfinite(self.first) and math.isfinite(self.last) and self.last < self.first

    def __str__(self) -> str:
        over = "validation" if self.validation else "training"
        return f"{over} loss {self.first:.3f} before, {self.last:.3f} after"


def losses_of(reports: Iterable[LossReport]) -> Losses | None:
    """None where there are not two of a kind."""
    every = list(reports)
    for validation in (True, False):
        some = [each.loss for each in every if each.validation == validation]
        if len(some) > 1:
            return Losses(some[0], some[-1], validation)
    return None


def seconds_left(iteration: int, iterations: int, seconds: float) -> float | None:
    """`seconds` since the training began; None while nobody can tell."""
    return seconds / iteration * (iterations - iteration) if 0 < iteration <= iterations else None
