"""`hob scan` as a person runs it."""

import json
import signal
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tests.agents.conftest import git, make_repository
from tests.cli.conftest import Hob
from tests.fakes import acts
from tests.fakes.models import FakeOllama
from tests.living import keeping_all
from tests.tea import finding

CODE = "def brew(water):\n" + "".join(f"    step_{n} = {n}\n" for n in range(12))
BAD = CODE + "    return water / 0\n"


def answer(request: dict[str, Any]) -> Any:
    if "verdicts" in json.dumps(request["format"]):
        return keeping_all()
    asked = str(request["messages"][-1]["content"])
    path = next(name for name in ("src/auth.py", "src/pot.py", "lib/cup.py") if name in asked)
    return {"findings": [finding(path=path)] if "water / 0" in asked else [], "summary": ""}


@pytest.fixture
def ollama() -> Iterator[FakeOllama]:
    with FakeOllama(answer=answer) as host:
        yield host


@pytest.fixture
def house(hob: Hob, ollama: FakeOllama) -> Hob:
    hob.environ["HOB_HOSTS"] = json.dumps([{"name": "mini", "url": ollama.url}])
    make_repository(
        hob.folder / "tea", {"src/auth.py": BAD, "src/pot.py": BAD, "lib/cup.py": CODE, "README.md": "x"}
    )
    return hob


def scan(house: Hob, *more: str) -> dict[str, Any]:
    done = house.run("scan", "--folder", "tea", "--json", *more)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_the_riskiest_file_is_read_first_and_nothing_twice(house: Hob, ollama: FakeOllama) -> None:
    first = scan(house, "--questions", "3")
    assert (first["read"], first["left"]) == (["src/auth.py"], 2)
    assert [(one["path"], one["line"], one["severity"]) for one in first["findings"]] == [
        ("src/auth.py", 14, "major")
    ]
    second = scan(house)
    assert (second["read"], second["left"]) == (["src/pot.py", "lib/cup.py"], 0)
    asked = len(ollama.chats)
    assert scan(house) == {"findings": [], "read": [], "left": 0, "left_out": []}
    done = house.run("scan", "--folder", "tea")
    assert done.stdout == "0 findings in 0 files.\n"
    assert "nothing is left to read: 3 files are as an earlier scan read them (--again)" in done.stderr
    assert len(ollama.chats) == asked
    (house.folder / "tea" / "lib" / "cup.py").write_text(BAD)
    git(house.folder / "tea", "-c", "user.name=A", "-c", "user.email=a@b.c", "commit", "-qam", "Worse")
    assert scan(house)["read"] == ["lib/cup.py"]
    assert scan(house, "--again", "src/pot.py")["read"] == ["src/pot.py"]
    assert scan(house)["read"] == []  # what else was read is known still
    assert len(scan(house, "--again")["read"]) == 3


def test_people_are_told_what_and_where(house: Hob) -> None:
    done = house.run("scan", "src", "--folder", "tea", "--questions", "2")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "src/auth.py:14  major  Division by zero", "    This always fails.",
        "1 finding in 1 file; 1 file left: run it again.",
    ]  # fmt: skip
    assert "src/auth.py: 1 commit, 0 of them mended something; guards something" in done.stderr


def test_R1_killed_in_the_middle_it_goes_on_where_it_was(house: Hob, ollama: FakeOllama) -> None:
    """`kill -9` while the second file's answer is awaited. What was found by then is told by the next."""
    scanning: list[subprocess.Popen[str]] = []

    def killing(request: dict[str, Any]) -> Any:
        if len(ollama.chats) == 3:
            scanning[0].kill()
        return answer(request)

    ollama.answer = killing
    scanning.append(house.start("scan", "--folder", "tea"))
    assert scanning[0].wait(60) == -signal.SIGKILL
    ollama.answer = answer
    rest = scan(house)
    assert (rest["read"], rest["left"]) == (["src/pot.py", "lib/cup.py"], 0)
    assert [one["path"] for one in rest["findings"]] == ["src/auth.py", "src/pot.py"]
    assert scan(house)["findings"] == []
    assert sum("src/auth.py" in str(one["messages"]) for one in ollama.chats) == 2  # one reads, one verifies


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_what_was_read_before_a_host_went_away_is_kept_and_told(
    house: Hob, ollama: FakeOllama, form: list[str]
) -> None:
    ollama.answer = lambda request: acts.error_line if len(ollama.chats) > 2 else answer(request)
    done = house.run("scan", "--folder", "tea", *form)
    assert done.returncode == 1
    assert "hob: no model could read the next file: " in done.stderr
    assert done.stdout.count("Division by zero") == 1
    assert ('"left": 2' if form else "2 files left") in done.stdout
    ollama.answer = answer
    rest = scan(house)
    assert rest["read"] == ["src/pot.py", "lib/cup.py"]
    assert [one["path"] for one in rest["findings"]] == ["src/pot.py"]


