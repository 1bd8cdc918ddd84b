"""`hob demo`: the main job end to end on loopback, with no account: a stand-in for GitHub with a real small repository, the
receiver, embedded Redis, SQLite and one worker. What is shown is what was posted."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import Console

from bot.cli.demo import show, tea
from bot.core.errors import HobError, UserError
from bot.core.hosts import Host
from bot.http import AsyncClient, HTTPError
from bot.standin import Standin
from bot.standin.issues import Issue
from bot.standin.pulls import PullRequest

OLLAMA = "http://127.0.0.1:11434"
SLUG = "hob-demo"
START_SECONDS = 60.0
REVIEW_SECONDS = 900.0
"""A 14B model on a laptop's processor needs minutes for its first answer."""


@click.command(
    help="Plays the main job end to end on loopback and shows the review.\n\nExample: hob demo --keep"
)
@click.option("--keep", is_flag=True, help="Stay up afterwards: push, comment and look at the dashboard.")
@click.option(
    "--svg", type=click.Path(dir_okay=False, path_type=Path), help="Also save what is shown as a picture."
)
def demo(keep: bool, svg: Path | None) -> None:
    out = Console(record=svg is not None, width=100 if svg else None)
    err = Console(stderr=True)
    with tempfile.TemporaryDirectory(prefix="hob-demo-") as folder:
        play(Path(folder), out, err, keep=keep)
    if svg:
        out.save_svg(str(svg), title="hob demo")


def play(folder: Path, out: Console, err: Console, *, keep: bool) -> None:
    """Starts everything, waits for what is posted, shows it."""
    model = find_model()
    if model:
        err.print(f"Ollama answers on {OLLAMA}: reviewing with {model}.")
    else:
        err.print(
            f"No model host was found (Ollama on {OLLAMA} does not answer): what follows is what the static checks found."
        )
    port = _free_port()
    with Standin(folder / "github", webhook_url=f"http://127.0.0.1:{port}/webhook") as github:
        app = github.install_app(SLUG)
        repo = github.repository("teahouse/tea", private=True, files=tea.before())
        environment = configuration(folder, port, github, app.id, app.private_key, model)
        with running(environment, folder / "hob.log") as hob:
            _wait("Hob to start", START_SECONDS, hob, lambda: _answers(port), err)
            pull = repo.open_pull_request(tea.TITLE, tea.change(), body=tea.BODY, author="ann")
            issue = repo.open_issue(tea.ISSUE_TITLE, tea.ISSUE_BODY, author="ben")
            _wait("the review", REVIEW_SECONDS, hob, lambda: bool(pull.check_runs), err)
            if model:
                _wait("the triage", REVIEW_SECONDS, hob, lambda: bool(issue.labels or issue.comments), err)
            show.pull_request(out, pull)
            show.issue(out, issue)
            out.print(
                f"\nDashboard: http://127.0.0.1:{port}/  (token: {(folder / 'data' / 'api.token').read_text().strip()})"
            )
            if keep:
                _stay(err, hob)
