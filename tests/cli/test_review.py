"""`hob review` as a person and as a hook run it."""

import asyncio
import json
import os
import pty
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import jsonschema_rs
import pytest

from bot.testing.github import GitHubStandIn
from tests.agents.conftest import git
from tests.cli.conftest import Hob
from tests.cli.test_receive import hob as run_hob
from tests.cli.test_receive import world
from tests.core.sarif import SCHEMA
from tests.fakes import acts
from tests.fakes.models import FakeOllama, Stage
from tests.tea import BROKEN, finding

__all__ = ["world"]


@pytest.fixture
def ollama() -> Iterator[FakeOllama]:
    with FakeOllama() as host:
        host.answer = lambda _: {
            "findings": [finding(replacement="    return water / 2")],
            "summary": "",
        }
        yield host


@pytest.fixture
def checkout(hob: Hob, ollama: FakeOllama, brewing: Path) -> Hob:
    shutil.copytree(brewing, hob.folder / "house")
    hob.environ["HOB_HOSTS"] = json.dumps([{"name": "mini", "url": ollama.url}])
    return hob


def test_findings_on_their_lines_with_the_code_and_what_instead(checkout: Hob) -> None:
    done = checkout.run("review", "--folder", "house")
    assert done.returncode == 0, done.stderr
    shown = done.stdout.splitlines()
    assert shown[0] == "tea.py:3  major  Division by zero"
    assert "  >    3 |     return water / 0" in shown
    assert "    +     return water / 2" in shown
    assert shown[-1] == "1 finding in 1 of 1 files."
    assert "asking a model" in done.stderr
    assert "\x1b[" not in done.stdout


@pytest.mark.parametrize(("effort", "asked"), [("quick", 1), ("deep", 4), ("security", 1)])
def test_how_thoroughly_is_said_on_the_command_line(
    effort: str, asked: int, checkout: Hob, ollama: FakeOllama
) -> None:
    done = checkout.run("review", "--folder", "house", "--effort", effort)
    assert done.returncode == 0, done.stderr
    assert "Division by zero" in done.stdout
    read = [str(chat["messages"]) for chat in ollama.chats if "findings" in chat["format"]["properties"]]
    assert len(read) == asked
    assert len([one for one in read if "for security alone" in one]) == (0 if effort == "quick" else 1)


def test_every_format_tells_the_same(checkout: Hob) -> None:
    told = {form: checkout.run("review", "--folder", "house", "--format", form).stdout for form in FORMATS}
    assert json.loads(told["json"])["findings"][0]["end"] == 3
    assert "### `tea.py:3`: major: Division by zero" in told["markdown"]
    sarif = json.loads(told["sarif"])
    jsonschema_rs.validator_for(SCHEMA).validate(sarif)
    assert sarif["runs"][0]["results"][0]["level"] == "error"


FORMATS = ("json", "markdown", "sarif")


@pytest.mark.parametrize(("level", "code"), [("critical", 0), ("major", 3), ("minor", 3), ("never", 0)])
def test_a_hook_is_told_by_the_exit_code(level: str, code: int, checkout: Hob) -> None:
    assert checkout.run("review", "--folder", "house", "--fail-on", level).returncode == code


def test_R10_without_a_host_the_checks_speak_and_a_hook_does_not_pass(
    checkout: Hob, ollama: FakeOllama
) -> None:
    ollama.answer = lambda _: acts.error_line
    (checkout.folder / "house/tea.py").write_text("import os\n" + BROKEN)
    git(checkout.folder / "house", "-c", "user.name=A", "-c", "user.email=a@b", "commit", "-qam", "Import")
    done = checkout.run("review", "--folder", "house")
    assert done.returncode == 0, done.stderr
    assert "(ruff)  `os` imported but unused" in done.stdout
    assert "(ruff F401, https://docs.astral.sh/ruff/rules/unused-import)" in done.stdout
    assert "no model read this change" in done.stdout
    done = checkout.run("review", "--folder", "house", "--fail-on", "critical")
    assert done.returncode == 1
    assert "not wholly read" in done.stderr
    done = checkout.run("review", "--folder", "house", "--no-model", "--fail-on", "critical")
    assert (done.returncode, done.stderr) == (0, "")


def test_words_cannot_steer_the_terminal(checkout: Hob, ollama: FakeOllama) -> None:
    ollama.answer = lambda _: {
        "findings": [finding(title="\x1b]0;owned\x07\u202eX", body="\x1b[2J")],
        "summary": "",
    }
    for form in ("text", *FORMATS):
        said = checkout.run("review", "--folder", "house", "--format", form)
        assert not {"\x1b", "\x07", "\u202e"} & set(said.stdout), form


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["nowhere..HEAD"], 1, "names no commit"),
        (["--format", "xml"], 2, "'xml' is not one of"),
        (["octo/tea#5", "--no-model"], 2, "is for local ranges"),
        (["--effort", "quick", "--no-model"], 2, "--effort is about what models read"),
        (["--effort", "much"], 2, "'much' is not one of"),
    ],
)
def test_what_is_wrong_is_one_line(arguments: list[str], code: int, said: str, checkout: Hob) -> None:
    done = checkout.run("review", *arguments, "--folder", "house")
    assert (done.returncode, done.stdout) == (code, "")
    (line,) = done.stderr.splitlines()
    assert said in line


