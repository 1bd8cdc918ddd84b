"""`hob chain` as a person runs it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cli.conftest import Hob
from tests.fakes.models import FakeModel, FakeOllama

PLAN = {
    "steps": [
        {"title": "Boil", "detail": "Boil the water.", "role": "coding"},
        {"title": "Steep", "detail": "Steep the leaves.", "role": "worker"},
    ]
}


@pytest.fixture
def ollama() -> Iterator[FakeOllama]:
    with FakeOllama(models={"qwen2.5:7b": FakeModel(), "qwen2.5-coder:14b": FakeModel()}) as host:
        yield host


@pytest.fixture
def runner(hob: Hob, ollama: FakeOllama) -> Hob:
    hob.environ["HOB_HOSTS"] = json.dumps([{"name": "mini", "url": ollama.url, "parallel": 2}])
    return hob


def answers(*verdicts: bool) -> Any:
    """A model that plans, works, and judges so."""
    rest = list(verdicts)

    def answer(request: dict[str, Any]) -> Any:
        fields = (request.get("format") or {}).get("properties", {})
        if "steps" in fields:
            return PLAN
        if "accepted" in fields:
            good = rest.pop(0)
            return {"reason": "Good." if good else "It is cold.", "accepted": good}
        return "Boiled." if "Your step of it: Boil" in request["messages"][1]["content"] else "Steeped."

    return answer


def test_the_work_comes_back_once_and_is_accepted(runner: Hob, ollama: FakeOllama) -> None:
    ollama.answer = answers(False, True)
    done = runner.run("chain", "run", "feature", "Make tea")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "## Boil\n\nBoiled.\n\n## Steep\n\nSteeped.\n"
    lines = done.stderr.splitlines()
    assert lines[0] == "plan …"
    assert any(line.startswith("review done: sent back (It is cold.)") for line in lines)
    assert any(line.startswith("work: Boil (round 2) done") for line in lines)
    assert lines[-1].startswith("review (round 2) done: accepted")


def test_json_is_all_that_is_printed_and_refused_work_is_exit_code_1(runner: Hob, ollama: FakeOllama) -> None:
    ollama.answer = answers(False, False, False)
    done = runner.run("chain", "run", "feature", "Make tea", "--json")
    assert done.returncode == 1
    told = json.loads(done.stdout)
    assert (told["chain"], told["failure"], told["rounds"]) == ("feature", "rejected", 3)
    assert told["answer"].startswith("## Boil")
    assert [run["step"] for run in told["runs"]].count("work") == 6
    assert {run["host"] for run in told["runs"]} == {"mini"}


def test_a_host_that_is_away_is_one_failure(runner: Hob) -> None:
    runner.environ["HOB_HOSTS"] = json.dumps([{"name": "gone", "url": "http://127.0.0.1:9"}])
    done = runner.run("chain", "run", "feature", "Make tea")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "step plan: no model host answered: gone" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["run", "faeture", "Make tea"], 1, "did you mean feature?"),
        (["run", "broken.toml", "Make tea"], 1, "step 1 (plan): unknown key agnet — did you mean agent?"),
        (["run", "strange.toml", "Make tea"], 1, "there is no agent named 'mangaer' — did you mean manager?"),
        (["run", "feature", " "], 2, "the objective is empty"),
        (["run", "feature"], 2, "Missing argument"),
    ],
)
def test_what_is_wrong_is_one_line_before_any_model_is_asked(
    arguments: list[str], code: int, said: str, runner: Hob, ollama: FakeOllama
) -> None:
    (runner.folder / "broken.toml").write_text('[[steps]]\nname = "plan"\nagnet = "manager"\n')
    (runner.folder / "strange.toml").write_text('[[steps]]\nname = "plan"\nagent = "mangaer"\n')
    done = runner.run("chain", *arguments)
    assert done.returncode == code
    (line,) = done.stderr.splitlines()
    assert said in line
    assert ollama.chats == []


def test_the_chains_there_are(runner: Hob) -> None:
    done = runner.run("chain", "list", "--json")
    chains = {each["name"]: each["steps"] for each in json.loads(done.stdout)["chains"]}
    assert chains["feature"] == ["plan", "work", "review"]
    assert "feature: " in runner.process("chain", "list").stdout
    assert "feature" in runner.run("chain", "run", "--help").stdout
