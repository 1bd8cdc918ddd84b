"""Online hosts for whoever asks by hand: as far as [privacy] and [budget] allow, and no further. The hosts
are fakes on loopback that the configuration calls online."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.store import open_store
from tests.agents.conftest import git
from tests.cli.conftest import Hob
from tests.fakes.anthropic import FakeAnthropic
from tests.fakes.models import FakeModel, FakeOllama
from tests.fakes.openai import FakeOpenAI
from tests.tea import finding

MODEL = "big-one"
PRICES = {"usd_per_mtok_in": 100.0, "usd_per_mtok_out": 100.0}
COMMANDS = {
    "ask": ("ask", "--agent", "chat", "How long?", "--folder", "house"),
    "review": ("review", "--folder", "house"),
    "chain": ("chain", "run", "answer.toml", "Say yes", "--folder", "house"),
    "eval": ("eval", "--model", MODEL),
}
CHAIN = 'description = "One step."\nanswer = "say"\n[[steps]]\nname = "say"\nagent = "chat"\n'


def says(request: dict[str, Any]) -> Any:
    asked = json.dumps(request)
    if '"findings"' in asked:
        return {"findings": [finding()], "summary": ""}
    return {"verdicts": [{"index": 0, "keep": True, "reason": ""}]} if '"verdicts"' in asked else "Yes."


@pytest.fixture(params=["openai", "anthropic"])
def cloud(request: pytest.FixtureRequest) -> Iterator[FakeOllama]:
    kind = {"openai": FakeOpenAI, "anthropic": FakeAnthropic}[request.param]
    with kind(models={MODEL: FakeModel()}, answer=says) as host:
        yield host


@pytest.fixture
def asker(hob: Hob, cloud: FakeOllama, brewing: Path) -> Hob:
    shutil.copytree(brewing, hob.folder / "house")
    (hob.folder / "answer.toml").write_text(CHAIN)
    allow(hob, cloud)
    hob.environ |= dict.fromkeys(("HOB_MODELS__REVIEW", "HOB_MODELS__CHAT", "HOB_MODELS__TRIAGE"), MODEL)
    assert hob.run("migrate").returncode == 0
    return hob


def allow(hob: Hob, cloud: FakeOllama, online: str = "allowed", **fields: Any) -> None:
    kind = "openai" if isinstance(cloud, FakeOpenAI) else "anthropic"
    url = f"{cloud.url}/v1" if kind == "openai" else cloud.url
    host = {"name": "cloud", "kind": kind, "url": url, "online": True, "api_key_env": "CLOUD_KEY"}
    hob.environ["HOB_HOSTS"] = json.dumps([host | (fields or PRICES)])
    hob.environ["CLOUD_KEY"] = "sk-ant-right"
    hob.environ["HOB_PRIVACY__ONLINE"] = online
    hob.environ["HOB_BUDGET__ONLINE_USD_PER_DAY"] = "5"


def spent(hob: Hob) -> float:
    store = open_store(f"sqlite:///{hob.folder / 'data' / 'hob.db'}")
    try:
        return store.ledger.total(0.0, "cloud").cost_usd
    finally:
        store.close()


@pytest.mark.parametrize("name", COMMANDS)
def test_X6_what_is_allowed_goes_out_by_hand_too_and_is_in_the_ledger(asker: Hob, name: str) -> None:
    done = asker.run(*COMMANDS[name])
    assert "online is never" not in done.stdout + done.stderr
    assert done.returncode == 0, done.stderr
    assert spent(asker) > 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize(
    ("settings", "says_why"),
    [
        ({"HOB_PRIVACY__ONLINE": "never"}, "[privacy] online is never"),
        ({"HOB_PRIVACY__ONLINE": "public"}, "nobody can tell here whether this one is"),
        ({"HOB_BUDGET__ONLINE_USD_PER_DAY": "0"}, "[budget] allows none"),
    ],
)
def test_X6_what_is_not_allowed_stays_here_and_says_why(
    asker: Hob, cloud: FakeOllama, name: str, settings: dict[str, str], says_why: str
) -> None:
    asker.environ |= settings
    done = asker.run(*COMMANDS[name])
    if name != "eval":  # its table only counts what was not read
        assert says_why in done.stdout + done.stderr
    assert cloud.requests == []


def test_X6_a_cap_in_dollars_needs_prices(asker: Hob, cloud: FakeOllama) -> None:
    allow(asker, cloud, parallel=1)
    done = asker.run(*COMMANDS["ask"])
    assert done.returncode == 1
    assert "set usd_per_mtok_in" in done.stderr
    assert cloud.requests == []
    allow(asker, cloud, usd_per_mtok_in=0.0)
    assert asker.run(*COMMANDS["ask"]).returncode == 0


def test_X6_a_budget_that_is_spent_closes_for_the_next_command(asker: Hob, cloud: FakeOllama) -> None:
    asker.environ["HOB_BUDGET__ONLINE_USD_PER_DAY"] = "0.001"
    assert asker.run(*COMMANDS["ask"]).returncode == 0
    before = len(cloud.chats)
    done = asker.run(*COMMANDS["ask"])
    assert done.returncode == 1
    assert "US dollars are spent" in done.stderr
    assert len(cloud.chats) == before


def test_X6_without_a_ledger_nothing_goes_out(asker: Hob, cloud: FakeOllama) -> None:
    (asker.folder / "data" / "hob.db").unlink()
    done = asker.run(*COMMANDS["ask"])
    assert done.returncode == 1
    assert "hob migrate" in done.stderr
    assert cloud.chats == []


def test_X6_the_repositorys_own_file_can_only_narrow(asker: Hob, cloud: FakeOllama) -> None:
    (asker.folder / "house" / ".github").mkdir()
    (asker.folder / "house" / ".github" / "hob.yml").write_text("online: never\n")
    done = asker.run(*COMMANDS["ask"])
    assert "which this repository does not allow" in done.stderr
    assert cloud.requests == []


@pytest.mark.parametrize(("name", "bare"), [("review", False), ("implement", True), ("scan", True)])
def test_X6_what_the_base_forbids_no_change_and_no_missing_work_tree_allows(
    asker: Hob, cloud: FakeOllama, name: str, bare: bool
) -> None:
    house = asker.folder / "house"
    rules = house / ".github" / "hob.yml"
    rules.parent.mkdir()
    who = ("-c", "user.name=A", "-c", "user.email=a@b.c")
    git(house, "switch", "-q", "main")
    rules.write_text("online: never\n")
    (house / "pot.py").write_text("def pour(water):\n" + "    water += 1\n" * 12)
    git(house, "add", "-A")
    git(house, *who, "commit", "-qm", "Keep it here")
    git(house, "switch", "-q", "brew")
    git(house, *who, "merge", "-q", "main")
    if name == "review":
        git(house, "rm", "-q", ".github/hob.yml")
        git(house, *who, "commit", "-qm", "Let it go")
    if bare:
        git(asker.folder, "clone", "-q", "--bare", "house", "bare")
    folder = ("--folder", "bare" if bare else "house")
    asked = {
        "review": ("review", "main..brew", *folder),
        "implement": ("implement", "Brew two cups", "--base", "main", "--dry-run", *folder),
        "scan": ("scan", *folder),
    }
    done = asker.run(*asked[name])
    assert "which this repository does not allow" in done.stdout + done.stderr
    assert cloud.requests == []


def test_X6_a_second_look_at_a_search_stays_here(asker: Hob, cloud: FakeOllama) -> None:
    (asker.folder / "house" / "pot.py").write_text("def brew_pot(water):\n    return water\n")
    git(asker.folder / "house", "add", "-A")
    git(asker.folder / "house", "-c", "user.name=A", "-c", "user.email=a@b.c", "commit", "-qm", "Pot")
    done = asker.run("search", "brew", "--rerank", "--folder", "house")
    assert (done.returncode, cloud.requests) == (0, [])
    assert "the order is the search's own: " in done.stderr


def test_X6_the_pool_and_the_doctor_show_an_online_host_that_is_allowed(asker: Hob) -> None:
    (shown,) = json.loads(asker.run("hosts", "--json").stdout)["hosts"]
    assert shown["up"], shown
    checks = {each["check"]: each for each in json.loads(asker.run("doctor", "--json").stdout)["checks"]}
    assert checks["host cloud"]["ok"], checks["host cloud"]
    assert MODEL in checks["host cloud"]["detail"]


def test_a_script_asks_an_online_host_that_is_allowed(asker: Hob) -> None:
    script = asker.folder / "script.py"
    script.write_text(
        "from bot.scripting import Workshop\nprint(Workshop(repo='house').agent('chat').run_sync('Hello'))\n"
    )

    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=asker.folder,
        env=asker.environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stdout == "Yes.\n", done.stderr
    assert spent(asker) > 0
