"""Files that people give `hob eval`, of whatever form: too large and unreadable ones are one line."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.core.errors import UserError
from bot.evals import cases, files, judging, martian, patches, retrieval

READERS: dict[str, Callable[[Path], Any]] = {
    "a case": lambda file: cases.load_cases([file]),
    "cases of patches": patches.load_cases,
    "results of patches": patches.load_results,
    "cases of retrieval": retrieval.load_cases,
}


@pytest.mark.parametrize("kind", READERS)
def test_what_is_too_large_is_said_with_what_to_do(kind: str, tmp_path: Path) -> None:
    large = tmp_path / "large.json"
    with large.open("wb") as file:
        file.truncate(files.MOST_BYTES + 1)
    with pytest.raises(UserError, match=r"large\.json is over \d+ MB") as said:
        READERS[kind](large)
    assert "cut it in parts" in said.value.hint


@pytest.mark.parametrize("kind", ["cases of patches", "cases of retrieval"])
def test_what_is_no_text_is_said(kind: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b'{"a": "\xff"}')
    with pytest.raises(UserError, match=r"a\.json is no UTF-8: invalid start byte at byte 7"):
        READERS[kind](tmp_path / "a.json")


@pytest.mark.parametrize("folder", ["cases", "golden_comments"])
def test_pipes_and_devices_among_the_files_of_a_folder_keep_nobody_waiting(
    folder: str, tmp_path: Path
) -> None:
    there = tmp_path / folder
    there.mkdir()
    (there / "a.json").write_text("{}")
    os.mkfifo(there / "b.json")
    (there / "c.json").symlink_to("/dev/zero")
    (there / "d.json").mkdir()
    (there / "e.json").symlink_to(there / "nowhere")
    assert [one.name for one in files.json_files(there)] == ["a.json", "e.json"]
    with pytest.raises(UserError, match=r"a\.json is no"):
        cases.load_cases([there]) if folder == "cases" else martian.load_benchmark(tmp_path)


def test_a_line_is_kept_as_one_of_its_own_whatever_broke_off_before(tmp_path: Path) -> None:
    kept = tmp_path / "kept.jsonl"
    for before in (None, b"", b'{"a": 1}\n', b'{"a": 1', b"\xff\x00", b"\n"):
        kept.unlink(missing_ok=True) if before is None else kept.write_bytes(before)
        files.keep_line(kept, "{}")
        files.keep_line(kept, "[]")
        assert [one for one in files.kept_lines(kept) if one][-2:] == ["{}", "[]"]
        assert kept.read_bytes().startswith(before or b"{}")


@pytest.mark.parametrize("place", ["/dev/full", "folder", "folder/none/x"])
def test_results_that_cannot_be_kept_are_one_line(place: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(UserError, match="cannot be written"):
        files.keep_line(tmp_path / place, "{}")
    if place != "folder/none/x":
        with pytest.raises(UserError, match="is no file"):
            judging.Decisions("judge", tmp_path / place)
