"""What the real mlx_lm.server said, recorded: these run where MLX cannot.

`HOB_RECORD=1 make test ARGS=tests/inference/test_cassettes.py` records them anew against the real server, on
models that the test makes.
"""

import json
import os
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import vcr
import yaml

from bot.core.hosts import Host, HostModel
from bot.inference.runners import ChatRequest, ModelMissing, Unsupported
from bot.inference.runners.openai import UNKNOWN_CONTEXT, OpenAIRunner
from tests.inference.answers import GOOD

FOLDER = Path(__file__).parents[1] / "cassettes" / "mlx_lm_server"
RECORDING = os.environ.get("HOB_RECORD") == "1"
ADDRESS = "http://mini.test:8080"
KEY = "a-key-that-no-recording-may-hold"
MODELS = {
    "tests/good": {"script": json.dumps(GOOD)},
    "tests/garbage": {"script": "I cannot help with that."},
}
SCHEMA = {"type": "object", "properties": {"kind": {"type": "string"}}, "required": ["kind"]}
NAMES = ("models", "answer", "length", "missing", "embeddings", "schema_in_words")
KEPT = {"content-type"}
SCRUBBED = {
    rb'"system_fingerprint": "[^"]*"': b'"system_fingerprint": "fp"',
    rb'"created": \d+': b'"created": 1',
    rb'"id": "chatcmpl-[^"]*"': b'"id": "chatcmpl-1"',
}

pytestmark = pytest.mark.xdist_group("cassettes")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the runner goes: the real server while recording."""
    if not RECORDING:
        yield ADDRESS
        return
    from tests.fakes.tiny import cached
    from tests.inference.serving import mlx_server

    home = tmp_path_factory.mktemp("cache")
    for name, options in MODELS.items():
        cached(home, name, **options)  # type: ignore[arg-type]
    with mlx_server(home) as served:
        yield served.url


@asynccontextmanager
async def played(name: str, address: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[OpenAIRunner]:
    """A runner whose host is the recording; every exchange of it must be used."""
    monkeypatch.setenv("TEST_KEY", KEY)
    recorder = vcr.VCR(
        cassette_library_dir=str(FOLDER),
        record_mode="all" if RECORDING else "none",
        match_on=["method", "path", "body"],
        decode_compressed_response=True,
        before_record_request=_scrubbed_request,
        before_record_response=_scrubbed_response,
    )
    with recorder.use_cassette(f"{name}.yaml") as cassette:
        runner = OpenAIRunner(Host("mini", "openai", address, api_key_env="TEST_KEY"))
        try:
            yield runner
        finally:
            await runner.aclose()
        assert RECORDING or cassette.all_played


def _scrubbed_request(request: Any) -> Any:
    request.uri = f"{ADDRESS}{urlsplit(request.uri).path}"
    request.headers = {}
    return request


def _scrubbed_response(response: dict[str, Any]) -> dict[str, Any]:
    """Without what tells of a machine or a day."""
    response["headers"] = {name: value for name, value in response["headers"].items() if name.lower() in KEPT}
    body = response["body"]["string"]
    for pattern, plain in SCRUBBED.items():
        body = re.sub(pattern, plain, body)
    response["body"]["string"] = body
    return response


def asking(model: str, max_tokens: int = 300) -> ChatRequest:
    return ChatRequest(HostModel(model, 8192), "Be kind.", "Hello", SCHEMA, 8192, max_tokens, 0.0)


async def test_models(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with played("models", address, monkeypatch) as runner:
        assert {model.name: model.context_length for model in await runner.models()} == dict.fromkeys(
            MODELS, UNKNOWN_CONTEXT
        )


async def test_answer(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str] = []
    async with played("answer", address, monkeypatch) as runner:
        reply = await runner.chat(asking("tests/good"), heard.append)
    assert json.loads(reply.text) == GOOD
    assert len(heard) > 10
    assert (reply.complete, reply.tokens_in) == (True, len("Be kind.Hello") + 3)


async def test_length(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with played("length", address, monkeypatch) as runner:
        reply = await runner.chat(asking("tests/good", max_tokens=7))
    assert (reply.complete, reply.tokens_out) == (False, 7)


async def test_missing(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with played("missing", address, monkeypatch) as runner:
        with pytest.raises(ModelMissing):
            await runner.chat(asking("tests/nosuch"))


async def test_embeddings(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with played("embeddings", address, monkeypatch) as runner:
        with pytest.raises(Unsupported):
            await runner.embed("tests/good", ["a"])


async def test_schema_in_words(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with played("schema_in_words", address, monkeypatch) as runner:
        first = await runner.chat(asking("tests/garbage"))
        second = await runner.chat(asking("tests/garbage"))
    assert first.text == second.text == "I cannot help with that."
    assert (second.tokens_in or 0) > (first.tokens_in or 0)


def test_no_recording_is_unused_or_missing() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == set(NAMES)
    assert {f"test_{name}" for name in NAMES} <= set(globals())


@pytest.mark.parametrize("name", NAMES)
def test_a_recording_tells_nothing_of_keys_people_or_machines(name: str) -> None:
    text = (FOLDER / f"{name}.yaml").read_text()
    for told in (KEY, "uthorization", "Bearer", "127.0.0.1", "/home/", "/root", "/tmp", "Linux", "Darwin"):
        assert told not in text
    for exchange in yaml.safe_load(text)["interactions"]:
        assert exchange["request"]["uri"].startswith(ADDRESS)
        assert exchange["request"]["headers"] == {}
        assert {header.lower() for header in exchange["response"]["headers"]} <= KEPT
