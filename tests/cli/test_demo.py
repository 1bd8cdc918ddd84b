"""`hob demo`, as a newcomer runs it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.models import FakeModel, FakeOllama


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HOB_")}
    return subprocess.run(
        [sys.executable, "-m", "bot.cli", "demo", *arguments],
        cwd=folder,
        env={
            **environment,
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "COLUMNS": "100",
            "OLLAMA_HOST": "127.0.0.1:9",
        },
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


@pytest.mark.timeout(120)
def test_the_demonstration_shows_a_review_by_the_checks_and_says_that_no_model_read(tmp_path: Path) -> None:
    shown = run(tmp_path, "--svg", "demo.svg")
    assert shown.returncode == 0, shown.stderr
    assert "No model host was found" in shown.stderr
    assert "no model read this change" in shown.stdout
    for part in (
        "hob-demo[bot] reviewed",
        "teahouse/till.py:3",
        "AWS access key",
        "check, neutral",
        "Dashboard: http://",
        "`hob demo --keep` (make demo KEEP=1) leaves it up",
        "Next: `hob setup` (make setup)",
    ):
        assert part in shown.stdout
    picture = (tmp_path / "demo.svg").read_text()
    assert "<svg" in picture
    assert not re.search(r"(?:href|src)=\W*http|url\(\W*http", picture), "it must fetch nothing"


def test_the_model_to_show_is_one_that_runs_here_and_reads_code() -> None:
    from bot.inference.models import choose_local

    models = {
        "qwen2.5:7b": FakeModel(),
        "qwen2.5-coder:14b": FakeModel(),
        "nomic-embed-text": FakeModel(),
        "gpt-oss:120b-cloud": FakeModel(remote_host="https://ollama.com"),
    }
    with FakeOllama(models=models) as host:
        assert choose_local(host.url) == "qwen2.5-coder:14b"
    with FakeOllama(models={"nomic-embed-text": FakeModel()}) as host:
        assert choose_local(host.url) == ""
    assert choose_local("http://127.0.0.1:9") == ""


def test_the_demonstration_that_stays_up_leads_into_its_dashboard_by_a_link_and_else_to_none() -> None:
    from bot.cli.demo.play import _dashboard
    from bot.web.session import Sessions

    told = _dashboard("http://127.0.0.1:9/", "the-token", stays=True)
    (ticket,) = re.findall(r"^Dashboard: http://127\.0\.0\.1:9/login/link\?ticket=(\S+)$", told, re.MULTILINE)
    assert Sessions("the-token").redeems(ticket)
    assert "the-token" in told
    ended = _dashboard("http://127.0.0.1:9/", "the-token", stays=False)
    assert "ticket" not in ended and "the-token" not in ended


def test_a_program_is_told_what_was_posted() -> None:
    from types import SimpleNamespace as Made

    from bot.cli.demo import show

    comment = Made(path="till.py", line=3, body="A key.<!-- hob:1 -->")
    review = Made(body="One finding.\n<!-- hob:2 -->", comments=[comment])
    check = Made(name="Hob", conclusion="neutral", title="1 finding")
    about = Made(labels=[Made(name="bug")], comments=[Made(body="Which version?<!-- hob:3 -->")])
    assert show.as_json(Made(reviews=[review], check_runs=[check]), about) == {  # type: ignore[arg-type]
        "reviews": ["One finding."],
        "comments": [{"path": "till.py", "line": 3, "body": "A key."}],
        "checks": [{"name": "Hob", "conclusion": "neutral", "title": "1 finding"}],
        "issue": {"labels": ["bug"], "comments": ["Which version?"]},
    }
