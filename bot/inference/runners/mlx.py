"""Models in a process of this machine's own, by mlx-lm: no server to install. https://github.com/ml-explore/mlx-lm

The model runs in a child process (`mlx_worker`): the event loop never waits for it, all its memory comes
back when it is unloaded, and a crash in it is a broken answer and no more. One model is in memory at a time.
Models are those of the Hugging Face cache (`hf download mlx-community/…`); none is downloaded for a
question. One with an adapter (`bot.core.adapters`) is a model of its own.
"""

import asyncio
import contextlib
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bot.core.adapters import Adapter
from bot.core.hosts import Host, HostModel
from bot.inference.runners import (
    Broken,
    ChatRequest,
    Heard,
    HostDown,
    ModelMissing,
    PromptTooLong,
    Reply,
    RunnerError,
    Unsupported,
    chat_turns,
    without_images,
    without_tools,
)
from bot.inference.runners.streams import Speech, count_of, dict_of, json_object, patience, text_of

UNKNOWN_CONTEXT = 4096
_WORKER = (sys.executable, "-P", "-m", "bot.inference.runners.mlx_worker")
_STOP_SECONDS = 5.0
"""So long a chat that nobody wants any more may take to end; then its process is killed."""
_LINE_BYTES = 1024 * 1024
_PASSED = ("PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "PYTHONPATH", "VIRTUAL_ENV")
_ERRORS: dict[str, type[RunnerError]] = {error.__name__: error for error in (Broken, HostDown, ModelMissing)}


class MlxRunner:
    """The models of this machine. Idle deadlines as with the other kinds; loading counts as waiting for the
    first token."""

    def __init__(
        self,
        host: Host,
        *,
        first_seconds: float = 600.0,
        between_seconds: float = 60.0,
        max_bytes: int = 8 * 1024 * 1024,
    ) -> None:
        self.host = host
        self._idle = (first_seconds, between_seconds)
        self._max_bytes = max_bytes
        self._turn = asyncio.Lock()
        self._process: Process | None = None
        self._loaded = ""

    async def models(self) -> tuple[HostModel, ...]:
        """What the cache holds; `HostDown` where mlx-lm is not installed."""
        if find_spec("mlx_lm") is None:
            raise HostDown("MLX is not installed here: type `make .venv/.mlx` in Hob's folder")
        found = await asyncio.to_thread(lambda: list(cached()))
        plain = [HostModel(name, _window(folder), calls_tools=False) for name, folder in found]
        folders = dict(found)
        tuned = [
            HostModel(one.name, _window(folder), calls_tools=False, repo_id=one.repo_id)
            for one in self.host.adapters
            if (folder := fitting(one, folders)) is not None
        ]
        return (*plain, *tuned)

    async def chat(self, request: ChatRequest, heard: Heard | None = None) -> Reply:
        """One answer; `RunnerError`. Questions wait for one another."""
        without_tools(request)
        without_images(request)
        name = request.model.name
        adapter = next((one for one in self.host.adapters if one.name == name), None)
        folders = await asyncio.to_thread(lambda: dict(cached()))
        folder = fitting(adapter, folders) if adapter else folders.get(name)
        if folder is None:
            raise ModelMissing(f"it does not have the model ({name})")
        async with self._turn:
            process = await self._started()
            try:
                async with patience(*self.host.patience(request.model.name, self._idle)) as waiter:
                    held = {"folder": str(folder), "adapter": adapter.place if adapter else ""}
                    _send(process, {"do": "chat", **held, **_fields(request)})
                    return await self._listen(process, name, Speech(waiter, heard))
            except _Told as told:
                raise told.error from None
            except BaseException:  # cancelled, too slow, without end: the worker still speaks
                await asyncio.shield(self._stop(process))
                raise

    async def embed(self, model: str, texts: Sequence[str]) -> list[list[float]]:
        raise Unsupported("mlx-lm has no embeddings")

    async def loaded(self) -> tuple[str, ...]:
        return (self._loaded,) if self._loaded else ()

    async def aclose(self) -> None:
        await self._kill()

    async def _listen(self, process: Process, name: str, speech: Speech) -> Reply:
        """The whole answer; `_Told` where the worker ended the chat itself, another error where not."""
        left, load_seconds = self._max_bytes, 0.0
        while True:
            told = await _line(process)
            if "loaded" in told:
                self._loaded, load_seconds = name, float(told["seconds"])
            elif "done" in told:
                done = dict_of(told, "done")
                counts = {key: count_of(done, key) for key in ("tokens_in", "tokens_out", "tokens_cached")}
                return speech.reply(
                    **counts,
                    finish="stop" if done.get("complete") is True else "length",
                    load_seconds=load_seconds,
                )
            elif "error" in told:
                raise _Told(_error(told))
            else:
                speech.says(word := text_of(told, "word"))
                left -= len(word)
                if left < 0:
                    raise Broken("its answer does not end")

    async def _started(self) -> Process:
        """The worker, begun anew where there is none. It inherits no key."""
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(
                *_WORKER, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env=environment(), limit=_LINE_BYTES
            )
        return self._process

    async def _stop(self, process: Process) -> None:
        """Ends a chat that nobody waits for; the model stays loaded where the worker obeys."""
        try:
            _send(process, {"do": "stop"})
            async with asyncio.timeout(_STOP_SECONDS):
                while not {"done", "error"} & set(await _line(process)):
                    pass
        except (RunnerError, TimeoutError):
            await self._kill()

    async def _kill(self) -> None:
        process, self._process, self._loaded = self._process, None, ""
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        transport = getattr(process, "_transport", None)
        if transport is not None:  # closed here, not by the collector after the loop is gone
            transport.close()


class _Told(Exception):
    """The worker ended the chat with this error."""

    def __init__(self, error: RunnerError) -> None:
        super().__init__(str(error))
        self.error = error


def environment() -> dict[str, str]:
    """Of a process in which mlx-lm runs: no key of ours, and nothing is fetched. What is not in the cache is
    not there."""
    passed = {
        key: value for key, value in os.environ.items() if key in _PASSED or key.startswith(("HF_", "MLX_"))
    }
    passed.pop("HF_TOKEN", None)
    return {**passed, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}


def fitting(adapter: Adapter, folders: Mapping[str, Path]) -> Path | None:
    """The folder of an adapter's base model; None where one of the two is not there, or the model is another
    by now."""
    folder = folders.get(adapter.base)
    fits = folder is not None and folder.name == adapter.revision and Path(adapter.place).is_dir()
    return folder if fits else None


def cached() -> Iterator[tuple[str, Path]]:
    """(name, folder) of each model of the Hugging Face cache that mlx-lm could load.
    https://huggingface.co/docs/huggingface_hub/guides/manage-cache"""
    for place in sorted(_hub().glob("models--*")):
        with contextlib.suppress(OSError):
            revision = (place / "refs" / "main").read_text(encoding="ascii").strip()
            folder = place / "snapshots" / revision
            if (folder / "config.json").is_file() and any(folder.glob("*.safetensors")):
                yield place.name.removeprefix("models--").replace("--", "/"), folder


def _hub() -> Path:
    home = os.environ.get("HF_HOME") or Path.home() / ".cache" / "huggingface"
    return Path(os.environ.get("HF_HUB_CACHE") or Path(home) / "hub").expanduser()


def _window(folder: Path) -> int:
    """The context length in tokens that a model's configuration names."""
    try:
        told = json.loads((folder / "config.json").read_bytes())
    except (OSError, ValueError, RecursionError):
        return UNKNOWN_CONTEXT
    name = "max_position_embeddings"
    return count_of(told, name) or count_of(dict_of(told, "text_config"), name) or UNKNOWN_CONTEXT


def _fields(request: ChatRequest) -> dict[str, Any]:
    return {
        "system": _clean(request.system),
        "turns": [{**turn, "content": _clean(turn["content"])} for turn in chat_turns(request)],
        "schema": request.schema,
        "num_ctx": request.num_ctx,
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
    }


def _clean(text: str) -> str:
    """Without lone surrogates, which no tokenizer takes."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _send(process: Process, message: dict[str, Any]) -> None:
    assert process.stdin is not None  # noqa: S101  it was begun with a pipe
    process.stdin.write(json.dumps(message).encode("ascii") + b"\n")


async def _line(process: Process) -> dict[str, Any]:
    assert process.stdout is not None  # noqa: S101  it was begun with a pipe
    try:
        line = await process.stdout.readline()
    except ValueError:
        raise Broken("the model's process said too much at once") from None
    if not line.endswith(b"\n"):
        raise Broken("the model's process ended in the middle")
    return json_object(line, "the model's process's own")


def _error(told: dict[str, Any]) -> RunnerError:
    message = text_of(told, "message")
    if told.get("error") == "TooLong":
        return PromptTooLong(message, count_of(told, "sent") or None, count_of(told, "limit") or None)
    return _ERRORS.get(text_of(told, "error"), Broken)(message)
