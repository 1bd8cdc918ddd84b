"""Which host is asked: roles, preference, order, health; and never one that is not local."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from bot.core.hosts import Host, HostModel
from bot.core.privacy import Budget, Online
from bot.inference.egress import EgressGuard
from bot.inference.hosts.pool import Pool
from bot.inference.runners import HostDown, ModelMissing
from bot.inference.runners.scripted import ScriptedRunner
from tests.fakes.models import FakeModel, FakeOllama

MINI, MAX = Host("mini", "scripted", ""), Host("max", "scripted", "")
Models = dict[str, tuple[HostModel, ...]]


class Clock:
    now = 0.0


class Sleepy(ScriptedRunner):
    """A host that can be down, and counts how often it was asked what it has."""

    down = False
    asked = 0

    async def models(self) -> tuple[HostModel, ...]:
        self.asked += 1
        if self.down:
            raise HostDown("connection refused")
        return await super().models()


def pool(
    models: Models, *hosts: Host, clock: Callable[[], float] = lambda: 0.0
) -> tuple[Pool, dict[str, Sleepy]]:
    runners = {host.name: Sleepy(host, models=models.get(host.name)) for host in hosts}
    return Pool(hosts, runner=lambda host: runners[host.name], clock=clock), runners


async def found(pool: Pool, *wanted: str) -> list[tuple[str, str]]:
    return [
        (candidate.host.name, candidate.model.name)
        for candidate in (await pool.candidates("review", wanted)).candidates
    ]


BOTH: Models = {
    "mini": (HostModel("small:7b", 8_192), HostModel("big:14b", 131_072)),
    "max": (HostModel("big:14b", 131_072), HostModel("plain:latest", 4_096)),
}


CLOUD = Host("cloud", "scripted", "", online=True)
ASKED = ("big:14b", "small:7b")
HERE = [("max", "big:14b"), ("mini", "small:7b")]
THERE = [("cloud", "big:14b"), ("cloud", "small:7b")]


async def _budget() -> Budget:
    return Budget(usd_per_day=1.0)


async def _never() -> Online:
    return "never"


OPEN = EgressGuard("allowed", spent=_budget)


@pytest.mark.parametrize(
    ("guard", "expected"),
    [
        (OPEN, [*HERE, *THERE]),
        (replace(OPEN, prefer_online=True), [*THERE, *HERE]),
        # Privacy and the budget decide; a preference opens nothing.
        (EgressGuard(prefer_online=True), HERE),
        (EgressGuard("public", spent=_budget, prefer_online=True), HERE),
        (replace(OPEN, setting=_never, prefer_online=True), HERE),
        (EgressGuard("allowed", prefer_online=True), HERE),
    ],
)
async def test_local_or_online_first_as_preferred_and_only_where_both_may_be(
    guard: EgressGuard, expected: list[tuple[str, str]]
) -> None:
    both = (HostModel("small:7b", 8_192), HostModel("big:14b", 131_072))
    has: Models = {"mini": both[:1], "max": both[1:], "cloud": both}
    hosts, runners = pool(has, MINI, CLOUD, MAX)
    candidates = (await hosts.candidates("review", ASKED, guard)).candidates
    assert [(candidate.host.name, candidate.model.name) for candidate in candidates] == expected
    assert [candidate.tier for candidate in candidates] == sorted(
        {candidate.tier for candidate in candidates}
    )  # one after the other
    assert runners["cloud"].asked == (expected != HERE)
    async with hosts.place(candidates, 1, guard=guard) as place:
        assert place.candidate.host.name == expected[0][0]
    await hosts.aclose()


async def test_models_by_preference_and_hosts_in_their_order() -> None:
    hosts, _ = pool(BOTH, MINI, MAX)
    assert await found(hosts, "big:14b", "small:7b") == [
        ("mini", "big:14b"),
        ("max", "big:14b"),
        ("mini", "small:7b"),
    ]
    assert await found(hosts, "none:1b") == []


@pytest.mark.parametrize(
    ("name", "hit"),
    [
        ("plain", True),
        ("plain:latest", True),
        ("plain:7b", False),
        ("big", False),
        ("big:14b@max", True),
        ("big:14b@gone", False),
    ],
)
async def test_a_name_without_a_tag_is_the_latest_and_may_name_its_host(name: str, hit: bool) -> None:
    hosts, _ = pool(BOTH, MAX)
    assert bool(await found(hosts, name)) is hit


async def test_the_window_is_the_models_or_the_cap_and_always_the_same() -> None:
    hosts, _ = pool(BOTH, MINI, MAX)
    candidates = (await hosts.candidates("review", ["big:14b", "small:7b", "plain"])).candidates
    assert [candidate.num_ctx for candidate in candidates] == [16_384, 16_384, 8_192, 4_096]


async def test_a_host_with_a_specialty_serves_no_other_role() -> None:
    hosts, _ = pool(BOTH, Host("mini", "scripted", "", roles=("embed",)), MAX)
    assert await found(hosts, "big:14b") == [("max", "big:14b")]


async def test_X6_what_is_not_local_is_never_asked() -> None:
    models: Models = {
        "max": (HostModel("big:14b", 8_192, remote=True), HostModel("big:cloud", 8_192, remote=True))
    }
    hosts, _ = pool({**BOTH, **models}, Host("mini", "scripted", "", online=True), MAX)
    assert await found(hosts, "big:14b", "big:cloud", "small:7b") == []
    assert "max: it has no local model big:14b" in (await hosts.candidates("review", ["big:14b"])).reason


async def test_what_a_host_has_is_asked_again_after_a_while() -> None:
    clock = Clock()
    hosts, runners = pool(BOTH, MINI, clock=lambda: clock.now)
    for clock.now in (0.0, 29.0, 31.0, 60.0):
        await asyncio.gather(found(hosts, "big:14b"), found(hosts, "big:14b"))
    assert runners["mini"].asked == 2


async def test_a_host_that_is_down_is_left_alone_for_a_moment_and_then_used_again() -> None:
    clock = Clock()
    hosts, runners = pool(BOTH, MINI, MAX, clock=lambda: clock.now)
    runners["mini"].down = True
    assert await found(hosts, "big:14b") == [("max", "big:14b")]
    runners["mini"].down = False
    for clock.now, candidates in ((4.0, 1), (6.0, 2)):
        assert len(await found(hosts, "big:14b")) == candidates
    hosts.failed(MAX, HostDown("it fell over"))
    assert await found(hosts, "big:14b") == [("mini", "big:14b")]
    assert [state.error for state in await hosts.states()] == ["", "it fell over"]


async def test_a_host_that_lost_a_model_is_asked_at_once() -> None:
    hosts, runners = pool(BOTH, MINI)
    await found(hosts, "big:14b")
    hosts.failed(MINI, ModelMissing("gone"))
    await found(hosts, "big:14b")
    assert runners["mini"].asked == 2


async def test_the_reason_names_every_host_and_no_address() -> None:
    hosts, runners = pool(
        BOTH, Host("mini", "scripted", "http://me:secret@127.0.0.1:11434"), Host("max", "scripted", "")
    )
    runners["mini"].down = True
    assert (await hosts.candidates("review", ["x:1b", "y:1b"])).reason == (
        "no model host can be used: mini: connection refused; max: it has no local model x:1b or y:1b"
    )
    runners["max"].down = True
    hosts.failed(runners["max"].host, HostDown("connection refused"))
    assert (await hosts.candidates("review", ["x:1b"])).reason == (
        "no model host answered: mini: connection refused; max: connection refused"
    )


async def test_nothing_configured_is_said() -> None:
    assert (
        await Pool([]).candidates("review", ["x"])
    ).reason == "no local model host is configured for review"
    hosts, _ = pool(BOTH, MINI)
    assert (await hosts.candidates("review", [])).reason == "no model is configured for review"


@pytest.mark.parametrize("silent", ["models", "loaded"])
async def test_a_host_that_never_says_what_it_has_is_down_and_others_are_not(
    silent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.inference.hosts.known_host.ASK_SECONDS", 0.3)
    hosts, runners = pool(BOTH, MINI, MAX)
    monkeypatch.setattr(runners["mini"], silent, asyncio.Event().wait)
    mini, largest = await hosts.states()
    assert (mini.up, mini.error) == (False, "it did not say what it has within 0.3 s")
    assert largest.up
    assert await found(hosts, "big:14b") == [("max", "big:14b")]


async def test_a_dead_host_does_not_hold_up_a_live_one(
    ollama: FakeOllama, pool_of: Callable[..., Pool]
) -> None:
    ollama.models = {"qwen2.5:7b": FakeModel(), "qwen2.5:7b-cloud": FakeModel()}
    hosts = pool_of(Host("dead", "ollama", "http://127.0.0.1:9"), Host("live", "ollama", ollama.url))
    assert await found(hosts, "qwen2.5:7b", "qwen2.5:7b-cloud") == [("live", "qwen2.5:7b")]
    dead, live = await hosts.states()
    assert (dead.up, dead.error) == (False, "connection refused")
    assert live.up
    assert len(live.models) == 2


async def test_P6_what_has_learnt_one_repository_is_asked_about_no_other() -> None:
    learnt = HostModel("small:7b+octo--tea:1a2b3c4d5e6f", 8_192, repo_id=7)
    hosts, _ = pool({"mini": (HostModel("small:7b", 8_192), learnt)}, MINI)
    asked = (learnt.name, f"{learnt.name}@mini", "small:7b")

    async def able(guard: EgressGuard) -> list[str]:
        found = await hosts.candidates("review", asked, guard)
        return [one.model.name for one in found.candidates]

    assert await able(EgressGuard(repo_id=7)) == [learnt.name, "small:7b"]
    for other in (EgressGuard(repo_id=8), EgressGuard(repo_id=0), EgressGuard(), replace(OPEN, repo_id=70)):
        assert await able(other) == ["small:7b"]
    await hosts.aclose()


async def test_P6_a_host_that_names_no_model_is_asked_for_no_adapter_by_its_name() -> None:
    hosts, _ = pool({"mini": (HostModel("", 8_192),)}, MINI)
    asked = ("small+octo--tea:1a2b3c4d5e6f", "small")
    found = await hosts.candidates("review", asked, EgressGuard(repo_id=7))
    assert [one.model.name for one in found.candidates] == ["small"]
    await hosts.aclose()
