"""`hob eval` as a person runs it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cli.conftest import Hob
from tests.fakes import acts
from tests.fakes.models import FakeModel, FakeOllama
from tests.living import keeping_all

NOISE = {
    "path": "pages.py",
    "quote": "    return len(items) // PER_PAGE + 1",
    "severity": "major",
    "category": "bug",
    "title": "Empty page",
    "body": "One too many.",
    "replacement": None,
    "confidence": 0.9,
}


def asked(request: dict[str, Any]) -> str:
    return str(request["messages"][-1]["content"])


def sharp(request: dict[str, Any]) -> dict[str, Any]:
    """Finds the defect of one case, and is unsure of a remark that nobody holds to be right."""
    if "pairs" in json.dumps(request["format"]):
        return {
            "pairs": [{"finding": 1, "golden": 1}, {"finding": 1, "golden": 9}, {"finding": 0, "golden": 1}]
        }
    if "verdicts" in json.dumps(request["format"]):
        return keeping_all()
    if "page_count" not in asked(request):
        return {"findings": [], "summary": ""}
    unsure = NOISE | {"quote": "def page_count(items):", "title": "Name", "confidence": 0.3}
    return {"findings": [NOISE, unsure], "summary": ""}


@pytest.fixture
def ollama() -> Iterator[FakeOllama]:
    models = {"qwen2.5-coder:14b": FakeModel(), "small": FakeModel()}
    with FakeOllama(models=models, answer=sharp) as host:
        yield host


@pytest.fixture
def judge(hob: Hob, ollama: FakeOllama) -> Hob:
    hob.environ["HOB_HOSTS"] = json.dumps([{"name": "mini", "url": ollama.url}])
    return hob


def rows(done: Any) -> list[dict[str, Any]]:
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)["rows"]
    return found


def test_models_and_thresholds_in_one_table(judge: Hob) -> None:
    done = judge.run("eval", "--model", "small", "--model", "qwen2.5-coder:14b@mini", "--threshold", "0.8")
    assert done.returncode == 0, done.stderr
    assert "small" in done.stdout
    assert "0 of 6" in done.stdout
    assert "small: 6 of 6: sql injection" in done.stderr


def test_precision_rises_with_the_threshold_and_each_case_is_read_once(
    judge: Hob, ollama: FakeOllama
) -> None:
    low, high = rows(judge.run("eval", "--json", "--threshold", "0.0", "--threshold", "0.8"))
    assert (low["threshold"], low["cases"], low["golden"]) == (0.0, 6, 7)
    assert (low["matched"], low["found"]) == (2, 3)  # one is ruff's: the shared default list
    assert (high["matched"], high["found"]) == (2, 2)
    assert high["precision"] > low["precision"]
    assert high["tokens_in"] > 0
    read = [one for one in ollama.chats if "findings" in one["format"]["properties"]]
    assert len([one for one in read if "page_count" in asked(one)]) == 1


def test_a_judge_decides_what_is_the_same_and_may_not_invent(judge: Hob, ollama: FakeOllama) -> None:
    (row,) = rows(judge.run("eval", "--json", "--threshold", "0.8", "--judge", "small"))
    assert row["matched"] == 2
    assert {chat["model"] for chat in ollama.chats} == {"qwen2.5-coder:14b", "small"}


def test_R10_a_host_that_is_away_is_told_and_fails(judge: Hob, ollama: FakeOllama) -> None:
    ollama.answer = lambda _: acts.error_line
    done = judge.process("eval", "--json")
    assert done.returncode == 1
    assert {row["failed"] for row in json.loads(done.stdout)["rows"]} == {6}
    assert done.stderr.count("; not wholly read: no model host answered: mini: ") == 6


def test_a_claim_is_looked_up_in_the_texts_of_its_case(judge: Hob, ollama: FakeOllama) -> None:
    code = "from pour import pour\n\n\ndef brew(water):\n    return pour(water)[0]\n"
    lines = "".join(f"+{line}\n" for line in code.splitlines())
    head = "diff --git a/tea.py b/tea.py\nnew file mode 100644\n--- /dev/null\n+++ b/tea.py\n"
    diff = f"{head}@@ -0,0 +1,5 @@\n{lines}"
    texts = {"tea.py": code, "lib/pour.py": "def pour(water):\n    return water or [0]\n"}
    case = {"version": 1, "name": "pour", "diff": diff, "texts": texts, "golden": []}
    (judge.folder / "case.json").write_text(json.dumps(case))
    said = NOISE | {"path": "tea.py", "quote": "    return pour(water)[0]", "title": "`pour` may give None"}

    def looks(request: dict[str, Any]) -> Any:
        if "verdicts" not in json.dumps(request["format"]):
            return {"findings": [said], "summary": ""}
        if "call 1" not in asked(request):
            return acts.calls(("read_file", {"path": "lib/pour.py"}), ("read_file", {"path": "no.py"}))
        return keeping_all(*([0] if "or [0]" in asked(request) else []))

    ollama.answer = looks
    (row,) = rows(judge.run("eval", str(judge.folder / "case.json"), "--json", "--threshold", "0.0"))
    assert (row["cases"], row["found"], row["failed"]) == (1, 0, 0)
    assert len(ollama.chats) == 3


def test_a_judge_that_is_not_there_decides_nothing_and_that_is_told(judge: Hob) -> None:
    done = judge.run("eval", "--threshold", "0.8", "--judge", "nosuch", "--json")
    (row,) = json.loads(done.stdout)["rows"]
    assert (done.returncode, row["undecided"]) == (1, 2), "the cases with remarks on both sides"
    assert "nosuch gave no usable answer to 2 of 2 questions, there quotes decided: " in done.stderr
    shown = judge.run("eval", "--threshold", "0.8", "--judge", "nosuch")
    assert "undecided" in shown.stdout


def test_without_a_model_there_is_nothing_to_try(judge: Hob, ollama: FakeOllama) -> None:
    for given in ([], ["--model", ""], ["--martian", "x"], ["--patches", "x.jsonl"]):
        (judge.folder / "x").mkdir(exist_ok=True)
        (judge.folder / "x.jsonl").touch()
        judge.environ |= {"HOB_MODELS__REVIEW": "[]", "HOB_MODELS__CODE": "[]"}
        done = judge.run("eval", *given)
        assert (done.returncode, done.stdout) == (1, ""), given
        assert done.stderr.startswith("hob: ")
    assert ollama.chats == []


def test_why_a_model_read_nothing_is_told(judge: Hob) -> None:
    done = judge.run("eval", "--model", "nosuch", "--model", "nosuch", "--threshold", "0.5")
    assert done.returncode == 1
    assert done.stderr.count("not wholly read: ") == 6, "each case once, and why"
