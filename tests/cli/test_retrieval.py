"""`hob eval --retrieval` and `hob search --rerank` with a model on a host."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.agents.conftest import git, make_repository
from tests.cli.conftest import Hob
from tests.fakes import acts
from tests.fakes.models import FakeModel, FakeOllama
from tests.living import listed_number

FILES = {
    "kettle.py": "def boil(water):\n    return water * 100\n",
    "hob.py": "def boil_over(water):\n    raise OverflowError(water)\n",
    "stove.py": "def boil_water(water):\n    return water\n",
}


def stove_first(request: dict[str, Any]) -> dict[str, Any]:
    """A model that thinks that the stove matters most."""
    return {"thought": "It is the stove.", "files": [listed_number(request, "stove.py")]}


@pytest.fixture
def ollama() -> Iterator[FakeOllama]:
    with FakeOllama(models={"qwen2.5:7b": FakeModel()}, answer=stove_first) as host:
        yield host


@pytest.fixture
def kitchen(hob: Hob, ollama: FakeOllama) -> Hob:
    folder = hob.folder / "kitchen"
    folder.mkdir()
    make_repository(folder, FILES)
    hob.environ["HOB_HOSTS"] = json.dumps([{"name": "mini", "url": ollama.url}])
    return hob


def paths(done: subprocess.CompletedProcess[str]) -> list[str]:
    assert done.returncode == 0, done.stderr
    return [one["path"] for one in json.loads(done.stdout)["results"]]


def test_a_model_puts_what_was_found_in_order(kitchen: Hob, ollama: FakeOllama) -> None:
    plain = paths(kitchen.run("search", "boil over", "--folder", "kitchen", "--json"))
    assert plain[0] != "stove.py"
    again = paths(kitchen.run("search", "boil over", "--folder", "kitchen", "--json", "--rerank"))
    assert again == ["stove.py", *(path for path in plain if path != "stove.py")]
    ollama.answer = lambda _: acts.error_line
    failed = kitchen.run("search", "boil over", "--folder", "kitchen", "--json", "--rerank")
    assert paths(failed) == plain
    assert "the order is the search's own" in failed.stderr


def cases(kitchen: Hob, *some: dict[str, Any]) -> Path:
    file = kitchen.folder / "cases.jsonl"
    file.write_text("".join(f"{json.dumps(one, ensure_ascii=False)}\n" for one in some))
    return file


def test_recall_of_the_search_alone_and_with_a_model(kitchen: Hob) -> None:
    folder = kitchen.folder / "kitchen"
    base = subprocess.check_output(["git", "-C", str(folder), "rev-parse", "HEAD"], text=True).strip()
    (folder / "stove.py").write_text("def boil_water(water):\n    return water + 1\n")
    git(folder, "-c", "user.name=A", "-c", "user.email=a@b.example", "commit", "-qam", "boil over")
    case = {"repo": "kitchen", "base": base, "query": "boil over\u2028", "gold": ["stove.py"]}
    done = kitchen.run("eval", "--retrieval", str(cases(kitchen, case, case)), "--json")
    assert done.returncode == 0, done.stderr
    alone, model = json.loads(done.stdout)["rows"]
    assert (alone["ranked_by"], alone["cases"], alone["recall@1"]) == ("search alone", 2, 0.0)
    assert (model["ranked_by"], model["recall@1"], model["failed"]) == ("qwen2.5:7b", 1.0, 0)
    table = kitchen.run("eval", "--retrieval", str(cases(kitchen, case)))
    assert "recall@10" in table.stdout


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ({"repo": "kitchen", "base": "HEAD", "query": "x", "gold": ["a"]}, "case 1 is none: base"),
        ({"repo": "kitchen", "base": "0" * 40, "query": "x", "gold": ["a"]}, "there is no commit"),
        ({"repo": "nowhere", "base": "0" * 40, "query": "x", "gold": ["a"]}, "there is no folder"),
        ({"repo": "kitchen", "base": "0" * 40, "query": "x", "gold": []}, "gold"),
    ],
)
def test_what_is_no_case_is_one_line(case: dict[str, Any], said: str, kitchen: Hob) -> None:
    done = kitchen.run("eval", "--retrieval", str(cases(kitchen, case)))
    assert done.returncode == 1
    assert said in done.stderr and "Traceback" not in done.stderr
