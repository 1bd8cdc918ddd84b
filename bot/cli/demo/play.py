"""Starts the stand-in and Hob, opens a pull request and an issue, waits for what is posted."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

import click
from rich.console import Console

from bot.cli.demo import sample_repo, show
from bot.config.addresses import local_ollama
from bot.core.errors import UserError
from bot.inference.models import choose_local
from bot.testing.github import GitHubStandIn

SLUG = "hob-demo"
APP_ID = 4242
START_SECONDS = 60.0
NEXT = """Next: `hob setup` (make setup) has Hob do this on your own repositories; `hob review` judges
the branch that you are on, without an App. From this clone hob is .venv/bin/hob."""
REVIEW_SECONDS = 1800.0
"""A 14B model on a laptop's processor needs minutes for an answer."""


def play(folder: Path, out: Console, err: Console, *, keep: bool, as_json: bool = False) -> None:
    """Everything lives in `folder` and ends with it."""
    ollama = local_ollama()
    model = choose_local(ollama)
    if model:
        err.print(f"Ollama answers at {ollama}: {model} reads the change.")
    else:
        err.print(f"No model host was found (no Ollama with a model at {ollama}).")
        err.print("What follows is what the static checks alone found.\n")
    port = _free_port()
    with GitHubStandIn(folder / "github") as github:
        github.install_app(
            "teahouse", slug=SLUG, app_id=APP_ID, webhook_url=f"http://127.0.0.1:{port}/webhook"
        )
        repo = github.repository("teahouse/tea", private=True, files=sample_repo.before())
        environment = _environment(folder, github, port, ollama, model)
        with _running(environment, folder) as hob:
            _wait(err, hob, "Hob to start", START_SECONDS, lambda: _ready(folder, port))
            pull = repo.open_pull_request(
                sample_repo.TITLE, sample_repo.change(), body=sample_repo.BODY, author="ann"
            )
            issue = repo.open_issue(sample_repo.ISSUE_TITLE, sample_repo.ISSUE_BODY, author="ben")
            _wait(err, hob, "the review", REVIEW_SECONDS, lambda: pull.check_runs)
            if model:
                _wait(err, hob, "the triage", REVIEW_SECONDS, lambda: issue.labels or issue.comments)
            dashboard = {"dashboard": f"http://127.0.0.1:{port}/", "token": _token(folder)}
            if as_json:
                click.echo(json.dumps({**show.as_json(pull, issue), **dashboard}))
            else:
                show.pull_request(out, pull)
                show.issue(out, issue, triaged=bool(model))
                click.echo(f"\n{_dashboard(dashboard['dashboard'], dashboard['token'], stays=keep)}")
                click.echo(NEXT)
            if keep:
                _stay(err, hob)


def _dashboard(address: str, token: str, *, stays: bool) -> str:
    """How it is reached: by a link that signs a browser in."""
    if not stays:
        stay = "`hob demo --keep` (make demo KEEP=1) leaves it up."
        return f"Dashboard: {address} ends with this demonstration; {stay}"
    from bot.web.pages.signing_in import link_of
    from bot.web.session import Sessions

    link = f"{address.rstrip('/')}{link_of(Sessions(token))}"
    return (
        f"Dashboard: {link}\nThe link works once, within ten minutes; later {address} takes the token {token}"
    )


def _environment(folder: Path, github: GitHubStandIn, port: int, ollama: str, model: str) -> dict[str, str]:
    """The configuration, all by environment: a demonstration reads no hob.toml of its user's."""
    data = folder / "data"
    data.mkdir(mode=0o700)
    key = folder / "app.pem"
    key.touch(mode=0o600)
    key.write_text(github.private_key)
    config = folder / "hob.toml"
    config.touch()
    settings = {
        "HOB_CONFIG": str(config),
        "HOB_HOB__DATA_DIR": str(data),
        "HOB_GITHUB__API_URL": github.api_url,
        "HOB_GITHUB__APP_ID": str(APP_ID),
        "HOB_GITHUB__APP_SLUG": SLUG,
        "HOB_GITHUB__PRIVATE_KEY_FILE": str(key),
        "HOB_GITHUB__WEBHOOK_SECRET": github.post.secret,
        "HOB_SERVER__PORT": str(port),
        "HOB_HOSTS": json.dumps([{"name": "local", "url": ollama}]),
        "HOB_API__TOKEN_FILE": str(data / "api.token"),
        **{f"HOB_MODELS__{role}": model for role in ("REVIEW", "TRIAGE", "CHAT", "CODE") if model},
    }
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("HOB_")}
    return inherited | settings


@contextmanager
def _running(environment: dict[str, str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`hob up` for as long as the block lasts, and no longer than this process, however it ends: `bounded`
    ends it then and deletes the folder. Its log is kept for those who ask why."""
    bounded = [sys.executable, "-I", "-S", str(Path(__file__).with_name("bounded.py")), str(folder)]
    with (folder / "hob.log").open("wb") as log:
        command = [*bounded, sys.executable, "-m", "bot.cli", "up"]
        hob = subprocess.Popen(  # noqa: S603
            command, env=environment, stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True
        )
        try:
            yield hob
        except UserError as error:
            tail = (folder / "hob.log").read_text(errors="replace").splitlines()[-5:]
            raise UserError(str(error), "its last words: " + " | ".join(tail)) from None
        finally:
            if hob.stdin is not None:
                hob.stdin.close()
            hob.wait()


def _wait(
    err: Console, hob: subprocess.Popen[bytes], what: str, seconds: float, done: Callable[[], object]
) -> None:
    """Until something true comes back; UserError when Hob ends or the time is over."""
    start = time.monotonic()
    with err.status(f"Waiting for {what} …"):
        while not done():
            if hob.poll() is not None:
                raise UserError(f"hob up ended with {hob.returncode} while waiting for {what}")
            if time.monotonic() - start > seconds:
                raise UserError(f"{what} did not come within {seconds:.0f} seconds")
            time.sleep(0.1)


def _ready(folder: Path, port: int) -> bool:
    """Whether Hob takes deliveries and works on them."""
    try:
        asked = Request(
            f"http://127.0.0.1:{port}/readyz", headers={"Authorization": f"Bearer {_token(folder)}"}
        )
        with closing(urlopen(asked, timeout=5)) as answer:  # noqa: S310  loopback
            return bool(answer.status == 200)
    except OSError:
        return False


def _token(folder: Path) -> str:
    return (folder / "data" / "api.token").read_text().strip()


def _free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        port: int = listening.getsockname()[1]
        return port


def _stay(err: Console, hob: subprocess.Popen[bytes]) -> None:
    """Until Ctrl-C, or until whoever started this is gone: nobody could end it any more. (`nohup` asks to
    stay.)"""
    err.print("Staying up. Ctrl-C ends it.")
    parent, stays = os.getppid(), signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    try:
        while hob.poll() is None and (stays or os.getppid() == parent):
            time.sleep(0.5)
    except KeyboardInterrupt:
        err.print("Ending.")
