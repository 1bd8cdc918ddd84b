"""Trains an adapter by the real `mlx_lm lora`, in a process that ends with this one."""

import asyncio
import json
import math
import os
import sys
import time
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from bot.core.errors import UserError
from bot.core.text import cut, for_terminal
from bot.core.training import (
    Losses,
    LossReport,
    TrainingSettings,
    loss_report,
    losses_of,
    seconds_left,
)
from bot.inference.runners.mlx import environment
from bot.paths import make_private, put_private

_CHILD = (sys.executable, "-P", "-m", "bot.inference.runners.mlx_lora")
_LINE_BYTES = 4096
"""Of a line; what is longer tells nothing."""
_TOO_MUCH = "it may have taken more memory than there is: try fewer --layers, or a smaller model"


async def train(
    model: Path, data: Path, work: Path, settings: TrainingSettings, told: Callable[[str], None], lock: int
) -> Losses:
    """Into the folder `work`. `told` hears how far it is; the child holds `lock`, a descriptor, for as long
    as it lives. UserError where it fails or says no loss."""
    config = work / "training.json"
    put_private(config, json.dumps(settings.config(str(model), str(data), str(work))))
    reports: list[LossReport] = []
    last = ""
    begun = time.monotonic()
    async with _started(config, lock) as child:
        assert child.stdout is not None  # noqa: S101  it was begun with a pipe
        async for line in _lines(child.stdout):
            report = loss_report(line)
            if report is None:
                last = line if line.strip() else last
                continue
            if not math.isfinite(report.loss):
                raise UserError(
                    f"the loss is no number any more at iteration {report.iteration}",
                    f"try a smaller --learning-rate, or examples of under {settings.max_tokens:,} tokens",
                )
            reports.append(report)
            told(_progress(reports, settings, time.monotonic() - begun))
        code = await child.wait()
    if code:
        said = cut(" ".join(for_terminal(last).split()), 300, end="…")
        killed = code < 0
        what = f"was killed (signal {-code})" if killed else f"ended with {code}: {said}"
        raise UserError(f"mlx_lm lora {what}", _TOO_MUCH if killed else "mend that, and run it again")
    losses = losses_of(reports)
    if losses is None:
        raise UserError("mlx_lm lora said no loss", "run it with more --iters")
    return losses


def _progress(reports: list[LossReport], settings: TrainingSettings, seconds: float) -> str:
    now = reports[-1].iteration
    shown = [f"iteration {now} of {settings.iterations}"]
    for validation, name in ((False, "loss"), (True, "validation loss")):
        if some := [each.loss for each in reports if each.validation == validation]:
            shown.append(f"{name} {some[-1]:.3f}")
    left = seconds_left(now, settings.iterations, seconds)
    if left is not None and now < settings.iterations:
        shown.append(f"about {left / 60:.0f} minutes left" if left > 90 else f"about {left:.0f} s left")
    return ", ".join(shown)


@asynccontextmanager
async def _started(config: Path, lock: int) -> AsyncIterator[Process]:
    """Ended where the body is left before it has."""
    given = {"COLUMNS": "120", "NO_COLOR": "1", "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"}
    child = await asyncio.create_subprocess_exec(
        *_CHILD,
        str(config),
        stdin=PIPE,
        stdout=PIPE,
        stderr=STDOUT,
        env={**environment(), **given},
        cwd=config.parent,
        pass_fds=(lock,),
        umask=0o077,
    )
    try:
        yield child
    finally:
        if child.returncode is None:
            with suppress(ProcessLookupError):
                child.kill()
            await child.wait()


async def _lines(stream: asyncio.StreamReader) -> AsyncIterator[str]:
    """Lines as they come, of each its beginning."""
    line = b""
    while piece := await stream.read(_LINE_BYTES):
        *whole, rest = (line + piece).split(b"\n")
        for each in whole:
            yield each[:_LINE_BYTES].decode("utf-8", "replace")
        line = rest[:_LINE_BYTES]


def private_folder(path: Path) -> Path:
    """Made anew and empty; its owner's only."""
    make_private(path.parent)
    path.mkdir(mode=0o700)
    os.chmod(path, 0o700)  # noqa: PTH101
    return path