def test_nothing_to_review_is_no_failure(checkout: Hob) -> None:
    done = checkout.run("review", "brew..main", "--folder", "house", "--fail-on", "minor")
    assert (done.returncode, done.stdout) == (0, "")
    assert "nothing to review" in done.stderr
    done = checkout.run("review", "--staged", "--folder", "house", "--format", "sarif")
    assert done.returncode == 0 and json.loads(done.stdout)["runs"][0]["results"] == []


def test_a_push_is_judged_by_the_hook_that_hob_wrote(checkout: Hob) -> None:
    folder, far = checkout.folder / "house", checkout.folder / "far.git"
    subprocess.run(["git", "init", "-q", "--bare", str(far)], check=True)
    git(folder, "remote", "add", "origin", str(far))
    git(folder, "push", "-q", "origin", "main")
    options = ("--folder", "house", "--fail-on", "minor", "--no-model", "--json")
    done = checkout.process("hook", "install", *options)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["done"] == "installed"
    (folder / "tea.py").write_text("import os\n" + BROKEN)
    git(folder, "-c", "user.name=A", "-c", "user.email=a@b", "commit", "-qam", "Import")
    git(folder, "switch", "-q", "main")

    def push(*arguments: str) -> subprocess.CompletedProcess[str]:
        environ = {**os.environ, **checkout.environ}
        command = ["git", "-C", str(folder), "push", "origin", *arguments]
        return subprocess.run(command, env=environ, capture_output=True, text=True)

    refused = push("brew")
    assert refused.returncode == 1, "main is checked out, brew is judged"
    assert "(ruff)  `os` imported but unused" in refused.stdout + refused.stderr
    assert "this push is refused: mend what is minor or worse; git push --no-verify leaves" in refused.stderr
    assert push("main:old").returncode == 0, "nothing new comes with it"
    assert push(":old").returncode == 0, "a branch that is deleted brings nothing"


def test_the_hook_of_somebody_else_is_never_written_over(checkout: Hob) -> None:
    hook = checkout.folder / "house/.git/hooks/pre-push"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 0\n")
    done = checkout.run("hook", "install", "--folder", "house")
    assert done.returncode == 1
    assert "hob review --hook pre-push --fail-on major" in done.stderr
    assert hook.read_text() == "#!/bin/sh\nexit 0\n"
    assert checkout.run("hook", "install", "--folder", "house", "--force").returncode == 0
    assert checkout.run("hook", "install", "--folder", "house").returncode == 0, "its own it writes anew"
    removed = checkout.run("hook", "remove", "--folder", "house", "--json")
    assert json.loads(removed.stdout) == {"file": str(hook), "done": "brought back"}
    assert hook.read_text() == "#!/bin/sh\nexit 0\n"
    git(checkout.folder / "house", "config", "core.hooksPath", ".husky")
    done = checkout.run("hook", "install", "--folder", "house")
    assert done.returncode == 1 and ".husky/pre-push" in done.stderr


def test_without_a_model_nothing_has_failed(checkout: Hob) -> None:
    folder = checkout.folder / "house"
    (folder / "logo.png").write_bytes(b"\x89PNG\0\0")
    for number in range(12):
        (folder / f"pot{number}.py").write_bytes(b"import os  # \x1b[2J \xe2\x80\xae a\rb\r\nx = 1\r\n")
    git(folder, "add", "-A")
    git(folder, "-c", "user.name=A", "-c", "user.email=a@b", "commit", "-qm", "Many")
    told = {
        form: checkout.run("review", "--folder", "house", "--no-model", "--format", form)
        for form in ("text", "json", "sarif")
    }
    assert [done.returncode for done in told.values()] == [0, 0, 0]
    told = {form: done.stdout for form, done in told.items()}
    for form, text in told.items():
        assert "failed" not in text and "GitHub" not in text, form
        assert not {"\r", "\x1b", "\u202e"} & set(text), form
        assert "binary" in text, form
    assert "No model was asked." in told["text"]
    assert len(json.loads(told["json"])["findings"]) >= 12
    (run,) = json.loads(told["sarif"])["runs"]
    assert run["invocations"][0]["executionSuccessful"] is True
    assert len(run["results"]) == len(json.loads(told["json"])["findings"])
    jsonschema_rs.validator_for(SCHEMA).validate(json.loads(told["sarif"]))


