"""`hob eval --martian`: what other tools said, and Hob beside them, by one judge."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.agents.conftest import git
from tests.cli.conftest import Hob
from tests.evals.martian import make_benchmark, make_clones
from tests.fakes import acts
from tests.fakes.models import FakeModel, FakeOllama
from tests.living import keeping_all

SAME = (("Divides by zero", "divides by zero"), ("An empty pot", "An empty pot passes"))


def between(text: str, start: str, end: str) -> str:
    return text.partition(start)[2].partition(end)[0].strip()


def answer(request: dict[str, Any]) -> Any:
    fields = (request.get("format") or {}).get("properties", {})
    asked = str(request["messages"][-1]["content"])
    if "match" in fields:
        golden = between(asked, "looked for):", "Candidate Issue:")
        said = between(asked, "Candidate Issue:", "Respond with")
        match = any(one in golden and other.lower() in said.lower() for one, other in SAME)
        return {"reasoning": "so", "match": match, "confidence": 0.9 if match else 0.0}
    if "verdicts" in fields:
        return keeping_all()
    finding = {
        "path": "tea.py", "quote": "    return water / 0", "severity": "critical", "category": "bug",
        "title": "It divides by zero", "body": "Always.", "replacement": None, "confidence": 0.9,
    }  # fmt: skip
    return {"findings": [finding], "summary": "Hotter."}


@pytest.fixture
def ollama() -> Iterator[FakeOllama]:
    with FakeOllama(models={"small": FakeModel(), "judge": FakeModel()}, answer=answer) as host:
        yield host


@pytest.fixture
def bench(hob: Hob, ollama: FakeOllama) -> Hob:
    hob.environ["HOB_HOSTS"] = json.dumps([{"name": "mini", "url": ollama.url}])
    make_benchmark(hob.folder)
    return hob


def rows(bench: Hob, *more: str) -> dict[str, dict[str, Any]]:
    done = bench.run("eval", "--martian", str(bench.folder / "offline"), "--json", *more)
    assert done.returncode == 0, done.stderr
    return {one["tool"]: one for one in json.loads(done.stdout)["rows"]}


def test_what_was_published_needs_no_model(bench: Hob, ollama: FakeOllama) -> None:
    found = rows(bench)
    assert list(found) == ["shy", "loud"]
    assert {one["judge"] for one in found.values()} == {"a_judge, as published"}
    loud = found["loud"]
    assert (loud["cases"], loud["precision"], loud["recall"]) == (2, 1 / 5, 1 / 3)
    assert loud["f1_95"][0] <= loud["f1"] <= loud["f1_95"][1]
    table = bench.run("eval", "--martian", str(bench.folder)).stdout
    assert "0.500" in table and "95 %" in table
    assert ollama.chats == []


def test_without_stored_decisions_a_judge_is_asked_for(bench: Hob) -> None:
    (bench.folder / "offline" / "results" / "a_judge" / "evaluations.json").write_text("{}")
    done = bench.run("eval", "--martian", str(bench.folder))
    assert (done.returncode, done.stdout) == (1, "")
    assert "no stored decisions" in done.stderr and "--judge MODEL" in done.stderr


def test_one_judge_for_all_and_nothing_is_decided_twice(bench: Hob, ollama: FakeOllama) -> None:
    kept = bench.folder / "decisions.jsonl"
    found = rows(bench, "--judge", "judge", "--results", str(kept))
    assert (found["loud"]["matched"], found["loud"]["found"], found["loud"]["golden"]) == (1, 5, 3)
    assert (found["shy"]["matched"], found["shy"]["found"], found["shy"]["golden"]) == (1, 1, 3)
    assert len(ollama.chats) == 3 + 2 + 2  # equal remarks are asked about once
    asked = ollama.chats[0]["messages"]
    assert (asked[0]["role"], asked[0]["content"][:13]) == ("system", "You evaluate.")
    assert asked[-1]["content"].startswith("Compare.\nGolden Comment (what is looked for):\n")
    *whole, last = kept.read_text().splitlines()
    kept.write_text("\n".join([*whole, last[:20]]))  # as a full disk leaves it
    assert rows(bench, "--judge", "judge", "--results", str(kept)) == found
    assert rows(bench, "--judge", "judge", "--results", str(kept)) == found
    assert len(ollama.chats) == 8
    rows(bench, "--judge", "small", "--results", str(kept))
    assert len(ollama.chats) == 15  # another judge decides anew


def test_hob_beside_them_on_the_same_pull_requests(bench: Hob) -> None:
    clones = str(make_clones(bench.folder / "forks"))
    more = ("--judge", "judge", "--clones", clones, "--model", "small", "--threshold", "0.5")
    found = rows(bench, *more)
    mine = found["hob, small, 0.50"]
    assert (mine["cases"], mine["matched"], mine["found"], mine["golden"]) == (1, 1, 1, 1)
    assert mine["tokens_per_useful"] > 0
    assert mine["usd_per_useful"] == 0
    assert {one["cases"] for one in found.values()} == {1}
    assert (found["loud"]["precision"], found["shy"]["recall"]) == (1 / 3, 0.0)
    said = bench.run("eval", "--martian", str(bench.folder), *more).stderr
    assert "1 of 2 pull requests have a clone: all tools are compared on these" in said
    assert "https://github.com/octo/tea/pull/2 is left out" in said
    assert "has no branch pr-1" in said


def test_a_folder_that_is_no_clone_is_not_taken_for_the_repository_around_it(bench: Hob) -> None:
    around = make_clones(bench.folder / "forks") / "octo__tea__loud__PR1__20260123"
    (around / "octo__tea__x__PR1__1").mkdir()
    shallow = bench.folder / "shallow" / "octo__tea__x__PR1__1"
    git(bench.folder, "clone", "-q", "--depth=1", "--no-single-branch", around.as_uri(), str(shallow))
    for folder, why in ((around, "is no clone: clone it again"), (shallow.parent, "git fetch --unshallow")):
        given = ("--judge", "judge", "--clones", str(folder))
        done = bench.run("eval", "--martian", str(bench.folder), *given)
        assert (done.returncode, done.stdout) == (1, "")
        assert why in done.stderr
        assert "has no clone of a fork" in done.stderr


def test_a_claim_about_a_fork_is_looked_up_in_its_clone(bench: Hob, ollama: FakeOllama) -> None:
    clones = make_clones(bench.folder / "forks")

    def looks(request: dict[str, Any]) -> Any:
        fields, told = (request.get("format") or {}).get("properties", {}), str(request["messages"])
        if "findings" in fields:
            found = answer(request)
            found["findings"][0] |= {"title": "`brew` divides by zero", "body": "Its callers fail."}
            return found
        if "verdicts" in fields and "call 1" not in told:
            looked = (("search_code", {"query": "brew"}), ("recent_commits", {"path": "tea.py"}))
            return acts.calls(*looked)
        return answer(request)

    ollama.answer = looks
    rows(bench, "--judge", "judge", "--clones", str(clones), "--model", "small", "--threshold", "0.5")
    told = str([one["messages"] for one in ollama.chats if one.get("tools")][-1])
    assert "Brew hotter" in told, "the commit of the head"
    assert "call 1: search_code" in told and "2: " in told.partition("call 1")[2]


def test_prices_make_a_useful_finding_cost(bench: Hob, ollama: FakeOllama) -> None:
    host = {"name": "mini", "url": ollama.url, "usd_per_mtok_in": 1_000, "usd_per_mtok_out": 0}
    bench.environ["HOB_HOSTS"] = json.dumps([host])
    clones = str(make_clones(bench.folder / "forks"))
    mine = rows(bench, "--judge", "judge", "--clones", clones, "--model", "small", "--threshold", "0")[
        "hob, small, 0.00"
    ]
    assert mine["usd_per_useful"] > 0.1


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--martian", "{}/offline", "cases"], 2, "--martian has its own cases"),
        (["--martian", "{}/offline", "--model", "small"], 2, "need a --judge"),
        (["--martian", "{}/forks"], 1, "is not the folder `offline` of the benchmark"),
        (["--clones", "{}/forks"], 2, "--clones is about --martian"),
        (["--martian", "{}/offline", "--patches", "{}/offline/notes"], 2, "cases of two kinds"),
        (["--patches", "{}/offline/notes", "--judge", "judge"], 2, "--judge compares remarks"),
        (["--martian", "{}/offline", "--judge", "j", "--results", "{}/none/x"], 2, "cannot be written"),
        (["--martian", "{}/offline", "--judge", "j", "--results", "/dev/null"], 1, "is no file"),
        (["--results", "x"], 2, "--results is about --patches and --martian"),
        (
            ["--martian", "{}/offline", "--judge", "judge", "--clones", "{}/empty"],
            1,
            "has no clone of a fork",
        ),
    ],
)
def test_what_is_wrong_is_one_line(bench: Hob, arguments: list[str], code: int, said: str) -> None:
    make_clones(bench.folder / "forks")
    (bench.folder / "empty").mkdir()
    (bench.folder / "offline" / "notes").touch()
    done = bench.run("eval", *(one.format(bench.folder) for one in arguments))
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("confidence", ["NaN", "Infinity", "null", '"95 %"'])
def test_what_a_sloppy_judge_says_is_counted_as_undecided(
    confidence: str, bench: Hob, ollama: FakeOllama
) -> None:
    """For each row what was undecided of that row, and nothing is asked for a second time."""
    clones, kept = str(make_clones(bench.folder / "forks")), bench.folder / "decisions.jsonl"

    def sloppy(request: dict[str, Any]) -> Any:
        if "match" in str(request.get("format")) and "divides by zero" in str(request["messages"]):
            return f'{{"reasoning": "", "match": true, "confidence": {confidence}}}'
        return answer(request)

    ollama.answer = sloppy
    more = ("--judge", "judge", "--clones", clones, "--model", "small", "--results", str(kept))
    found = rows(bench, *more, "--threshold", "0.1", "--threshold", "0.5", "--threshold", "0.95")
    mine = {tool: one["undecided"] for tool, one in found.items() if tool.startswith("hob")}
    assert mine == {"hob, small, 0.10": 1, "hob, small, 0.50": 1, "hob, small, 0.95": 0}
    assert found["loud"]["undecided"] == 1
    asked = [str(one["messages"]) for one in ollama.chats if "match" in str(one.get("format"))]
    assert sum("It divides by zero. Always." in one for one in asked) <= 2, "once, and once more to mend it"
    assert len(kept.read_text().splitlines()) == 2


def test_R10_a_judge_that_is_away_is_told(bench: Hob, ollama: FakeOllama) -> None:
    ollama.answer = lambda _: acts.error_line
    done = bench.run("eval", "--martian", str(bench.folder), "--judge", "judge")
    assert (done.returncode, done.stdout) == (1, "")
    assert "judge gave no usable answer to any of 5 questions about loud" in done.stderr
