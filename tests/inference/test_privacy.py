"""What leaves the network: nothing, unless hob.toml, the repository and the budget all allow it."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from math import inf

import pytest

from bot.core import credentials
from bot.core.concurrency import seconds_now
from bot.core.hosts import Host
from bot.core.inference import Completion, Infer, Usage
from bot.core.privacy import ONLINE, Budget, Online, may_leave
from bot.inference.egress import IN_FLIGHT, EgressGuard
from bot.inference.hosts.pool import Pool
from bot.inference.infer import make_infer
from bot.prompting import rendered
from tests.core.credentials import HUMAN, ISSUED
from tests.fakes import acts
from tests.fakes.models import FakeModel, FakeOllama
from tests.inference.answers import GOOD, Sorted, triage

CLOUD = Host("cloud", "openai", "https://api.example.com", online=True)
OPEN = Budget(usd_per_day=5.0)
MODEL = "qwen2.5-coder:14b"
Pools = Callable[..., Pool]


def expected(policy: Online, private: bool, setting: Online) -> bool:
    widest = {"never": 0, "public": 1, "allowed": 2}
    need = 2 if private else 1
    return widest[policy] >= need and widest[setting] >= need


@pytest.mark.parametrize("policy", ONLINE)
@pytest.mark.parametrize("setting", ONLINE)
@pytest.mark.parametrize("private", [True, False])
def test_X6_the_table_of_what_may_leave(policy: Online, private: bool, setting: Online) -> None:
    verdict = may_leave(policy, private, setting, CLOUD, OPEN)
    assert verdict.allowed is expected(policy, private, setting)
    assert bool(verdict.reason) is not verdict.allowed
    assert may_leave(policy, private, setting, Host("mini", "ollama", ""), Budget()).allowed


@pytest.mark.parametrize(
    ("budget", "allowed"),
    [
        (Budget(), False),
        (Budget(usd_per_day=1.0), True),
        (Budget(tokens_per_day=10), True),
        (Budget(usd_per_day=1.0, usd=1.0), False),
        (Budget(usd_per_day=1.0, usd=0.99, tokens=10**9), True),
        (Budget(tokens_per_day=10, tokens=10), False),
        (Budget(usd_per_day=1.0, tokens_per_day=10, tokens=11), False),
    ],
)
def test_X6_at_the_cap_the_fallback_closes(budget: Budget, allowed: bool) -> None:
    verdict = may_leave("allowed", False, "allowed", CLOUD, budget)
    assert verdict.allowed is allowed
    assert allowed or "US dollars" in verdict.reason or "tokens" in verdict.reason or "none" in verdict.reason


@dataclass
class Books:
    """A guard's surroundings, as the floor above makes them."""

    used: list[tuple[Usage, float]] = field(default_factory=list)
    cap: float = 5.0

    def guard(
        self, policy: Online = "allowed", *, private: bool = False, setting: Online = "allowed"
    ) -> EgressGuard:
        async def own() -> Online:
            return setting

        async def spent() -> Budget:
            return Budget(usd_per_day=self.cap, usd=sum(usd for _, usd in self.used))

        async def record(used: Usage, usd: float) -> None:
            self.used.append((used, usd))

        return EgressGuard(policy, private, own, spent, credentials.without, record)


@pytest.fixture
def cloud() -> Iterator[FakeOllama]:
    """A host outside: its prompt costs ten dollars for a thousand tokens."""
    with FakeOllama(models={MODEL: FakeModel()}) as host:
        host.says(GOOD)
        yield host
    assert (IN_FLIGHT.usd, IN_FLIGHT.tokens) == (0.0, 0)


def online(host: FakeOllama) -> Host:
    return Host("cloud", "ollama", host.url, online=True, usd_per_mtok_in=10_000, usd_per_mtok_out=10_000)


def asks(pool: Pool, guard: EgressGuard) -> Infer:
    return make_infer(pool, {"triage": (MODEL,)}, rendered, guard=guard)


@pytest.mark.parametrize(
    ("policy", "private", "setting"),
    [
        ("never", False, "allowed"),
        ("public", True, "allowed"),
        ("allowed", False, "never"),
        ("allowed", True, "public"),
    ],
)
async def test_X6_a_host_outside_is_not_even_connected_to(
    cloud: FakeOllama, pool_of: Pools, policy: Online, private: bool, setting: Online
) -> None:
    guard = Books().guard(policy, private=private, setting=setting)
    completion: Completion[Sorted] = await asks(pool_of(online(cloud)), guard)(triage())
    assert completion.failure == "no_host"
    assert completion.reason.startswith("no model host answered: cloud: it is online, ")
    assert cloud.requests == []


