"""Training data: which pull requests are held out, and what its files look like."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.tuning import (
    DATA_FILES,
    ExportManifest,
    TrainingExample,
    by_time,
    data_digest,
    manifest_of,
)
from tests import needs

PULLS = st.dictionaries(st.integers(1, 500), st.floats(0, 2e9, allow_nan=False), max_size=60)


@given(PULLS)
def test_no_pull_request_is_on_two_sides_and_the_newest_are_held_out(merged: dict[int, float]) -> None:
    split = by_time(merged.items())
    sides = {pull: split.side([pull]) for pull in merged.items()}
    ordered = sorted(sides, key=lambda pull: (pull[1], pull[0]))
    places = [DATA_FILES.index(sides[pull] or "train") for pull in ordered]
    assert None not in sides.values()
    assert places == sorted(places), "training comes before validation, and that before what is held out"
    assert set(places) == set(range(3)) or len(merged) < 3
    many = places.count(2)
    assert many == (min(max(1, round(len(merged) * 0.2)), len(merged) - 1) if len(merged) > 1 else 0)
    held = [at for (_, at), place in zip(ordered, places, strict=True) if place == 2]
    assert split.held_out_from == (held[0] if held else None)


@given(PULLS, st.lists(st.integers(0, 59), min_size=2, max_size=4))
def test_what_comes_from_two_sides_is_on_none(merged: dict[int, float], picked: list[int]) -> None:
    pulls = [list(merged.items())[one % len(merged)] for one in picked] if merged else []
    split = by_time(merged.items())
    sides = {split.side([pull]) for pull in pulls}
    assert split.side(pulls) == (sides.pop() if len(sides) == 1 else None)


@given(st.text(), st.text(alphabet="\ud800\u2028\u0085\r\n\x00\"'\\{}é€"))
def test_an_example_is_one_line_that_every_reader_takes_for_one(user: str, assistant: str) -> None:
    line = TrainingExample(((1, 0.0),), "remark", "You review.", user, assistant).line
    assert line.isascii()
    assert line.splitlines() == [line]
    assert [(one["role"], one["content"]) for one in json.loads(line)["messages"]] == [
        ("system", "You review."),
        ("user", user),
        ("assistant", assistant),
    ]


def test_mlx_lm_takes_the_lines_for_chats(tmp_path: Path) -> None:
    needs.mlx()
    from mlx_lm.tuner.datasets import ChatDataset, load_local_dataset

    told = ("You review.", "a\u2028b\r\n{}", '{"findings": []}')
    line = TrainingExample(((1, 0.0),), "remark", *told).line
    (tmp_path / "train.jsonl").write_text(f"{line}\n{line}\n")
    train, valid, test = load_local_dataset(tmp_path, None, SimpleNamespace(mask_prompt=True))
    assert isinstance(train, ChatDataset)
    assert [[one["content"] for one in each["messages"]] for each in train] == [[*told], [*told]]
    assert (valid, test) == ([], [])


def test_the_manifest_is_read_as_it_was_written() -> None:
    counts = {"by_source": {"fix": 2}, "by_file": {"train": 2, "valid": 0, "test": 0, "cases": 0}}
    made = ExportManifest("octo/tea", 7, "2026-11-30T10:00:00Z", "", "00", 4096, counts, 3, {"too long": 1})
    assert manifest_of(made.text) == made


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"counts": 1}', "null", "[" * 100_000])
def test_what_is_no_manifest_is_said(text: str) -> None:
    with pytest.raises(ValueError, match=r"no manifest|Expecting|recursion"):
        manifest_of(text)


def test_the_digest_names_the_data_and_which_file_it_is_in() -> None:
    made = {data_digest({"train": b"ab"}), data_digest({"train": b"a", "valid": b"b"}), data_digest({})}
    assert len(made) == 3
    assert data_digest({}) == data_digest({"test": b""})
