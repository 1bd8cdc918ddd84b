"""`hob ask` as a person runs it."""

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

SAID = 'Sixty seconds a leaf [src/tea.py:6 "leaves * 60"], not more [src/tea.py:1 "invented"].'


def model(request: dict[str, Any]) -> Any:
    if request.get("format"):
        return {"thought": "It is there.", "searches": [], "reads": [], "enough": True}
    return SAID


@pytest.fixture
def ollama() -> Iterator[FakeOllama]:
    with FakeOllama(models={"qwen2.5:7b": FakeModel()}, answer=model) as host:
        yield host


@pytest.fixture
def asker(hob: Hob, ollama: FakeOllama) -> Hob:
    (hob.folder / "house").mkdir()
    make_repository(hob.folder / "house")
    hob.environ["HOB_HOSTS"] = json.dumps([{"name": "mini", "url": ollama.url}])
    return hob


def test_an_answer_with_its_sources(asker: Hob) -> None:
    done = asker.process("ask", "How long is tea steeped?", "--folder", "house")
    assert done.returncode == 0, done.stderr
    assert done.stdout == ("Sixty seconds a leaf [src/tea.py:6], not more .\n\nSources:\n  src/tea.py:6\n")
    built, searched = done.stderr.splitlines()
    assert built == "building the index, once"
    assert searched.startswith("searching the index as of ")
    assert asker.run("ask", "How long?", "--folder", "house").stderr.startswith("searching the index as of ")


def test_without_a_commit_or_with_knowledge_off_git_grep_answers(asker: Hob) -> None:
    bare = asker.folder / "bare"
    bare.mkdir()
    git(bare, "init", "-q")
    (bare / "src").mkdir()
    (bare / "src" / "tea.py").write_text((asker.folder / "house" / "src" / "tea.py").read_text())
    git(bare, "add", ".")
    done = asker.run("ask", "How long is tea steeped?", "--folder", "bare")
    assert "src/tea.py:6" in done.stdout
    assert "git grep" in done.stderr and "has no commit yet" in done.stderr
    asker.environ["HOB_KNOWLEDGE__ENABLED"] = "false"
    done = asker.run("ask", "How long is tea steeped?", "--folder", "house")
    assert ("src/tea.py:6" in done.stdout, done.stderr) == (True, "")


def test_json_is_all_that_is_printed(asker: Hob) -> None:
    done = asker.run("ask", "--json", "--agent", "chat", "--folder", "house", "How long is tea steeped?")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["answer"] == "Sixty seconds a leaf [src/tea.py:6], not more ."
    assert told["citations"] == [{"path": "src/tea.py", "start": 6, "end": 6, "quote": "leaves * 60"}]
    assert (told["agent"], told["host"], told["model"]) == ("chat", "mini", "qwen2.5:7b")
    assert told["failure"] is None
    assert told["tokens_in"] > 0


@pytest.mark.parametrize("as_json", [False, True])
def test_R10_a_host_that_breaks_is_one_line_and_exit_code_1(
    as_json: bool, asker: Hob, ollama: FakeOllama
) -> None:
    ollama.answer = lambda _: acts.error_line
    done = asker.run("ask", "How?", "--folder", "house", *(["--json"] if as_json else []))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    if as_json:
        assert json.loads(done.stdout)["failure"] == "no_host"
    else:
        line = done.stderr.splitlines()[-1]
        assert line.startswith("hob: no answer: no model host answered: mini")


def test_words_cannot_steer_the_terminal(asker: Hob, ollama: FakeOllama) -> None:
    ollama.answer = lambda request: (
        model(request) if request.get("format") else "Tea\x1b]0;owned\x07\u202e is\x1b[2J good."
    )
    done = asker.run("ask", "Tea?", "--folder", "house")
    assert "\x1b" not in done.stdout + done.stderr
    assert "\u202e" not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["ask", "--agent", "reserch", "Tea?", "--folder", "house"], 1, "did you mean research?"),
        (["ask", "Tea?"], 1, "is not in a git repository"),
        (["ask", "Tea?", "--folder", "nowhere"], 2, "does not exist"),
        (["ask", " ", "--folder", "house"], 2, "the question is empty"),
        (["ask"], 2, "Missing argument"),
        (["ask", "Tea?", "--folder", "house", "--model", "gone"], 1, "no local model gone"),
    ],
)
def test_what_is_wrong_is_one_line(arguments: list[str], code: int, said: str, asker: Hob) -> None:
    done = asker.run(*arguments)
    assert done.returncode == code
    line = done.stderr.splitlines()[-1]
    assert said in line
    assert done.stdout == ""


def test_an_agent_of_ones_own_by_its_file(asker: Hob, ollama: FakeOllama, tmp_path: Path) -> None:
    file = tmp_path / "pirate.md"
    file.write_text("Arr, you talk like a pirate.")
    ollama.answer = lambda _: "Arr."
    done = asker.run("ask", "Tea?", "--folder", "house", "--agent", str(file))
    assert (done.returncode, done.stdout) == (0, "Arr.\n")
    assert "pirate" in ollama.chats[0]["messages"][0]["content"]


def understanding(ollama: FakeOllama, command: str, argument: str = "") -> None:
    meant = {"command": command, "argument": argument}
    ollama.answer = lambda request: (
        meant if "command" in (request.get("format") or {}).get("properties", {}) else model(request)
    )


