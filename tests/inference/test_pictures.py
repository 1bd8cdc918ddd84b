"""Pictures on the wire of each kind of host, and who is asked where there are some."""

import json
from base64 import b64decode, b64encode
from typing import Any

import pytest

from bot.core.concurrency import sees
from bot.core.hosts import Host, HostModel
from bot.core.inference import Prompt, PromptFile, Spoken
from bot.core.pictures import Picture
from bot.inference.hosts.pool import Pool
from bot.inference.infer import make_infer
from bot.inference.runners import ChatRequest, Unsupported
from bot.inference.runners.mlx import MlxRunner
from bot.inference.runners.registry import make_runner
from bot.prompting import rendered
from tests.fakes.models import FakeModel, FakeOllama
from tests.inference.kinds import KEY, NAME, WINDOW, WIRED, asking

PICTURE = Picture("image/png", b"\x89PNG pixels", 8, 6)
LOOK = Prompt("look", "triage", Spoken, {"question": "What is it?"}, file=PromptFile("look", "Look."))


def shown(kind: str, message: dict[str, Any]) -> tuple[str, bytes]:
    """(the words, the picture) of a message as that kind's own reference describes it."""
    if kind == "ollama":
        return message["content"], b64decode(message["images"][0])
    parts = {part["type"]: part for part in message["content"]}
    if kind == "openai":
        media, data = parts["image_url"]["image_url"]["url"].split(";base64,")
        assert media == "data:image/png"
        return parts["text"]["text"], b64decode(data)
    assert parts["image"]["source"]["media_type"] == "image/png"
    return parts["text"]["text"], b64decode(parts["image"]["source"]["data"])


@pytest.mark.parametrize("kind", list(WIRED))
async def test_a_picture_goes_with_the_question_and_with_no_other(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_KEY", KEY)
    with WIRED[kind](models={NAME: FakeModel(WINDOW)}) as host:
        runner = make_runner(Host("mini", kind, host.url, api_key_env="TEST_KEY"))
        said = []
        try:
            asked = asking("What is it?", images=(PICTURE,), turns=(("user", "Hi"), ("assistant", "Yes")))
            host._counted = _counts  # type: ignore[method-assign]
            await runner.chat(asked)
            said = host.chats[0]["messages"]
        finally:
            await runner.aclose()
    assert shown(kind, said[-1]) == ("What is it?", PICTURE.data)
    assert json.dumps(said[:-1]).count(b64encode(PICTURE.data).decode()) == 0


async def _counts(stage: Any, model: Any, window: int) -> bool:
    stage.tokens_in = 1
    return True


async def test_a_kind_that_shows_none_says_so() -> None:
    runner = MlxRunner(Host("mini", "mlx", ""))
    with pytest.raises(Unsupported):
        await runner.chat(ChatRequest(HostModel("m", 1), "", "", {}, 1, 1, images=(PICTURE,)))


async def test_only_a_model_that_sees_is_asked_and_another_answers_what_has_no_picture() -> None:
    with FakeOllama(models={"blind:7b": FakeModel(), "seer:7b": FakeModel()}) as host:
        host.says("a kettle")
        for capable, vision, by in (
            ("vision", False, "seer:7b"),
            ("tools", True, "blind:7b"),
            ("tools", False, ""),
        ):
            host.models["seer:7b"] = FakeModel(capabilities=("completion", capable), digest=capable)
            pool = Pool([Host("mini", "ollama", host.url, vision=vision)])
            infer = make_infer(pool, {"triage": ["blind:7b", "seer:7b"]}, rendered)
            looks = Prompt("look", "triage", Spoken, LOOK.inputs, file=LOOK.file, images=(PICTURE,))
            assert await sees(infer, LOOK) == bool(by)
            answer = await infer(looks)
            assert (answer.model, answer.value is not None) == (by, bool(by))
            assert by or "reads pictures" in answer.reason
            assert (await infer(LOOK)).model == "blind:7b"
            await pool.aclose()
