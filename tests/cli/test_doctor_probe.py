"""`hob doctor` times a model of this network, and says what that means for a review."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.responses import JSONResponse

from bot.cli.doctor import probe
from bot.core.host_slots import Served
from tests.cli.conftest import SECRET, Hob
from tests.fakes import acts
from tests.fakes.models import FakeModel, FakeOllama

FREE = {"usd_per_mtok_in": 0, "usd_per_mtok_out": 0}
WORDS = "one two three four five six seven eight nine ten " * 20


def lines(hob: Hob, *more: str) -> dict[str, dict[str, Any]]:
    ended = hob.run("doctor", "--json", *more)
    assert SECRET not in ended.stdout
    return {one["check"]: one for one in json.loads(ended.stdout)["checks"]}


@pytest.fixture
def mini(hob: Hob) -> Iterator[FakeOllama]:
    with FakeOllama() as ollama:
        hob.environ["HOB_HOSTS"] = json.dumps([{"name": "mini", "url": ollama.url}])
        ollama.says(WORDS)
        yield ollama


def test_the_speed_of_a_host_is_told_with_what_a_review_takes(hob: Hob, mini: FakeOllama) -> None:
    line = lines(hob)["host mini speed"]
    assert line["ok"], line
    assert line["detail"].startswith("qwen2.5-coder:14b reads ")
    assert "a usual review takes about" in line["detail"]
    assert "(8,000 tokens read, 1,200 written, as is assumed)" in line["detail"]
    (asked,) = mini.chats
    assert asked["options"]["num_predict"] == probe.WRITES
    lines(hob)
    assert mini.chats[1]["messages"][0] != asked["messages"][0]
    assert len({chat["options"]["num_ctx"] for chat in mini.chats}) == 1, (
        "the window of reviews: nothing is reloaded"
    )


def test_a_host_is_asked_nothing_where_nobody_wants_that(hob: Hob, mini: FakeOllama) -> None:
    assert "host mini speed" not in lines(hob, "--no-probe")
    assert not mini.chats


@pytest.mark.parametrize(
    ("served", "says"),
    [
        (Served(2.0, True, 900, 32, 1.0), "reads 900 tokens/s, writes 31: a usual review takes about 48 s"),
        (
            Served(26.0, True, 600, 41, 6.0, 4.0),
            "reads 300 tokens/s, writes 2: a usual review takes about 10",
        ),
        (Served(0.0, True, 600, 41, 0.0), "takes about a second"),
        (Served(6.0, True, 600, 1, 6.0), "reads 100 tokens/s"),
    ],
)
def test_what_was_measured_is_put_in_words(served: Served, says: str) -> None:
    assert says in probe.told(served)


def reads_little(ollama: FakeOllama) -> None:
    ollama.models = {"qwen2.5-coder:14b": FakeModel(reads=200)}


def small_window(ollama: FakeOllama) -> None:
    loaded = {"model": "qwen2.5-coder:14b", "name": "qwen2.5-coder:14b", "context_length": 4096}
    ollama.broken["/api/ps"] = JSONResponse({"models": [loaded]})


@pytest.mark.parametrize(
    ("happens", "detail", "hint"),
    [
        (reads_little, "read 200 of about 600 tokens, and did not say so", "OLLAMA_CONTEXT_LENGTH"),
        (small_window, "up to 16384 tokens, and is loaded with 4096", "num_ctx = 4096 for host mini"),
        (lambda ollama: ollama.says(acts.hang), "said nothing whole within 1 s", "choose a smaller one"),
        (lambda ollama: ollama.says(acts.hang_midway), "said nothing whole within 1 s", "loading the model"),
        (lambda ollama: ollama.says(acts.error_line), "CUDA error", "the host's own log"),
        (lambda ollama: ollama.says(acts.drop), "qwen2.5-coder:14b: ", "the host's own log"),
        (lambda ollama: ollama.says(acts.garbage), "qwen2.5-coder:14b: ", "the host's own log"),
    ],
    ids=["reads-little", "small-window", "hangs", "hangs-midway", "error", "drops", "garbage"],
)
def test_a_model_that_cannot_serve_a_review_is_a_failing_line_in_time(
    hob: Hob,
    mini: FakeOllama,
    monkeypatch: pytest.MonkeyPatch,
    happens: Callable[[FakeOllama], None],
    detail: str,
    hint: str,
) -> None:
    seconds = 1.0 if "within" in detail else 20.0
    monkeypatch.setattr(probe.examine, "__defaults__", (seconds,))
    happens(mini)
    line = lines(hob)["host mini speed"]
    assert not line["ok"], line
    assert detail in line["detail"]
    assert hint in line["hint"]


def test_one_slow_host_leaves_no_time_and_costs_no_more(
    hob: Hob, mini: FakeOllama, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe.examine, "__defaults__", (1.0,))
    mini.says(acts.hang)
    with FakeOllama() as other:
        hosts = [{"name": "mini", "url": mini.url}, {"name": "other", "url": other.url}]
        hob.environ["HOB_HOSTS"] = json.dumps(hosts)
        found = lines(hob)
        assert not other.chats
    assert found["host other speed"]["ok"]
    assert "not measured" in found["host other speed"]["detail"]


def test_X6_an_online_host_is_never_timed(hob: Hob, mini: FakeOllama) -> None:
    """Neither one that is called online nor a model that an Ollama has elsewhere."""
    mini.models = {"qwen2.5-coder:14b": FakeModel(remote_host="https://ollama.com:443")}
    with FakeOllama() as cloud:
        local = {"name": "mini", "url": mini.url}
        online = {
            "name": "cloud",
            "url": cloud.url,
            "online": True,
            "usd_per_mtok_in": 0,
            "usd_per_mtok_out": 0,
        }
        hob.environ["HOB_HOSTS"] = json.dumps([local, online])
        hob.environ |= {"HOB_PRIVACY__ONLINE": "allowed", "HOB_BUDGET__ONLINE_USD_PER_DAY": "1"}
        hob.run("migrate")
        found = lines(hob)
        assert not mini.chats and not cloud.chats
    assert not [name for name in found if name.endswith("speed")]
    assert found["host cloud"]["ok"], found["host cloud"]