def test_words_that_ask_for_another_command_are_answered_with_it(asker: Hob, ollama: FakeOllama) -> None:
    done = asker.run("ask", "please review my changes", "--folder", "house")
    assert (done.returncode, done.stdout) == (0, "That is another command's work: hob review\n")
    assert not ollama.chats, "rules know"
    understanding(ollama, "search", "kettle $(rm -rf)")
    done = asker.run("ask", "hvor finner jeg kettle $(rm -rf) henne?", "--folder", "house", "--json")
    assert json.loads(done.stdout)["command"] == "hob search 'kettle $(rm -rf)'"
    understanding(ollama, "memory")
    assert "hob memory --help" in asker.run("ask", "hva vet du om oss?", "--folder", "house").stdout


@pytest.mark.parametrize("named", ["rm", "ask", "", "review; rm", "REVIEW", "framework", "../review"])
def test_A7_what_is_no_command_is_a_question(named: str, asker: Hob, ollama: FakeOllama) -> None:
    understanding(ollama, named)
    assert "Sixty seconds" in asker.run("ask", "hvor lenge, tea leaves?", "--folder", "house").stdout


def test_with_an_agent_named_all_words_are_a_question(asker: Hob, ollama: FakeOllama) -> None:
    done = asker.run("ask", "review my tea leaves changes", "--folder", "house", "--agent", "research")
    assert "Sixty seconds" in done.stdout


def test_a_conversation_goes_on_where_it_is_asked_to(asker: Hob, ollama: FakeOllama) -> None:
    first = asker.run("ask", "--continue", "How long is tea steeped?", "--folder", "house")
    assert "there is no earlier conversation here" in first.stderr
    done = asker.run("ask", "--continue", "And why so long?", "--folder", "house/src")
    assert done.returncode == 0, done.stderr
    messages = ollama.chats[-1]["messages"]
    assert [one["role"] for one in messages] == ["system", "user", "assistant", "user"]
    assert "How long is tea steeped?" in messages[1]["content"]
    assert messages[2]["content"] == "Sixty seconds a leaf [src/tea.py:6], not more ."
    asker.run("ask", "Something else?", "--folder", "house")
    assert len(ollama.chats[-1]["messages"]) == 2, "without --continue a conversation begins anew"
    (kept,) = (asker.folder / "data" / "conversations").iterdir()
    assert kept.stat().st_mode & 0o077 == 0
    kept.write_text("[[broken")
    assert asker.run("ask", "--continue", "And?", "--folder", "house").returncode == 0


def test_a_commit_is_cited(asker: Hob, ollama: FakeOllama) -> None:
    house = asker.folder / "house"
    (house / "cup.py").write_text("CUP = 1\n")
    git(house, "add", ".")
    git(house, "commit", "-qm", "Glaze the earthenware cups")
    head = ["git", "-C", str(house), "rev-parse", "HEAD"]
    sha = subprocess.run(head, check=True, capture_output=True, text=True).stdout.strip()
    ollama.answer = lambda request: (
        model(request) if request.get("format") else f'Glazed [{sha[:7]} "glaze the earthenware"] [0a0b0c0d].'
    )
    done = asker.run("ask", "--json", "Who glazed the earthenware cups?", "--folder", "house")
    told = json.loads(done.stdout)
    assert told["answer"] == f"Glazed [{sha[:10]}] ."
    (place,) = told["citations"]
    assert (place["commit"], place["path"]) == (sha, sha[:10])
    assert told["dropped"] == 1


@pytest.mark.parametrize("question", ["What blocks v1.0?", "who is waiting for #12?", "Was blockiert #3?"])
def test_what_waits_for_what_is_not_guessed_without_github(
    question: str, asker: Hob, ollama: FakeOllama
) -> None:
    done = asker.run("ask", question, "--folder", "house")
    assert done.returncode == 1 and done.stdout == ""
    assert "is known to GitHub and not to this folder" in done.stderr
    assert ollama.chats == []


def test_where_a_host_has_time_a_model_says_first_which_files_matter(asker: Hob, ollama: FakeOllama) -> None:
    many = {f"shelf{n}.py": f"def fetch_biscuits_{n}():\n    return 'biscuits'\n" * 3 for n in range(18)}
    (asker.folder / "cellar").mkdir()
    make_repository(asker.folder / "cellar", {**many, "tin.py": "def open_tin():\n    return 'biscuits'\n"})

    def names_tin(request: dict[str, Any]) -> Any:
        if "files" in (request.get("format") or {}).get("properties", {}):
            return {"thought": "", "files": [listed_number(request, "tin.py")]}
        return model(request)

    ollama.answer = names_tin
    done = asker.run("ask", "Where are the biscuits fetched from?", "--folder", "cellar")
    assert "asking a model which of 19 files matter" in done.stderr
    shown = str(ollama.chats[-1]["messages"])
    assert 0 < shown.index("def open_tin") < shown.index("def fetch_biscuits")
    ollama.answer = lambda request: "no" if "files" in str(request.get("format")) else model(request)
    done = asker.run("ask", "Where are the biscuits fetched from?", "--folder", "cellar")
    assert "the order is the search's own: " in done.stderr
    assert "def open_tin" not in str(ollama.chats[-1]["messages"])
