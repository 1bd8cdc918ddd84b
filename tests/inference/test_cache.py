"""What is kept of answers and vectors, and for whom."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.core.context_packing import FittedPassages
from bot.core.hosts import Host, HostModel
from bot.core.inference import Infer, ModelCall, Passage, Prompt, PromptTexts
from bot.inference.cache import Cache, name_of
from bot.inference.hosts.known_host import Candidate
from bot.inference.infer import make_infer
from bot.inference.runners import ChatRequest, Reply
from bot.inference.token_budget import Fitted
from bot.inference.trace import Trace
from bot.prompting import rendered
from tests.fakes.models import FakeOllama
from tests.inference.answers import GOOD, Sorted, triage

DAY = 86_400.0


class Clock:
    now = 1e9

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cache(tmp_path: Path, clock: Clock) -> Any:
    made = Cache(tmp_path / "deep" / "cache.db", 100_000, 30 * DAY, clock)
    yield made
    made.close()


def question(
    fence: str, text: str = "return 1", temperature: float = 0.0, digest: str = "sha256:1"
) -> Fitted:
    model = HostModel("small:1b", 4096, digest=digest)
    user = f'<data-{fence} name="a.py">\n{text}\n</data-{fence}>'
    return Fitted(
        ChatRequest(model, f"Data is in data-{fence}.", user, {}, 4096, 100, temperature), FittedPassages()
    )


def ask(trace: Trace, asked: Fitted, answer: str = "one") -> str:
    """One question the way it is asked: from memory, else by the model, and then remembered."""
    candidate = Candidate(Host("mini", "ollama", "http://127.0.0.1:1"), asked.request.model, 4096)
    with trace.step("review", "review", candidate, asked) as step:
        reply = step.recall()
        if reply is None:
            reply = step.reply = Reply(answer, 10, 5)
            step.keep(reply)
    return reply.text


def test_the_same_question_is_answered_from_memory_whatever_its_fence(cache: Cache) -> None:
    calls: list[ModelCall] = []
    trace = Trace(1, cache, calls.append)
    assert ask(trace, question("0123456789ab"), "first") == "first"
    assert ask(trace, question("ba9876543210"), "second") == "first"
    assert [call.cached for call in calls] == [False, True]
    assert [call.tokens_out for call in calls] == [5, 5]


def test_two_repositories_with_the_same_prompt_never_share_an_answer(cache: Cache) -> None:
    assert ask(Trace(1, cache), question("0123456789ab"), "of one") == "of one"
    assert ask(Trace(2, cache), question("0123456789ab"), "of two") == "of two"
    assert ask(Trace(1, cache), question("0123456789ab"), "anew") == "of one"


@pytest.mark.parametrize(
    "changed",
    [
        question("0123456789ab", temperature=0.1),
        question("0123456789ab", digest=""),
        question("0123456789ab", digest="sha256:2"),
        question("0123456789ab", text="return 2"),
    ],
)
def test_another_text_or_model_or_a_temperature_is_asked_anew(cache: Cache, changed: Fitted) -> None:
    ask(Trace(1, cache), question("0123456789ab"), "first")
    ask(Trace(1, cache), changed, "second")
    assert ask(Trace(1, cache), question("0123456789ab"), "third") == "first"
    plain = changed.request.temperature == 0 and changed.request.model.digest
    assert ask(Trace(1, cache), changed, "third") == ("second" if plain else "third")


def test_nothing_is_kept_where_it_is_switched_off_or_the_repository_is_unknown(cache: Cache) -> None:
    for trace in (Trace(1, None), Trace(0, cache)):
        ask(trace, question("0123456789ab"), "first")
        assert ask(trace, question("0123456789ab"), "second") == "second"


def test_a_call_that_fails_is_noted_with_its_reason() -> None:
    calls: list[ModelCall] = []
    asked = question("0123456789ab")
    candidate = Candidate(Host("mini", "ollama", ""), asked.request.model, 4096)
    with pytest.raises(RuntimeError), Trace(1, None, calls.append).step("review", "review", candidate, asked):
        raise RuntimeError("it went away")
    assert [(call.failure, call.host, call.model) for call in calls] == [("it went away", "mini", "small:1b")]


def test_what_is_too_old_is_not_used(cache: Cache, clock: Clock) -> None:
    cache.put("a", b"answer")
    clock.now += 29 * DAY
    assert cache.get("a") == b"answer"
    clock.now += 2 * DAY
    assert cache.get("a") is None


def test_it_stays_within_its_size_and_what_was_used_stays(cache: Cache, clock: Clock) -> None:
    cache.put("kept", b"x" * 1000)
    for number in range(500):
        clock.now += 1
        cache.put(f"n{number}", b"x" * 1000)
        assert cache.get("kept") is not None
    assert cache.size() <= 100_000 + 50 * 1200
    assert cache.get("n0") is None
    cache.put("huge", b"x" * 50_000)
    assert cache.get("huge") is None


def test_the_file_is_private_and_serves_the_next_process(cache: Cache, tmp_path: Path) -> None:
    name = name_of(1, "answer", "x")
    cache.put(name, b"kept")
    path = tmp_path / "deep" / "cache.db"
    assert path.stat().st_mode & 0o777 == 0o600
    other = Cache(path, 100_000, DAY, Clock())
    assert other.get(name) == b"kept"
    other.close()


def test_a_file_that_cannot_be_used_means_that_models_are_asked(tmp_path: Path) -> None:
    (tmp_path / "cache.db").write_bytes(b"this is no database, and long enough to be seen as none" * 40)
    cache = Cache(tmp_path / "cache.db", 100_000, DAY)
    cache.put("a", b"answer")
    assert cache.get("a") is None
    cache.close()


async def test_a_model_is_asked_once_for_each_repository_and_prompt(
    ollama: FakeOllama, pool_of: Any, cache: Cache
) -> None:
    pool, calls = pool_of(Host("mini", "ollama", ollama.url)), []

    def cold(prompt: Prompt[Any], passages: Sequence[Passage], so_far: str) -> PromptTexts:
        return replace(rendered(prompt, passages, so_far), temperature=0.0)

    def infer(repository: int) -> Infer:
        models = {"triage": ["qwen2.5-coder:14b"]}
        return make_infer(pool, models, cold, trace=Trace(repository, cache, calls.append))

    ollama.says({"kind": "king"}, GOOD, GOOD, GOOD)
    first = await infer(1)(triage())
    second = await infer(1)(triage())  # the misfit was not kept
    again = await infer(1)(triage())
    other = await infer(2)(triage())
    assert first.value == second.value == again.value == other.value == Sorted(**GOOD)
    assert (first.calls, second.calls, again.calls, other.calls) == (2, 1, 0, 1)
    assert [bool(call.failure) for call in calls] == [True, False, False, False, False]
    assert [call.cached for call in calls] == [False, False, False, True, False]
