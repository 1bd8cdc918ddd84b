"""Files that git could not merge, for tests: cut into hunks as the clone does."""

import subprocess
import tempfile
from pathlib import Path

from bot.core.merging import Conflict
from bot.git import command, environment
from bot.knowledge.merge_texts import Sides, longest_mark, sides, taken_apart


def conflict(path: str, base: str, ours: str, theirs: str) -> Conflict:
    given = sides([one.encode() for one in (base, ours, theirs)])
    assert isinstance(given, Sides)
    size = longest_mark(given) + 7
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder, name) for name in ("ours", "base", "theirs")]
        for file, text in zip(files, (given.ours, given.base, given.theirs), strict=True):
            file.write_text(text, newline="")
        asked = command("merge-file", "-p", "--diff3", f"--marker-size={size}", *map(str, files))
        made = subprocess.run(asked, capture_output=True, check=False, env=environment(own=True)).stdout
    parts = tuple(taken_apart(made.decode(), size))
    return Conflict(
        path,
        parts=parts,
        base=given.base,
        ours=given.ours,
        theirs=given.theirs,
        eol=given.eol,
        ended=given.ended,
    )
