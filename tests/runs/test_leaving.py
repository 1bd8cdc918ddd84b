"""X6 through a whole run: what a repository's text may use outside, and the ledger."""

import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot import local_egress, log
from bot.core.credentials import Hidden, found
from bot.core.privacy import Online
from bot.runs import egress_policy
from bot.testing.github import GitHubStandIn
from tests.core.credentials import HUMAN, ISSUED, NAMED
from tests.fakes.models import FakeOllama
from tests.living import LivingHob, living_hob

CODE = "def brew(water):\n    return water / 2\n"


@pytest.fixture
async def cloudy(tmp_path: Path, github: GitHubStandIn, ollama: FakeOllama) -> AsyncIterator[LivingHob]:
    """The only model host is outside."""
    host = {"name": "cloud", "kind": "ollama", "url": ollama.url, "online": True, "usd_per_mtok_in": 100.0}
    settings = {
        "HOB_HOSTS": json.dumps([host]),
        "HOB_PRIVACY__ONLINE": "allowed",
        "HOB_BUDGET__ONLINE_USD_PER_DAY": "5",
    }
    async with living_hob(tmp_path, github, ollama, **settings) as living:
        yield living


async def review(hob: LivingHob, change: str = CODE, config: str = "") -> str:
    """The check run's title after a pull request."""
    files = {"a.py": "x = 1\n", **({".github/hob.yml": config} if config else {})}
    repo = hob.github.repository("octo/tea", private=True, files=files)
    pull = repo.open_pull_request("Brew", {"a.py": change}, author="ann")
    await hob.works()
    (check,) = pull.check_runs
    return f"{check.title}\n{check.summary}"


async def receipt(hob: LivingHob, config: str = "", change: str = CODE) -> str:
    """Who was shown what, by the check run of a pull request."""
    files = {"a.py": "x = 1\n", **({".github/hob.yml": config} if config else {})}
    repo = hob.github.repository("octo/tea", private=True, files=files)
    pull = repo.open_pull_request("Brew", {"a.py": change, "secret plan.py": "plan = 9\n"}, author="ann")
    await hob.works()
    (check,) = pull.check_runs
    return (check.text or "").partition("### Data receipt\n")[2]


async def test_X6_the_check_run_says_what_left_the_network_and_where_to(cloudy: LivingHob) -> None:
    told = await receipt(cloudy)
    assert "`qwen2.5-coder:14b` on `cloud` (online) was shown 2 files" in told
    assert "These left your network" in told
    assert "`a.py`" in told and "`secret plan.py`" in told


async def test_X6_the_check_run_says_that_nothing_left(hob: LivingHob, cloudy: LivingHob) -> None:
    told = await receipt(hob)
    assert "(on your network) was shown 2 files" in told
    assert told.endswith("- Nothing left your network for a model.")
    assert await receipt(cloudy, config="online: never\n") == ""


async def test_X6_what_is_allowed_goes_out_and_each_use_is_in_the_ledger(cloudy: LivingHob) -> None:
    await review(cloudy)
    total = cloudy.services.store.ledger.total(0.0, "cloud")
    assert total.answers == len(cloudy.ollama.chats) >= 1
    assert total.cost_usd == pytest.approx(total.tokens_in / 1e4)


@pytest.mark.parametrize("online", ["never", "public"])
async def test_X6_a_private_repository_that_did_not_opt_in_sends_nothing(
    cloudy: LivingHob, online: Online
) -> None:
    said = await review(cloudy, config=f"online: {online}\n")
    assert cloudy.ollama.requests == []
    assert "which this repository" in said


async def test_X6_what_became_private_since_it_was_asked_for_sends_nothing(cloudy: LivingHob) -> None:
    repo = cloudy.github.repository("octo/tea", files={".github/hob.yml": "online: public\n"})
    repo.open_issue("Kettle", "It burns.", author="ann")
    await cloudy.works()
    (first,) = cloudy.ollama.chats
    repo.open_issue("Pot", "It leaks.", author="ann")
    cloudy.github.privatize(repo)
    await cloudy.works()
    assert cloudy.ollama.chats == [first]


SECRETS = [*ISSUED.values(), *NAMED.values(), f'TOKEN = "ghp_{"a1B2" * 9}"']


async def test_X6_a_secret_in_the_change_stays_inside_the_rest_is_read_and_the_check_run_says_so(
    cloudy: LivingHob,
) -> None:
    said = await review(cloudy, CODE + "\n".join(SECRETS) + "\n")
    assert "Hidden from the host outside, and the rest sent: " in said
    assert "npm token" in said and "hard-coded credential" in said
    sent = json.dumps(cloudy.ollama.chats)
    assert "def brew(water)" in sent and "[hidden]" in sent
    for line in SECRETS:
        (first, *_) = found(line)
        value = line[first.start : first.end]
        if "://" in value:
            value = value.partition("://")[2].rpartition("@")[0].rpartition(":")[2] or value
        assert json.dumps(value)[1:-1] not in sent
    assert HUMAN not in said


TOKEN = "Zk3vP0qLw8RtY2mNc7Xb5HsJ1dFg9aQeuTi4oKpBVxCz6W"


@pytest.mark.parametrize(
    "written",
    [
        TOKEN[::-1],
        " ".join(TOKEN),
        TOKEN[7:],
        TOKEN.encode().hex(),
        base64.b64encode(TOKEN.encode()).decode(),
        base64.b64encode(f"x{TOKEN}".encode()).decode(),
        TOKEN.upper(),
        "ghs_123456_" + "aB3-_." * 90,
    ],
)
def test_X1_X6_hobs_own_secret_leaves_in_no_form(written: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.local_egress.logs.hidden", lambda: (TOKEN,))
    hidden = egress_policy.cleaned(f"It is {written}, you see.")
    assert hidden is None or (hidden.kinds and written not in hidden.text)
    log.hide(TOKEN)
    plain = egress_policy.cleaned(f"It is {TOKEN}, you see.")
    assert plain == Hidden("It is [hidden], you see.", (local_egress.OWN,))


async def test_C2_the_repositorys_file_can_name_no_host_no_command_and_no_key(cloudy: LivingHob) -> None:
    config = (
        'online: allowed\nhosts: [{name: evil, url: "http://evil.example"}]\npool: {routing: round_robin}\n'
    )
    said = await review(
        cloudy, config=config + "start: [rm]\napi_key_env: PATH\nprivacy: {online: allowed}\n"
    )
    assert [host.name for host in cloudy.services.config.pool_hosts()] == ["cloud"]
    assert len(cloudy.ollama.chats) >= 1
    assert "hob.yml" in said
