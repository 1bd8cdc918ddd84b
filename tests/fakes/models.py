"""An Ollama on loopback that says what a test wants and misbehaves as real hosts do.

`with FakeOllama() as host:` serves from a thread; `python -m tests.fakes.models --port 11434` serves
until it is interrupted, filling in each request's schema with something that is valid. Tokens are counted
as characters / 3.5. https://docs.ollama.com/api
"""

import argparse
import asyncio
import json
import re
import socket
import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Any, ClassVar, Self
from zlib import crc32

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from bot.testing.github.server import PromptServer

DIMENSIONS = 96
"""Of the vectors that it embeds with."""
PACKET = 4000
"""Bytes."""

Act = Callable[["Stage"], Awaitable[None]]
Answer = str | Mapping[str, Any] | Act
"""What a request is answered with: text, an object as JSON, or an act (`tests.fakes.acts`)."""


@dataclass
class FakeModel:
    """A model. `reads`: it reads at most so many tokens and says nothing about the rest, whatever it is
    asked for."""

    context_length: int = 32_768
    capabilities: tuple[str, ...] = ("completion", "tools")
    remote_host: str = ""
    reads: int | None = None
    chars_per_token: float = 3.5
    digest: str = "sha256:1"


@dataclass(frozen=True)
class Recorded:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    json: dict[str, Any]


class Dropped(Exception):
    """Makes the server close the connection in the middle."""


