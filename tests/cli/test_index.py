"""`hob index` and `hob search` as a person runs them, in any repository of theirs."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.agents.conftest import make_repository
from tests.cli.conftest import Hob


@pytest.fixture
def checkout(hob: Hob) -> Hob:
    (hob.folder / "house").mkdir()
    make_repository(hob.folder / "house")
    return hob


def indexes(hob: Hob) -> list[Path]:
    return list((hob.folder / "data" / "knowledge").glob("local-*.db"))


def test_an_index_says_what_it_has_and_what_it_left_out(checkout: Hob) -> None:
    commit(checkout, "logo.png", b"\x89PNG\0")
    done = checkout.run("index", "house")
    assert done.returncode == 0, done.stderr
    assert "Left out 2 files:\n  2 binary: logo.bin, logo.png\n" in done.stdout
    assert done.stderr == ""
    (path,) = indexes(checkout)
    data = path.parent.parent
    assert [one.stat().st_mode & 0o077 for one in (path, path.parent, data)] == [0, 0, 0]
    again = checkout.run("index", "house", "--json")
    told = json.loads(again.stdout)
    assert {"path": "logo.png", "why": "binary"} in told["left_out"]
    assert (told["read"], told["was"], told["index"]) == (0, told["sha"], str(path))


def test_how_far_it_is_is_told_while_it_works(checkout: Hob) -> None:
    """As if two seconds had gone by between any two steps."""
    program = "from bot.cli import main; from bot.cli.index import progress; progress.SECONDS = 0.0; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, "index", "house"],
        cwd=checkout.folder, env=checkout.environ, capture_output=True, text=True, check=True,
    )  # fmt: skip
    counts = re.findall(r"^\S.*: (\d+) of (\d+)$", done.stderr, re.MULTILINE)
    assert counts
    assert any(here == most != "0" for here, most in counts)
    assert all(int(here) <= int(most) for here, most in counts)


def test_a_search_needs_no_index_before_it_and_follows_commits(checkout: Hob) -> None:
    found = json.loads(checkout.run("search", "steep leaves", "--folder", "house/src", "--json").stdout)
    assert found["results"][0]["path"] == "src/tea.py"
    assert set(found["results"][0]) == {"path", "symbol", "start", "end", "line", "text", "score", "why"}
    assert "words: steep, leaves" in found["results"][0]["why"]
    commit(checkout, "src/sugar.py", b"def sweeten(lumps):\n    return lumps\n")
    done = checkout.run("search", "sweeten lumps", "--folder", "house", "-k", "1")
    assert done.stdout.startswith("src/sugar.py:1-2  sweeten\n")
    assert "what is not committed is not searched" in done.stderr
    assert len(indexes(checkout)) == 1


def test_a_search_shows_the_line_that_it_found(checkout: Hob) -> None:
    warm, brew = (
        "def warm(pot):\n    return pot\n",
        "def brew(pot):\n    steep = 3\n    return 'oolong leaves'\n",
    )
    commit(checkout, "src/long.py", f"{warm}\n\n{brew}".encode() + b"# \x1b[31m" + b"chamomile " * 60 + b"\n")
    shown = checkout.run("search", "oolong leaves", "--folder", "house").stdout.splitlines()
    where = shown.index("src/long.py:5-7  brew")
    assert shown[where + 1] == "    7: return 'oolong leaves'"
    told = json.loads(checkout.run("search", "chamomile", "--folder", "house", "--json").stdout)["results"][0]
    assert (told["line"], told["text"][:2]) == (8, "# ")
    wide = checkout.run("search", "chamomile", "--folder", "house").stdout
    assert "\x1b[31m" not in wide
    assert max(map(len, wide.splitlines())) < 200
    told = json.loads(checkout.run("search", "src/long.py:6 fails", "--folder", "house", "--json").stdout)
    assert (6, "    steep = 3") in {(each["line"], each["text"]) for each in told["results"]}


def test_a_search_without_results_is_no_failure(checkout: Hob) -> None:
    done = checkout.process("search", "zzzzqqq", "--folder", "house")
    assert (done.returncode, done.stdout) == (0, "")
    assert "nothing was found" in done.stderr
    assert (
        json.loads(checkout.run("search", "zzzzqqq", "--folder", "house", "--json").stdout)["results"] == []
    )


def test_a_damaged_index_is_built_again_and_that_is_said(checkout: Hob) -> None:
    checkout.run("index", "house")
    (path,) = indexes(checkout)
    path.write_bytes(path.read_bytes()[:9000])
    done = checkout.run("index", "house")
    assert done.returncode == 0
    assert done.stdout.startswith("The index was built again: it was ")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["index", "nowhere"], 2, "nowhere"),
        (["index", "."], 1, "is not in a git repository"),
        (["search", " ", "--folder", "house"], 2, "the query is empty"),
        (["search", "x", "--folder", "house", "-k", "0"], 2, "-k"),
        (["search", "x", "--folder", "empty"], 1, "has no commit yet"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(checkout: Hob, arguments: list[str], code: int, said: str) -> None:
    subprocess.run(["git", "init", "-q", "empty"], cwd=checkout.folder, check=True)
    done = checkout.run(*arguments)
    assert done.returncode == code
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_names_that_would_steer_a_terminal_do_not(checkout: Hob) -> None:
    commit(checkout, "a\x1b[2Jb.py", b"def clearing():\n    pass\n")
    done = checkout.run("search", "clearing", "--folder", "house")
    assert "\x1b" not in done.stdout
    assert "[2Jb.py:1-2  clearing" in done.stdout


def commit(hob: Hob, name: str, data: bytes) -> None:
    folder = hob.folder / "house"
    (folder / name).write_bytes(data)
    environ = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull}
    for arguments in (
        ["add", "--", name],
        ["-c", "user.name=Ann", "-c", "user.email=a@b", "commit", "-qm", "More"],
    ):
        subprocess.run(["git", *arguments], cwd=folder, check=True, env=environ)


def test_archives_of_hob_toml_are_searched_beside_the_repository(checkout: Hob) -> None:
    docs = checkout.folder / "docs"
    docs.mkdir()
    (docs / "steeping.md").write_text("# Steeping\n\nSteep the leaves of oolong for three minutes.\n")
    checkout.environ["HOB_KNOWLEDGE__ARCHIVES"] = json.dumps(
        {"handbook": str(docs), "gone": "/nowhere/at/all"}
    )
    done = checkout.run("search", "steep leaves", "--folder", "house", "--json")
    found = json.loads(done.stdout)["results"]
    assert {one.get("source", "") for one in found} == {"", "handbook"}
    (archived,) = [one for one in found if one.get("source")]
    assert (archived["path"], archived["start"], archived["end"]) == ("steeping.md", 1, 3)
    assert "archive gone" in done.stderr
    assert "@handbook/steeping.md:1-3" in checkout.run("search", "oolong", "--folder", "house").stdout
