"""Secrets are replaced while Hob runs under requests: nobody is refused, and nothing is done twice."""

import json
import time
import uuid
from functools import partial
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from sqlalchemy import update

from bot.config import rotating
from bot.config.rotating import Rotating
from bot.core.errors import ConfigError
from bot.core.hosts import Host
from bot.github.client import GitHub
from bot.inference.runners import HostDown
from bot.inference.runners.ollama import OllamaRunner
from bot.store import mark_keys
from bot.store.mark_keys import MarkKeys
from bot.store.tables import outbox
from bot.testing.github import GitHubStandIn
from bot.web.session import Sessions
from tests import commands
from tests.cli.conftest import Hob
from tests.cli.conftest import hob as machine
from tests.fakes.github import contract, github
from tests.fakes.models import FakeOllama
from tests.living import SLUG, LivingHob
from tests.runs.conftest import hob, ollama
from tests.web.conftest import BODY, headers

__all__ = ["contract", "github", "hob", "machine", "ollama"]
WEBHOOKS = ("the-older-webhook-secret", "the-newer-webhook-secret")
TOKENS = ("the-older-token-of-the-api", "the-newer-token-of-the-api")


def replaced(path: Path, text: str) -> None:
    """As one replaces a file that others read: whole."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.touch(mode=0o600)
    fresh.write_text(text)
    fresh.replace(path)


def test_W9_webhook_secret_and_token_are_replaced_without_a_refusal(machine: Hob) -> None:
    hooks, tokens = machine.folder / "hooks", machine.folder / "token"
    replaced(hooks, WEBHOOKS[0])
    replaced(tokens, TOKENS[0])
    source = machine.folder / "hob.toml"
    told = source.read_text().replace("webhook_secret =", f'webhook_secret_file = "{hooks}"\n#')
    source.write_text(f'{told}[api]\ntoken_file = "{tokens}"\n')
    assert machine.run("migrate").returncode == 0
    machine.start("serve")
    url = machine.url()
    raw = json.dumps(BODY).encode()
    with httpx.Client(base_url=url, trust_env=False, timeout=20) as client:

        def delivered(secret: str) -> int:
            named = headers(raw, secret.encode(), x_github_delivery=str(uuid.uuid4()))
            return client.post("/webhook", content=raw, headers=named).status_code

        def seen(token: str) -> int:
            return client.get("/runs", headers={"authorization": f"Bearer {token}"}).status_code

        def both(number: int) -> tuple[int, int]:
            return delivered(WEBHOOKS[number]), seen(TOKENS[number])

        def holds(number: int, seconds: float) -> None:
            """Never refused, for so long."""
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                assert both(number) == (202, 200)

        holds(0, 0.2)
        replaced(hooks, "\n".join(reversed(WEBHOOKS)))
        replaced(tokens, "\n".join(reversed(TOKENS)))
        holds(0, 1.5)  # GitHub and people still show the older ones
        holds(1, 0.3)
        for half in ("", "short"):  # a mistake: what was there before holds
            replaced(tokens, half)
            time.sleep(1.1)
            holds(1, 0.2)
        replaced(hooks, WEBHOOKS[1])
        replaced(tokens, TOKENS[1])
        holds(1, 1.5)
        assert both(0) == (401, 401)
    assert all(one not in machine.log() for one in (*WEBHOOKS, *TOKENS))


def test_a_session_ends_with_its_token_and_not_before() -> None:
    now = ["older-token"]
    sessions = Sessions("older-token", lambda: now)
    cookie, sent = sessions.issue(), {}
    sent[sessions.cookie] = cookie
    now[:] = ["newer-token", "older-token"]
    assert sessions.holds(cookie) and sessions.is_token("older-token") and sessions.is_token("newer-token")
    newer = sessions.issue()
    assert list(sessions.ours(sent).values()) == [cookie]
    assert next(iter(sessions.ours({**sent, sessions.cookie: newer}).values())) == newer
    now[:] = ["newer-token"]
    assert sessions.holds(newer) and not sessions.holds(cookie) and not sessions.is_token("older-token")


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotating, "LOOK_SECONDS", 0.0)


async def test_the_private_key_is_replaced_while_github_knows_both(
    github: GitHubStandIn, tmp_path: Path, at_once: None
) -> None:
    github.install_app("octo", slug=SLUG)
    app, file = github.app, tmp_path / "app.pem"
    assert app
    older = github.private_key
    key = generate_private_key(public_exponent=65537, key_size=2048)
    newer = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    replaced(file, older)

    def read() -> str:
        if "-----END" not in (text := file.read_text()):
            raise ConfigError("it holds no private key", "")
        return text

    async with GitHub(github.api_url, app.id, Rotating(read, file), slug=SLUG) as client:
        asked = partial(client.app().get, "/app")
        assert (await asked())["slug"] == SLUG
        app.more_public_keys = [public]
        assert (await asked())["slug"] == SLUG
        replaced(file, newer[:200])  # half of it
        assert (await asked())["slug"] == SLUG
        replaced(file, newer)
        assert (await asked())["slug"] == SLUG
        app.public_key, app.more_public_keys = public, []  # the older one is deleted at GitHub
        assert (await asked())["slug"] == SLUG
    assert {one.status for one in github.requests} <= {200, 304}


async def test_the_key_of_a_model_host_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "key"
    monkeypatch.setenv("MY_KEY_FILE", str(file))
    with FakeOllama() as host:
        runner = OllamaRunner(Host("mini", "ollama", host.url, api_key_env="MY_KEY"))
        with pytest.raises(HostDown, match="cannot be read"):
            await runner.models()
        for key in ("older-key", "newer-key"):
            replaced(file, f"{key}\n")
            await runner.models()
            shown = [dict(one.headers).get("authorization") for one in host.requests]
            assert shown[-1] == f"Bearer {key}"
        file.chmod(0o644)
        with pytest.raises(HostDown, match="chmod 600"):
            await runner.models()
        await runner.aclose()


async def test_R1_marks_of_an_older_key_are_known_after_it_was_replaced(
    hob: LivingHob, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What nobody knows of is found by its mark, whichever key that has, and not written again."""
    monkeypatch.setattr(mark_keys, "LOOK_SECONDS", 0.0)
    repo = hob.github.repository("octo/tea", private=True)
    repo.grant("ann", "write")
    issue = repo.open_issue("Hello", author="ann")
    marks: list[str] = []
    for seconds in (0.0, 0.0, 3600.0):
        issue.comment("ann", f"@{SLUG} help")
        await hob.works()
        marks.append(issue.comments[-1].body.rpartition("<!-- ")[2])
        monkeypatch.setattr(mark_keys, "FROM_SECONDS", seconds)
        folder = hob.services.config.hob.data_dir.parent
        assert commands.run("rotate", folder=folder, environ=hob.environment).returncode == 0
        with hob.services.store.database.write() as connection:
            connection.execute(update(outbox).values(state="ambiguous"))
            connection.exec_driver_sql("UPDATE runs SET state = 'queued', not_before = 0, owner = ''")
        said = len(issue.comments)
        await hob.works()
        assert len(issue.comments) == said
    assert len(hob.services.store.mark_keys()) == 4
    third = hob.services.marker.mark("aa" * 20)
    fresh = MarkKeys(hob.services.store.database)
    assert fresh()[0] == hob.services.store.mark_keys()[0]
    assert hob.services.marker.marked(third, "aa" * 20)


def test_a_new_key_of_marks_is_known_before_it_is_used(hob: LivingHob) -> None:
    keys = MarkKeys(hob.services.store.database)
    (first,) = keys()
    keys.rotate()
    other = MarkKeys(hob.services.store.database)
    assert other()[0] == first and len(other()) == 2
    assert len(keys()) == 1  # it looks within the minute, and the key is used only after two
