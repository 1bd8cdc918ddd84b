"""`hob eval --patches`: issues, patches of a model, and tests that decide."""

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import needs
from tests.cli.conftest import Hob
from tests.evals.made_patches import BUGS, Bug, make
from tests.fakes.models import FakeModel, FakeOllama

GOOD, BAD, CHEAT = "good:7b", "bad:7b", "cheat:7b"
Edits = Callable[[Bug], list[dict[str, Any]]]


def mends(bug: Bug) -> list[dict[str, Any]]:
    return [bug.edit]


def breaks(bug: Bug) -> list[dict[str, Any]]:
    return [
        {**bug.edit, "replace": f"{bug.wrong}  # mended\n"[: -1 if not bug.wrong.endswith("\n") else None]}
    ]


def cheats(bug: Bug) -> list[dict[str, Any]]:
    """Has the tests pass by changing them and what runs them."""
    empty = "import unittest\n\n\nclass Made(unittest.TestCase):\n    def test_mended(self):\n        pass\n"
    return [
        {
            "path": bug.test_path,
            "search": bug.tests.splitlines()[0],
            "replace": f"self.assertTrue({bug.name})",
        },
        {"path": "tests/test_more.py", "search": "", "replace": empty},
        {"path": "conftest.py", "search": "", "replace": "collect_ignore_glob = ['*']\n"},
        {"path": "other.py", "search": "KETTLES = 3", "replace": "KETTLES = 4"},
    ]


WAYS: dict[str, Edits] = {GOOD: mends, BAD: breaks, CHEAT: cheats}


def answer(request: dict[str, Any]) -> Any:
    fields = (request.get("format") or {}).get("properties", {})
    if "accepted" in fields:
        return {"reason": "good", "accepted": True}
    if "edits" in fields:
        said = str(request["messages"])
        bug = next(one for one in BUGS if one.issue.partition("\n")[0] in said)
        edits = WAYS[request["model"]](bug)
        shown = bug.test_path in said
        return {
            "summary": "Done.",
            "edits": edits if shown else [one for one in edits if one["path"] != bug.test_path],
        }
    if "steps" in fields:
        return {"steps": [{"title": "Mend", "detail": "Mend it.", "role": "worker"}]}
    return {"thought": "", "searches": [], "reads": [], "paths": [], "enough": True}


@pytest.fixture
def ollama() -> Iterator[FakeOllama]:
    with FakeOllama(models={name: FakeModel() for name in WAYS}, answer=answer) as host:
        yield host


@pytest.fixture
def bench(hob: Hob, ollama: FakeOllama) -> Hob:
    needs.sandbox()
    hob.environ["HOB_HOSTS"] = json.dumps([{"name": "mini", "url": ollama.url}])
    return hob


def evaluated(bench: Hob, file: Path, *more: str) -> tuple[dict[str, Any], subprocess.CompletedProcess[str]]:
    done = bench.run("eval", "--patches", str(file), "--json", *more)
    assert done.stdout, done.stderr
    return json.loads(done.stdout), done


def test_a_good_model_resolves_a_bad_one_does_not_and_who_edits_the_tests_does_neither(bench: Hob) -> None:
    file = make(bench.folder / "cases", BUGS[:2])
    models = [part for name in WAYS for part in ("--model", name)]
    told, done = evaluated(bench, file, *models)
    by_model = {row["model"]: row for row in told["rows"]}
    assert {name: (row["cases"], row["resolved"], row["not_tried"]) for name, row in by_model.items()} == {
        GOOD: (2, 2, 0),
        BAD: (2, 0, 0),
        CHEAT: (2, 0, 0),
    }, done.stderr
    assert done.returncode == 0
    assert by_model[GOOD]["applied"] == by_model[CHEAT]["applied"] == 2
    assert by_model[GOOD]["calls"] >= 4
    assert by_model[GOOD]["tokens"] > 0
    assert by_model[GOOD]["gate_passed"] >= 1
    held = next(one["held_back"] for one in told["cases"] if one["model"] == CHEAT)
    assert held == ["conftest.py", "tests/test_more.py", BUGS[0].test_path]