def test_two_at_once_read_nothing_twice(house: Hob, ollama: FakeOllama) -> None:
    """The second comes while the first waits for an answer."""
    second: list[subprocess.CompletedProcess[str]] = []

    def meanwhile(request: dict[str, Any]) -> Any:
        if not second:
            second.append(house.run("scan", "--folder", "tea"))
        return answer(request)

    ollama.answer = meanwhile
    assert scan(house)["read"] == ["src/auth.py", "src/pot.py", "lib/cup.py"]
    assert (second[0].returncode, second[0].stdout) == (1, "")
    assert "another `hob scan` is reading this repository" in second[0].stderr
    assert len(ollama.chats) == 5


def test_what_is_not_read_is_named_and_read_where_there_are_questions_for_it(house: Hob) -> None:
    tea = house.folder / "tea"
    (tea / "src" / "auth.py").write_text(CODE + "".join(f"    step_{n} = {n}\n" for n in range(700)))
    (tea / "src" / "long.py").write_text("x = 1\n" * 2_001)
    (tea / "src" / "line.py").write_text(f"x = '{'a' * 1_100_000}'\n" + CODE)
    (tea / "src" / ".env.py").write_text(CODE)
    (tea / "src" / "id_rsa").write_text(CODE)
    git(tea, "add", "-A")
    git(tea, "-c", "user.name=A", "-c", "user.email=a@b.c", "commit", "-qm", "Grow")
    first = scan(house, "src", "--questions", "2")
    assert (first["read"], first["left"]) == (["src/pot.py"], 0)
    assert {one["path"]: one["why"] for one in first["left_out"]} == {
        "src/auth.py": "it takes 3 questions: see --questions",
        "src/long.py": "over 2,000 lines",
        "src/line.py": "over 1 MB",
    }
    more = house.run("scan", "src", "--folder", "tea")
    assert more.stdout.splitlines() == [
        "0 findings in 1 file.",
        "Not read: src/line.py (over 1 MB), src/long.py (over 2,000 lines).",
    ]
    assert "src/auth.py" in more.stderr


def test_a_long_file_is_read_whole_and_what_a_claim_rests_on_is_looked_up(
    house: Hob, ollama: FakeOllama
) -> None:
    tea = house.folder / "tea"
    long = CODE + "".join(f"    step_{n} = {n}\n" for n in range(700)) + "    return pour(water)[0]\n"
    for path, text in {
        "src/long.py": long,
        "lib/pour.py": "def pour(water):\n    return water or [0]\n",
    }.items():
        (tea / path).write_text(text)
    git(tea, "add", "-A")
    git(tea, "-c", "user.name=A", "-c", "user.email=a@b.c", "commit", "-qm", "Pour")
    said = finding(path="src/long.py", quote="    return pour(water)[0]", title="`pour` may give None")

    def looks(request: dict[str, Any]) -> Any:
        told = str(request["messages"])
        if "verdicts" not in json.dumps(request["format"]):
            return {"findings": [said] if "pour(water)[0]" in told else [], "summary": ""}
        if "call 1" not in told:
            return acts.calls(("recent_commits", {"path": "lib/pour.py"}), ("search_code", {"query": "pour"}))
        return keeping_all(*([0] if "Pour" in told and "or [0]" in told else []))

    ollama.answer = looks
    found = scan(house, "src/long.py")
    assert (found["read"], found["findings"]) == (["src/long.py"], [])
    assert [bool(one.get("tools")) for one in ollama.chats][-2:] == [True, True]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["docs"], 1, "there is no file to read under docs"),
        (["README.md"], 1, "prose and files of fewer than 10 lines are not read"),
        (["--questions", "1"], 2, "1 is not in the range"),
        (["--folder", "."], 1, "is not in a git repository"),
    ],
)
def test_what_is_wrong_is_one_line(house: Hob, arguments: list[str], code: int, said: str) -> None:
    more = [] if "--folder" in arguments else ["--folder", "tea"]
    done = house.run("scan", *arguments, *more)
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr
