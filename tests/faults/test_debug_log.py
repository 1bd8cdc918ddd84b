"""A whole Hob that logs all it can: what it writes is searched for its secrets, however they are written."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.sanitise.leaks import leaks
from bot.testing.github import GitHubStandIn
from bot.testing.github.repository import Repository
from tests.fakes.models import FakeModel, FakeOllama
from tests.fakes.openai import FakeOpenAI
from tests.living import by_schema
from tests.running import SLUG, RunningHob, environment, running_hob, wait_for
from tests.tea import BROKEN, TEA, finding

pytestmark = [pytest.mark.kills, pytest.mark.xdist_group("kills"), pytest.mark.timeout(240)]
SECRET = "wKq7vPzR2mXb9LtYc4Ns8HgJ3fDa6EuT"
KEY = "sk-Zk3vP0qLw8RtY2mNc7Xb5HsJ1dFg9aQe-uTi_4oKpBVxCz6W"
FIX = {
    "summary": "By three.",
    "edits": [{"path": "tea.py", "search": "water / 0", "replace": "water / 3"}],
}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[tuple[GitHubStandIn, FakeOllama, FakeOpenAI]]:
    with (
        GitHubStandIn(tmp_path / "github") as github,
        FakeOllama(answer=by_schema(review={"findings": [finding()], "summary": ""}, patch=FIX)) as ollama,
        FakeOpenAI(models={"cloud": FakeModel()}, key=KEY) as online,
    ):
        github.install_app("octo", slug=SLUG)
        yield github, ollama, online


def settings(folder: Path, github: GitHubStandIn, ollama: FakeOllama, online: FakeOpenAI) -> dict[str, str]:
    hosts: list[dict[str, Any]] = [
        {"name": "mini", "kind": "ollama", "url": ollama.url},
        {
            "name": "cloud",
            "kind": "openai",
            "url": f"{online.url}/v1",
            "online": True,
            "api_key_env": "CLOUD_KEY",
            "usd_per_mtok_in": 1.0,
            "usd_per_mtok_out": 1.0,
        },
    ]
    return environment(
        folder,
        github,
        ollama.url,
        next(iter(ollama.models)),
        HOB_HOB__LOG_LEVEL="debug",
        HOB_GITHUB__WEBHOOK_SECRET=SECRET,
        HOB_KNOWLEDGE__ENABLED="true",
        HOB_HOSTS=json.dumps(hosts),
        HOB_MODELS__CHAT="cloud",
        HOB_PRIVACY__ONLINE="public",
        HOB_BUDGET__ONLINE_USD_PER_DAY="5",
        HOB_API__TOKEN_FILE=str(folder / "api.token"),
        CLOUD_KEY=KEY,
    )


def secrets_of(github: GitHubStandIn, folder: Path) -> list[str]:
    """All that were in use, those of GitHub's requests too: tokens of the App and of installations."""
    sent = [one.headers.get("authorization", "").partition(" ")[2] for one in list(github.requests)]
    key = [line for line in github.private_key.splitlines() if not line.startswith("-----")]
    api = (folder / "api.token").read_text().strip()
    return [*{SECRET, KEY, api, *key, *github.tokens, *filter(None, sent)}]


def works_and_fails(hob: RunningHob, github: GitHubStandIn, repo: Repository, online: FakeOpenAI) -> None:
    """A bit of all that Hob does with its secrets."""
    token = (hob.folder / "api.token").read_text().strip()
    repo.open_issue("It is cold", body="The tea is.", author="ann")
    pull = repo.open_pull_request("Brew", {"tea.py": BROKEN}, author="ann")
    wait_for(lambda: [one.status for one in pull.check_runs] == ["completed"], 90, hob)
    wait_for(lambda: pull.review_comments and ended(hob, "issues.triage"), 90, hob)
    github.fault("*", r"/access_tokens", kind="answer", status=401, times=1)
    github.fault("GET", r"/repos/octo/tea/", kind="answer", status=401, times=2)
    pull.review_comments[0].reply("ann", f"@{SLUG} fix")
    wait_for(lambda: any("```suggestion" in one.body for one in list(pull.review_comments)), 90, hob)
    github.fault("*", r"\.git/", kind="answer", status=401, times=1)
    repo.push({"pot.py": "POT = 1\n"})
    with httpx.Client(base_url=hob.url, timeout=60, trust_env=False) as client:
        signed = {
            "content-type": "application/json",
            "x-github-event": "push",
            "x-github-delivery": "g-1",
            "x-hub-signature-256": "sha256=00",
        }
        assert client.post("/webhook", content=b"{}", headers=signed).status_code == 401
        assert client.get("/runs", params={"token": token}).status_code == 401
        assert client.get("/runs", headers={"authorization": f"Bearer {token}x"}).status_code == 401
        known = {"authorization": f"Bearer {token}"}
        question = {"repo": "octo/tea", "message": "Where is the pot?"}
        assert client.post("/agents/chat", json=question, headers=known).status_code == 200
        assert any(one.path.endswith("/chat/completions") for one in online.requests)
        online.key = "another"  # the host refuses ours
        client.post("/agents/chat", json={**question, "message": "And the lid?"}, headers=known)
    wait_for(lambda: ended(hob, "knowledge.learn"), 90, hob)


def ended(hob: RunningHob, handler: str) -> bool:
    return any('"message": "run ' in line and handler in line for line in hob.log.splitlines())


def test_K5_a_debug_log_of_a_day_s_work_holds_no_secret(
    tmp_path: Path, world: tuple[GitHubStandIn, FakeOllama, FakeOpenAI]
) -> None:
    github, _, online = world
    repo = github.repository("octo/tea", private=False, files={"tea.py": TEA})
    repo.grant("ann", "write")
    with running_hob(tmp_path, settings(tmp_path, *world)) as hob:
        github.send_webhooks_to(f"{hob.url}/webhook", secret=SECRET)
        works_and_fails(hob, github, repo, online)
    lines, secrets = hob.log.splitlines(), secrets_of(github, tmp_path)
    assert any('"level": "debug"' in line for line in lines)
    assert len(secrets) > 20
    parts = ["\n".join(lines[start : start + 200]) for start in range(0, len(lines), 200)]
    found = [line for part in parts if leaks(part, secrets) for line in part.splitlines()]
    assert [line for line in found if leaks(line, secrets)] == []
    assert found == []