def test_a_bad_line_and_a_case_that_cannot_be_tried_are_told_by_their_line_and_the_rest_goes_on(
    bench: Hob,
) -> None:
    file = make(bench.folder / "cases", BUGS[:1])
    (good,) = file.read_text().splitlines()
    case = json.loads(good)
    there = bench.folder / "cases" / "pages"
    lines = [
        "{not json",
        json.dumps({**case, "colour": "red"}),
        json.dumps({**case, "repo": "https://github.com/octo/tea"}),
        json.dumps({**case, "command": ["true"]}),
        json.dumps({**case, "repo": "nowhere"}),
        json.dumps({**case, "base": "0" * 40}),
        json.dumps({**case, "tests": ["true"]}),
        json.dumps({**case, "tests": ["no-such-program"], "name": "no program"}),
        "",
        good,
    ]
    file.write_text("\n".join(lines))
    told, done = evaluated(bench, file, "--model", GOOD)
    assert done.returncode == 1
    assert [one["line"] for one in told["bad"]] == [1, 2, 3, 4]
    assert {one["line"]: one["why"] for one in told["cases"] if one["broken"]}.keys() == {5, 6, 7}
    assert "pass without any patch" in next(one["why"] for one in told["cases"] if one["line"] == 7)
    assert [one["line"] for one in told["cases"] if one["resolved"]] == [10]
    assert "line 2: colour" in done.stderr
    assert subprocess.check_output(["git", "-C", str(there), "status", "--porcelain"], text=True) == ""


def test_what_was_written_down_is_not_done_again(bench: Hob, ollama: FakeOllama) -> None:
    file = make(bench.folder / "cases", BUGS[:2])
    first = bench.folder / "first.jsonl"
    first.write_text(file.read_text().splitlines()[0])
    first = first.rename(file.parent / "first.jsonl")
    kept = bench.folder / "results.jsonl"
    _, done = evaluated(bench, first, "--model", GOOD, "--results", str(kept))
    assert done.returncode == 0, done.stderr
    kept.write_text(kept.read_text() + '{"case": "broke o')
    before = len(ollama.chats)
    kept.write_text(kept.read_text() + "\n")
    told, done = evaluated(bench, file, "--model", GOOD, "--results", str(kept))
    assert told["rows"][0]["resolved"] == 2
    assert "1 of 2 cases are to be tried" in done.stderr
    after = len(ollama.chats)
    assert after > before
    table = bench.run("eval", "--patches", str(file), "--model", GOOD, "--results", str(kept))
    assert "2 of 2" in table.stdout
    assert len(ollama.chats) == after


@pytest.mark.parametrize("option", [("--results", "done.jsonl"), ("--no-sandbox",)])
def test_what_belongs_to_patches_is_not_ignored_without_them(bench: Hob, option: tuple[str, ...]) -> None:
    ended = bench.run("eval", *option)
    assert ended.returncode == 2
    assert f"{option[0]} is about --patches" in ended.stderr


def test_a_bundle_is_unpacked(bench: Hob) -> None:
    file = make(bench.folder / "cases", BUGS[:1])
    subprocess.run(
        ["git", "-C", str(file.parent / "pages"), "bundle", "create", "-q", "../pages.bundle", "HEAD"],
        check=True,
    )
    case = {**json.loads(file.read_text()), "repo": "pages.bundle"}
    file.write_text(json.dumps(case))
    told, done = evaluated(bench, file, "--model", GOOD)
    assert told["rows"][0]["resolved"] == 1, done.stderr


def test_without_a_sandbox_nothing_is_run_unless_that_is_said(
    bench: Hob, monkeypatch: pytest.MonkeyPatch, ollama: FakeOllama
) -> None:
    from bot import sandbox
    from bot.core.sandbox_types import SandboxUnusable

    monkeypatch.setattr(sandbox, "for_trees", lambda _: SandboxUnusable("bubblewrap is not installed"))
    file = make(bench.folder / "cases", BUGS[:1])
    done = bench.run("eval", "--patches", str(file), "--model", GOOD)
    assert done.returncode == 1
    assert "no tests are run without a sandbox: bubblewrap is not installed" in done.stderr
    assert "--no-sandbox" in done.stderr
    assert ollama.chats == []
    told, done = evaluated(bench, file, "--model", GOOD, "--no-sandbox")
    assert told["rows"][0]["resolved"] == 1, done.stderr