@dataclass
class FakeOllama:
    """The host. `answer` decides on each chat; without it the request's schema is filled in. Stand-ins of
    other protocols are made of this one (`tests.fakes.openai`, `tests.fakes.anthropic`)."""

    chat_path: ClassVar[str] = "/api/chat"
    models: dict[str, FakeModel] = field(default_factory=lambda: {"qwen2.5-coder:14b": FakeModel()})
    answer: Callable[[dict[str, Any]], Answer] | None = None
    missing: set[str] = field(default_factory=set)
    """Paths that are not there, such as `/api/show` on a sparse host."""
    broken: dict[str, Response] = field(default_factory=dict)
    """Paths that answer something else."""
    token_seconds: float = 0.0
    reads: float = 0.0
    """Tokens a second, as it says how long it read what it had not read before; 0: it does not say."""
    kept: str = ""
    """The prompt that was read last: of the next one the common beginning is not read."""
    requests: list[Recorded] = field(default_factory=list)
    cancelled: int = 0
    """Chats that the other side left before the end."""
    loads: list[tuple[Any, ...]] = field(default_factory=list)
    """(model, num_ctx, num_batch, shift) each time one of them changed: every entry is a model loaded
    anew."""
    at_once: int = 0
    """The most chats at the same time."""
    address: str = "127.0.0.1"
    port: int = 0

    def __post_init__(self) -> None:
        self.left = threading.Event()
        """Set when a chat was left."""
        self.begun = threading.Event()
        """Set when a chat has come in."""
        self.now = 0
        # IPPROTO_TCP: else asyncio leaves out TCP_NODELAY, and an answer in two writes waits 40 ms
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)

    @property
    def url(self) -> str:
        return f"http://{self.address}:{self._socket.getsockname()[1]}"

    @property
    def chats(self) -> list[dict[str, Any]]:
        """The bodies of all chats."""
        return [request.json for request in self.requests if request.path == self.chat_path]

    def says(self, *answers: Answer) -> None:
        """These answers, one a chat; the last for all that follow."""
        rest = list(answers)
        self.answer = lambda _: rest.pop(0) if len(rest) > 1 else rest[0]

    def app(self) -> Starlette:
        return Starlette(routes=[*self.routes(), Route(self.chat_path, _Chat(self), methods=["POST"])])

    def routes(self) -> list[Route]:
        """All but the chat."""
        return [
            Route("/", lambda _: Response("Ollama is running")),
            Route("/api/version", self._version),
            Route("/api/tags", self._tags),
            Route("/api/ps", self._ps),
            Route("/api/show", self._show, methods=["POST"]),
            Route("/api/embed", self._embed, methods=["POST"]),
            Route("/api/pull", _Chat(self, pulled), methods=["POST"]),
        ]

    def stage(self, request: dict[str, Any], send: Send) -> "Stage":
        return Stage(self, request, send)

    def __enter__(self) -> Self:
        self._socket.bind((self.address, self.port))
        self._socket.listen(128)
        config = uvicorn.Config(
            self.app(),
            log_config=None,
            log_level="critical",
            lifespan="off",
            ws="none",
            loop="asyncio",
            timeout_graceful_shutdown=1,
        )
        self._server = PromptServer(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True
        )
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()
        self._thread.join(10)
        self._socket.close()

    async def _version(self, request: Request) -> Response:
        return self._plain(request, {}, {"version": "0.12.0"})

    async def _tags(self, request: Request) -> Response:
        return self._plain(request, {}, {"models": [self._entry(name) for name in self.models]})

    async def _ps(self, request: Request) -> Response:
        loaded = [{**self._entry(name), "context_length": size} for name, size, *_ in self.loads[-1:]]
        return self._plain(request, {}, {"models": loaded})

    async def _show(self, request: Request) -> Response:
        body = json.loads(await request.body())
        model = self.models.get(body["model"])
        if model is None:
            return self._plain(request, body, {"error": f"model '{body['model']}' not found"}, 404)
        told: dict[str, Any] = {
            "details": {"family": "qwen2"},
            "model_info": {"general.architecture": "qwen2", "qwen2.context_length": model.context_length},
            "capabilities": list(model.capabilities),
        }
        if model.remote_host:
            told["remote_host"] = model.remote_host
        return self._plain(request, body, told)

    async def _embed(self, request: Request) -> Response:
        body = json.loads(await request.body())
        model = self.models.get(body["model"])
        if model is None:
            return self._plain(request, body, {"error": f"model '{body['model']}' not found"}, 404)
        longest = max(self.count(text, model) for text in body["input"])
        if longest > model.context_length and body.get("truncate") is False:
            return self._plain(request, body, {"error": "the input length exceeds the context length"}, 400)
        return self._plain(request, body, {"model": body["model"], "embeddings": self.embed(body["input"])})

    def count(self, text: str, model: FakeModel) -> int:
        """Tokens of a text to be embedded."""
        return ceil(len(text) / model.chars_per_token)

    def embed(self, texts: list[str]) -> list[list[float]]:
        return [vector(text) for text in texts]

    def _plain(self, request: Request, body: Any, told: Any, status: int = 200) -> Response:
        self.requests.append(Recorded(request.url.path, dict(request.headers), body))
        if request.url.path in self.missing:
            return Response("404 page not found", 404)
        return self.broken.get(request.url.path) or JSONResponse(told, status)

    def _entry(self, name: str) -> dict[str, Any]:
        model = self.models[name]
        entry: dict[str, Any] = {"name": name, "model": name, "digest": model.digest, "size": 9_000_000_000}
        return {**entry, "remote_host": model.remote_host} if model.remote_host else entry

    async def play(self, stage: "Stage") -> None:
        """Answers one chat."""
        name = stage.request["model"]
        model = self.models.get(name)
        if model is None or model.remote_host:
            await stage.refuse(404, f"model '{name}' not found")
            return
        if stage.request.get("think") and "thinking" not in model.capabilities:
            await stage.refuse(400, f'"{name}" does not support thinking')
            return
        if stage.request.get("tools") and "tools" not in model.capabilities:
            await stage.refuse(400, f"registry.ollama.ai/library/{name} does not support tools")
            return
        options = stage.request.get("options", {})
        load = (name, options.get("num_ctx"), options.get("num_batch"), stage.request.get("shift"))
        if self.loads[-1:] != [load]:
            self.loads.append(load)
        if not await self._counted(stage, model, options.get("num_ctx") or 4096):
            return
        request = asked_for(stage.request)
        answer = self.answer(request) if self.answer else valid(request.get("format") or {})
        await (answer(stage) if callable(answer) else stage.say(answer))

    async def _counted(self, stage: "Stage", model: FakeModel, window: int) -> bool:
        """Counts the prompt; False when it was refused for its length."""
        chars = sum(len(message["content"]) for message in stage.request["messages"])
        chars += len(json.dumps(stage.request.get("tools", "")))
        stage.tokens_in = ceil(chars / model.chars_per_token)
        if self.reads:
            text = "".join(message["content"] for message in stage.request["messages"])
            pairs = enumerate(zip(text, self.kept, strict=False))
            same = next((at for at, (new, old) in pairs if new != old), min(len(text), len(self.kept)))
            fresh = len(text) - same
            self.kept, stage.tokens_fresh = text, ceil(fresh / model.chars_per_token)
        if model.reads is not None:
            stage.tokens_in = min(stage.tokens_in, model.reads)
        elif stage.tokens_in > min(window, model.context_length):
            if stage.request.get("truncate") is False:
                read = min(window, model.context_length)
                said = (
                    f"request ({stage.tokens_in} tokens) exceeds the available context size ({read} tokens)"
                )
                await stage.refuse(400, said)
                return False
            stage.tokens_in = window // 2
        return True