async def test_X6_whether_a_host_has_time_is_not_asked_of_one_outside_and_a_busy_one_has_none(
    ollama: FakeOllama, cloud: FakeOllama, pool_of: Pools
) -> None:
    closed = asks(pool_of(online(cloud)), Books().guard("never"))
    assert await seconds_now(closed, triage()) == inf
    assert cloud.requests == []
    pool = pool_of(Host("mini", "ollama", ollama.url))
    infer = asks(pool, Books().guard("never"))
    short, long = [await seconds_now(infer, replace(triage(), length=tokens)) for tokens in (20, 2_000)]
    assert 0 < short < await seconds_now(infer, triage()) < long
    (candidate,) = (await pool.candidates("triage", [MODEL])).candidates
    async with pool.place([candidate], 0):
        assert await seconds_now(infer, triage()) == inf
    assert await seconds_now(infer, triage()) < inf


async def test_X6_local_hosts_come_first_and_the_fallback_is_written_down(
    ollama: FakeOllama, cloud: FakeOllama, pool_of: Pools
) -> None:
    books = Books()
    ollama.says(GOOD, acts.status(500, "out of memory"))
    infer = asks(pool_of(online(cloud), Host("mini", "ollama", ollama.url)), books.guard(private=True))
    assert (await infer(triage())).host == "mini"
    assert cloud.chats == []
    assert (await infer(triage())).host == "cloud"
    assert [(used.host, used.purpose, usd > 0) for used, usd in books.used] == [
        ("mini", "triage", False),
        ("mini", "triage", False),
        ("mini", "triage", False),
        ("cloud", "triage", True),
    ]
    used, usd = books.used[-1]
    assert usd == pytest.approx((used.tokens_in + used.tokens_out) / 100)


async def test_X6_the_cap_ends_the_fallback(cloud: FakeOllama, pool_of: Pools) -> None:
    books = Books(cap=2.0)
    infer = asks(pool_of(online(cloud)), books.guard())
    said = [await infer(triage()) for _ in range(4)]
    assert [bool(each.value) for each in said] == [True, *(bool(each.value) for each in said[1:3]), False]
    assert "the day's 2.00 US dollars are spent" in said[-1].reason
    assert len(cloud.chats) == len(books.used) == sum(bool(each.value) for each in said)


async def test_X6_what_broke_off_outside_is_paid_for_too(cloud: FakeOllama, pool_of: Pools) -> None:
    books = Books(cap=100.0)
    cloud.says(acts.drop)
    assert (await asks(pool_of(online(cloud)), books.guard())(triage())).value is None
    assert len(books.used) == len(cloud.chats) == 2
    assert all(usd > 0 for _, usd in books.used)


KEY = "\n".join([f"-----BEGIN RSA {'PRIVATE'} KEY-----", *["MIIEowIBAAKCAQEA" * 4] * 8])
SECRETS = {
    **{
        kind: (line, line) for kind, line in ISSUED.items() if "key" not in kind.split() and "://" not in line
    },
    "by its name": (HUMAN, f'DB_PASSWORD="{HUMAN}"'),
    "of little variety": ("a1B2" * 9, "ghp_" + "a1B2" * 9),
    "far in a line": ("QWERTYUIOPASDFGH", "x" * 2_100 + " AKIA" + "QWERTYUIOPASDFGH"),
    "a whole key": ("MIIEowIBAAKCAQEA", KEY),
}


@pytest.mark.parametrize("kind", SECRETS)
async def test_X6_a_secret_in_a_prompt_stays_inside_and_the_rest_is_sent(
    cloud: FakeOllama, pool_of: Pools, kind: str
) -> None:
    secret, line = SECRETS[kind]
    said = await asks(pool_of(online(cloud)), Books().guard())(triage(f"It says\n{line}\nand no more."))
    assert said.value is not None and said.hidden
    (chat,) = cloud.chats
    sent = chat["messages"][-1]["content"]
    assert "It says" in sent and "and no more." in sent and "[hidden]" in sent
    assert secret not in json.dumps(cloud.chats)
    assert secret not in " ".join(said.hidden)


async def test_a_host_inside_is_told_all(ollama: FakeOllama, pool_of: Pools) -> None:
    ollama.says(GOOD)
    line = ISSUED["npm token"]
    said = await asks(pool_of(Host("mini", "ollama", ollama.url)), Books().guard())(triage(line))
    assert line in ollama.chats[0]["messages"][-1]["content"]
    assert said.hidden == ()


async def test_X6_without_rules_nothing_leaves(cloud: FakeOllama, pool_of: Pools) -> None:
    guard = replace(Books().guard(), clean=EgressGuard().clean)
    said = await asks(pool_of(online(cloud)), guard)(triage())
    assert "cannot be cut out" in said.reason
    assert cloud.chats == []


async def test_X6_a_cloud_model_of_a_local_host_stays_out_whatever_is_allowed(
    ollama: FakeOllama, pool_of: Pools
) -> None:
    ollama.models = {MODEL: FakeModel(remote_host="https://ollama.com")}
    completion = await asks(pool_of(Host("mini", "ollama", ollama.url)), Books().guard())(triage())
    assert completion.failure == "no_host"
    assert ollama.chats == []