async def slow(stage: Stage) -> None:
    """Two seconds between the pieces of its answer."""
    for piece in ('{"findings": [],', ' "summary"', ': "Fine."}'):
        await asyncio.sleep(2)
        await stage.token(piece)
    await stage.done(3)


QUICK = "from bot.cli import main; from bot.cli.review import progress; progress.EVERY_SECONDS = 1.0; main()"
TOLD = re.compile(r"review: tea\.py: ([0-9]+) s, ([0-9]+) tokens")


def test_while_a_slow_host_thinks_a_pipe_is_told_its_part_seconds_and_tokens(
    checkout: Hob, ollama: FakeOllama
) -> None:
    from bot.cli.review import progress

    assert progress.EVERY_SECONDS <= 10
    ollama.answer = lambda _: slow
    done = subprocess.run(
        [sys.executable, "-c", QUICK, "review", "--folder", "house"],
        cwd=checkout.folder, env=checkout.environ, text=True, capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = done.stderr.splitlines()
    begun = next(place for place, line in enumerate(lines) if "asking a model (review): tea.py" in line)
    ended = next(place for place, line in enumerate(lines) if line.startswith("review: answered by"))
    told = [TOLD.fullmatch(line) for line in lines[begun + 1 : ended]]
    waited = [(int(found[1]), int(found[2])) for found in told if found]
    assert len(waited) >= 3, done.stderr
    assert waited == sorted(waited) and waited[-1][0] >= 4
    assert {0, 1, 2} & {tokens for _, tokens in waited} and waited[-1][1] >= 1
    assert "\x1b" not in done.stderr


def test_while_a_slow_host_thinks_a_terminal_shows_its_part_seconds_and_tokens(
    checkout: Hob, ollama: FakeOllama
) -> None:
    ollama.answer = lambda _: slow
    screen, inner = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "bot.cli", "review", "--folder", "house"], cwd=checkout.folder, stderr=inner,
        env={**checkout.environ, "TERM": "xterm", "COLUMNS": "120"}, stdout=subprocess.PIPE,
    )  # fmt: skip
    os.close(inner)
    shown = b""
    with suppress(OSError):  # EIO once nobody has the other end open
        while said := os.read(screen, 65536):
            shown += said
    os.close(screen)
    process.communicate(timeout=60)
    assert process.returncode == 0, shown
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode())
    waited = {(int(found[1]), int(found[2])) for found in TOLD.finditer(plain)}
    assert {seconds for seconds, _ in waited} >= {1, 3, 5}
    assert max(tokens for _, tokens in waited) >= 2


def test_a_pull_request_is_read_and_printed_and_nothing_is_posted(
    world: tuple[GitHubStandIn, dict[str, str], Path],
) -> None:
    github, settings, _ = world
    assert run_hob(settings, "migrate").returncode == 0
    repo = github.repository("octo/tea", private=True, files={"tea.py": "x = 1\n"})
    pull = repo.open_pull_request("P", {"tea.py": BROKEN}, author="ann")
    done = run_hob(settings, "review", f"octo/tea#{pull.number}", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert [(one["path"], one["end"]) for one in told["findings"]] == [("tea.py", 3)]
    assert github.writes() == []
    for name, said in ((f"octo/tea#{pull.number + 7}", "no pull request"), ("octo/none#1", "not installed")):
        done = run_hob(settings, "review", name)
        assert done.returncode == 1
        assert said in done.stderr


def test_with_an_index_the_model_sees_who_calls_what_is_changed(checkout: Hob, ollama: FakeOllama) -> None:
    folder = checkout.folder / "house"
    git(folder, "switch", "-q", "main")
    (folder / "party.py").write_text(
        "from tea import brew\n\n\ndef serve(guests):\n    return brew(guests)\n"
    )
    git(folder, "add", "party.py")
    git(folder, "-c", "user.name=Ann", "-c", "user.email=ann@tea.example", "commit", "-qm", "Serve")
    git(folder, "-c", "user.name=Ann", "-c", "user.email=ann@tea.example", "merge", "-q", "brew")
    alone = checkout.run("review", "HEAD~1..HEAD", "--folder", "house")
    assert "hob index" in alone.stderr
    assert "around party.py" not in ollama.chats[-1]["messages"][-1]["content"]
    assert checkout.run("index", "house").returncode == 0
    said = finding(title="`brew` divides by zero", body="Its callers fail.")
    ollama.answer = lambda _: {"findings": [said], "summary": ""}
    done = checkout.run("review", "HEAD~1..HEAD", "--folder", "house")
    assert done.returncode == 0, done.stderr
    asked = [one["messages"][-1]["content"] for one in ollama.chats if "findings" in str(one.get("format"))]
    assert "around party.py" in asked[-1]
    assert "around party.py for finding 0" in str(ollama.chats[-1]["messages"])