@dataclass
class _Chat:
    """A chat, or another answer in pieces: plays one act; ends early when the other side goes away."""

    host: FakeOllama
    act: Act | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        host = self.host
        request = Request(scope, receive)
        body = json.loads(await request.body())
        host.requests.append(Recorded(request.url.path, dict(request.headers), body))
        play = self.act or host.play
        playing = asyncio.ensure_future(play(host.stage(body, send)))
        leaving = asyncio.ensure_future(_gone(receive))
        host.now += 1
        host.at_once = max(host.at_once, host.now)
        host.begun.set()
        try:
            await asyncio.wait({playing, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if playing.done():
                playing.result()
            else:
                host.cancelled += 1
                host.left.set()
        finally:
            host.now -= 1
            playing.cancel()
            leaving.cancel()


@dataclass
class Stage:
    """One chat under way, for acts."""

    host: FakeOllama
    request: dict[str, Any]
    send: Send
    tokens_in: int = 0
    tokens_fresh: int = 0
    started: bool = False
    held: bytearray | None = None
    """What is sent in packets of `PACKET` bytes; None: each piece at once."""

    async def start(self, status: int = 200, **headers: str) -> None:
        self.started = True
        pairs = {"content_type": "application/x-ndjson", **headers}
        named = [(name.replace("_", "-").encode(), value.encode()) for name, value in pairs.items()]
        await self.send({"type": "http.response.start", "status": status, "headers": named})

    async def raw(self, data: bytes) -> None:
        if not self.started:
            await self.start()
        if self.held is not None:
            self.held += data
            if len(self.held) < PACKET:
                return
            data, self.held = bytes(self.held), bytearray()
        await self.send({"type": "http.response.body", "body": data, "more_body": True})

    async def line(self, **fields: Any) -> None:
        await self.raw(json.dumps({"model": self.request["model"], **fields}).encode() + b"\n")

    async def pause(self) -> None:
        """As long as a token takes."""
        if self.host.token_seconds:
            await asyncio.sleep(self.host.token_seconds)

    async def token(self, text: str, **fields: Any) -> None:
        await self.pause()
        await self.line(message={"role": "assistant", "content": text, **fields}, done=False)

    async def fail(self, error: str) -> None:
        """An error in the middle of a stream."""
        await self.line(error=error)

    async def end(self) -> None:
        await self.send({"type": "http.response.body", "body": bytes(self.held or b"")})

    async def refuse(self, status: int, error: str) -> None:
        await self.start(status)
        await self.raw(json.dumps({"error": error}).encode())
        await self.end()

    async def say(self, answer: str | Mapping[str, Any], thinking: str = "") -> None:
        """The answer in tokens of four characters, as many as were asked for, and the counts. Tokens that
        take no time leave together, as they do from a fast host."""
        self.held = None if self.host.token_seconds else bytearray()
        text = answer if isinstance(answer, str) else json.dumps(answer)
        pieces = [text[at : at + 4] for at in range(0, len(text), 4)]
        most = self.request.get("options", {}).get("num_predict") or len(pieces)
        for piece in [thinking[at : at + 4] for at in range(0, len(thinking), 4)]:
            await self.token("", thinking=piece)
        for piece in pieces[:most]:
            await self.token(piece)
        await self.done(min(len(pieces), most), whole=len(pieces) <= most)

    async def calls(self, *calls: tuple[str, Any]) -> None:
        """Calls of tools instead of an answer: (name, arguments)."""
        for name, arguments in calls:
            function = {"index": 0, "name": name, "arguments": arguments}
            await self.token("", tool_calls=[{"id": "call_1", "function": function}])
        await self.done(len(calls))

    async def done(self, tokens_out: int, *, whole: bool = True) -> None:
        await self.line(
            message={"role": "assistant", "content": ""},
            done=True,
            done_reason="stop" if whole else "length",
            load_duration=1_500_000_000,
            prompt_eval_count=self.tokens_in,
            prompt_eval_duration=round(self.tokens_fresh / self.host.reads * 1e9) if self.host.reads else 0,
            eval_count=tokens_out,
        )
        await self.end()


async def pulled(stage: Stage) -> None:
    """A download in two steps; an unknown name is an error inside a 200, as Ollama has it."""
    if stage.request["model"].startswith("nosuch"):
        await stage.line(error="pull model manifest: file does not exist")
    else:
        await stage.line(status="pulling manifest")
        await stage.line(status="pulling 8eeb52dfb3bb", total=4_000, completed=1_000)
        await stage.line(status="pulling 8eeb52dfb3bb", total=4_000, completed=4_000)
        await stage.line(status="success")
    await stage.end()


def vector(text: str) -> list[float]:
    """A bag of words, hashed into `DIMENSIONS` numbers: texts that share words are near each other. Of any
    length, as some models give them."""
    numbers = [0.0] * DIMENSIONS
    numbers[0] = 0.25  # no text has no direction
    for word in re.findall(r"[a-z]+|\d+", text.lower()):
        hashed = crc32(word.encode())
        numbers[hashed % DIMENSIONS] += 1.0 if hashed & 1 << 20 else -1.0
    return numbers


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def asked_for(request: dict[str, Any]) -> dict[str, Any]:
    """The request with the answer's schema as `format`, also where the answer is one of its tools."""
    told = [each["function"] for each in request.get("tools", ()) if each["function"]["name"] == "answer"]
    return {**request, "format": told[0]["parameters"]} if told else request


def valid(schema: Mapping[str, Any]) -> Any:
    """The dullest value that a flat schema allows."""
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        return None if {"type": "null"} in schema["anyOf"] else valid(schema["anyOf"][0])
    match schema.get("type", "object"):
        case "object":
            return {name: valid(item) for name, item in schema.get("properties", {}).items()}
        case "string":
            return ""
        case "array":
            return []
        case "boolean":
            return False
        case "null":
            return None
        case _:
            return schema.get("minimum", 0)


def main() -> None:
    """Serves until interrupted, with the models that Hob is set up for by default."""
    parser = argparse.ArgumentParser(description="A fake Ollama.")
    parser.add_argument("--port", type=int, default=0, help="0: any free port")
    parser.add_argument("--token-seconds", type=float, default=0.0, help="how long a token takes")
    given = parser.parse_args()
    names = ("qwen2.5-coder:14b", "qwen2.5:7b")
    host = FakeOllama(models={name: FakeModel() for name in names}, token_seconds=given.token_seconds)
    listening = socket.create_server(("127.0.0.1", given.port))
    print(f"http://127.0.0.1:{listening.getsockname()[1]}", flush=True)
    uvicorn.Server(uvicorn.Config(host.app(), log_level="critical", lifespan="off", ws="none")).run(
        [listening]
    )


if __name__ == "__main__":
    main()
