"""Labelled cases, ours and others'."""

import json
from pathlib import Path
from typing import Any

import pytest

from bot.core.diff import added_lines, anchor
from bot.core.errors import UserError
from bot.evals.cases import OURS, load_cases

DIFF = "diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n@@ -1 +1,2 @@\n a = 1\n+b = 2\n"


def case(folder: Path, **fields: Any) -> Path:
    whole = {"version": 1, "name": "c", "diff": DIFF, "golden": [], **fields}
    file = folder / "case.json"
    file.write_text(json.dumps({key: value for key, value in whole.items() if value is not None}))
    return file


@pytest.mark.parametrize("name", sorted(file.name for file in OURS.glob("*.json")))
def test_every_golden_remark_of_ours_is_on_a_line_of_its_change(name: str) -> None:
    (ours,) = load_cases([OURS / name])
    files = {file.path: file for file in ours.files}
    assert set(ours.texts) == set(files)
    for remark in ours.golden:
        place = anchor(files[remark.path], remark.quote)
        assert place is not None
        assert (place.start_line or place.line, place.line) == (remark.start, remark.end)
        assert {*range(remark.start, remark.end + 1)} & added_lines(files[remark.path])
        assert remark.title
        assert remark.body


def test_folders_and_files_can_be_named(tmp_path: Path) -> None:
    file = case(tmp_path)
    (tmp_path / "notes.txt").write_text("no case")
    assert [one.name for one in load_cases([tmp_path, file])] == ["c", "c"]
    assert len(load_cases([])) >= 6


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"version": 2}, "version: Input should be less than or equal to 1"),
        ({"golden": None}, "golden: Field required"),
        ({"goldn": []}, "goldn: Extra inputs are not permitted"),
        ({"golden": [{"start": -1}]}, "golden.0.path: Field required"),
        ({"diff": "no diff"}, "diff: it shows no file"),
        ({"diff": DIFF.replace("+1,2", "+1,7")}, "diff: a hunk does not have as many lines"),
    ],
)
def test_what_is_no_case_is_said_with_its_place(fields: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"case\.json is no case") as wrong:
        load_cases([case(tmp_path, **fields)])
    assert said in str(wrong.value)


@pytest.mark.parametrize("raw", [b"", b"[]", b"\xff\xfe", b'{"version": 1', b"[" * 100_000])
def test_W8_what_is_no_json_is_said(raw: bytes, tmp_path: Path) -> None:
    (tmp_path / "case.json").write_bytes(raw)
    with pytest.raises(UserError, match="is no case"):
        load_cases([tmp_path])


def test_nothing_to_try_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no case to try"):
        load_cases([tmp_path])
    with pytest.raises(UserError, match="there is no file or folder"):
        load_cases([tmp_path / "gone"])
