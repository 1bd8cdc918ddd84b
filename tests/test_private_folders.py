"""What Hob keeps is its owner's alone, and so is every folder above it that Hob had to make."""

import os
import re
from pathlib import Path

import bot
from bot.paths import make_private


def test_a_folder_is_private_with_those_above_it_that_were_not_there(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir(mode=0o755)
    umask = os.umask(0o022)
    try:
        make_private(tmp_path / "shared" / "hob" / "knowledge")
        make_private(tmp_path / "shared" / "hob" / "knowledge")
    finally:
        os.umask(umask)
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "shared").rglob("*")}
    assert modes == {"hob": 0o700, "knowledge": 0o700}
    assert (tmp_path / "shared").stat().st_mode & 0o777 == 0o755


def test_no_folder_is_made_private_with_open_ones_above_it() -> None:
    """`mkdir(mode=…, parents=True)` gives the mode to the last folder only."""
    wrong = re.compile(r"mkdir\((?=[^)]*mode=)(?=[^)]*parents=True)")
    files = [path for path in Path(bot.__file__).parent.rglob("*.py") if wrong.search(path.read_text())]
    assert [path.name for path in files] == []
