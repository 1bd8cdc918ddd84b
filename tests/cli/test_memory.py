"""`hob memory` as a real process."""

import json
from pathlib import Path

import pytest

from bot.cli.memory import jsonl
from bot.core.errors import UserError
from bot.core.memory import MOST, Lesson, Memory
from bot.core.refs import Login
from bot.store import Store, migrate, open_store
from tests.cli.conftest import Hob

CONVENTION = Memory(0, Lesson("convention", "Never print.", Login("ann"), 3), 1_700_000_000.5)
POINT = {
    "fingerprint": "0f" * 12,
    "path": "a.py",
    "category": "bug",
    "title": "Cold\x1b[2J",
    "source": "model",
}
DISMISSAL = Memory(
    0,
    Lesson("dismissal", "by design", Login("tom[bot]"), 7, **POINT, words=("é", "x1")),  # type: ignore[arg-type]
    1_700_000_000.5,
    4_000_000_000.0,
)
GOOD = {"version": 1, "kind": "convention", "text": "x", "author": "ann", "at": "2026-11-01T10:00:00Z"}


@pytest.fixture
def store(hob: Hob) -> Store:
    url = f"sqlite:///{hob.folder / 'data' / 'hob.db'}"
    migrate(url)
    opened = open_store(url)
    opened.memory.add(12, "octo/tea", [CONVENTION, DISMISSAL])
    return opened


def test_what_one_exports_another_imports(hob: Hob, store: Store) -> None:
    store.memory.add(13, "octo/cups", [CONVENTION])
    store.close()
    file = hob.folder / "memory.jsonl"
    assert hob.run("memory", "export", "--repo", "octo/tea", "-o", str(file)).returncode == 0
    done = hob.run("memory", "import", str(file), "--repo", "Octo/Cups", "--json")
    assert json.loads(done.stdout) == {"read": 2, "new": 1, "known": 1}
    mine, theirs = (hob.run("memory", "export", "--repo", f"octo/{name}").stdout for name in ("tea", "cups"))
    assert mine == theirs == file.read_text()
    assert [json.loads(line)["kind"] for line in mine.splitlines()] == ["convention", "dismissal"]


def test_it_is_listed_and_forgotten_and_no_escape_reaches_the_terminal(hob: Hob, store: Store) -> None:
    store.close()
    listed = hob.run("memory", "list", "--repo", "octo/tea")
    assert "   1  convention  Never print.  [ann, 2023-11-14]" in listed.stdout
    assert "Cold[2J (by design)  [tom[bot], 2023-11-14, until 2096-10-02]" in listed.stdout
    assert "\x1b" not in listed.stdout
    assert hob.run("memory", "forget", "1", "--repo", "octo/tea").stdout == "forgot 1\n"
    left = json.loads(hob.run("memory", "list", "--repo", "octo/tea", "--json").stdout)["memory"]
    assert [one["n"] for one in left] == [2]
    again = hob.process("memory", "forget", "1", "--repo", "octo/tea")
    assert (again.returncode, again.stdout) == (1, "")
    assert "nothing is remembered of octo/tea under 1" in again.stderr


@pytest.mark.parametrize("command", ["forget", "accept", "decline"])
def test_a_number_that_no_database_has_is_wrong_usage(command: str, hob: Hob, store: Store) -> None:
    store.close()
    for number in ("0", str(2**31), "9" * 40, "9" * 5_000):
        done = hob.run("memory", command, number, "--repo", "octo/tea")
        assert (done.returncode, done.stdout) == (2, ""), number[:40]
        assert done.stderr.startswith("hob: Invalid value for 'NUMBER'")


def test_hostile_files_and_names_are_refused_in_one_line(hob: Hob, store: Store) -> None:
    store.close()
    file = hob.folder / "memory.jsonl"
    file.write_text(json.dumps(GOOD) + "\n{}\n")
    wrong = hob.run("memory", "import", str(file), "--repo", "octo/tea")
    assert (wrong.returncode, wrong.stdout, wrong.stderr.count("\n")) == (1, "", 1)
    assert "line 2: Unable to extract tag using discriminator 'kind'" in wrong.stderr
    assert len(json.loads(hob.run("memory", "list", "--repo", "octo/tea", "--json").stdout)["memory"]) == 2
    file.write_text(json.dumps(GOOD))
    unknown = hob.run("memory", "import", str(file), "--repo", "octo/else")
    assert "Hob has not heard of octo/else yet" in unknown.stderr
    assert hob.run("memory", "list", "--repo", "octo").returncode == 2


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"version": 2}, "version: Input should be 1"),
        ({"command": "rm"}, "a key that is not known"),
        ({"text": ""}, "text: "),
        ({"text": "x" * 1_001}, "text: "),
        ({"text": "a\0b"}, "text: "),
        ({"text": 7}, "text: "),
        ({"author": "ann\nbob"}, "author: "),
        ({"at": "2026-11-01T10:00:00"}, "at: "),
        ({"at": "9999-11-01T10:00:00Z"}, "at: "),
        ({"number": 2**53}, "number: "),
        ({"number": True}, "number: "),
        ({"kind": "dismissal"}, "fingerprint: "),
    ],
)
def test_a_wrong_line_is_named_with_what_is_wrong(change: dict[str, object], complaint: str) -> None:
    body = f"\n{json.dumps(GOOD)}\n{json.dumps(GOOD | change)}\n".encode()
    with pytest.raises(UserError) as refused:
        jsonl.read(body)
    assert str(refused.value).startswith(f"line 3: {complaint}" if complaint[-2:] == ": " else "line 3: ")
    assert complaint in str(refused.value)
    assert refused.value.hint == "nothing was imported"


@pytest.mark.parametrize(
    "line",
    [b"\xff\xfe{}", b"[" * 100_000, b'{"text": "\\ud800"}', b"null", b"7", b"{" + b'"a":' * 9, b"NaN"],
)
def test_W8_what_is_no_json_object_is_refused(line: bytes) -> None:
    with pytest.raises(UserError, match=r"^line 1: "):
        jsonl.read(line)


def test_many_wrong_lines_are_cut_and_too_many_right_ones_refused() -> None:
    with pytest.raises(UserError, match=r"line 5: .*; and more"):
        jsonl.read(b"{}\n" * 100_000)
    with pytest.raises(UserError, match="more than 1,000 memories"):
        jsonl.read((json.dumps(GOOD).encode() + b"\n") * (MOST + 9))


def test_every_example_of_the_help_is_a_command(hob: Hob, tmp_path: Path) -> None:
    for name in ("list", "export", "import", "forget"):
        done = hob.run("memory", name, "--help")
        assert f"hob memory {name}" in done.stdout
