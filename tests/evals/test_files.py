"""Files that people give `hob eval`, of whatever form: too large and unreadable ones are one line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.core.errors import UserError
from bot.evals import cases, files, patches, retrieval

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
