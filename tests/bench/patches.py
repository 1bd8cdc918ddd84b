"""Scripted patches (`tests.patches`) over the files of local clones: `HOB_BENCH_CLONES` names them (bare ones
do), separated by colons; without it, over this repository's own and small ones of other languages.
`HOB_BENCH_PATCHES`: how often three hundred are made, each time over other files."""

import os
import random
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from bot.core.edit_paths import why_not
from bot.core.edits import apply
from tests.bench.figure import Figure
from tests.patches import scripted
from tests.patches.case import LANGUAGES, OTHERS, own_sources
from tests.patches.test_scripted import wrong

FILES = 60
"""Of one language in one clone, at most."""
MOST = 200_000
"""Bytes of a file."""
ROUNDS = int(os.environ.get("HOB_BENCH_PATCHES", "10"))


def of_clone(clone: Path, seed: int) -> dict[str, str]:
    """Texts at its head, chosen by chance; those alone that are UTF-8 and may be changed, with line feeds:
    other line ends are the cases' own."""
    git = ["git", "-C", str(clone)]
    listed = subprocess.run([*git, "ls-tree", "-r", "-z", "HEAD"], check=True, capture_output=True).stdout
    rows = [row.split("\t", 1) for row in listed.decode("utf-8", "replace").split("\0") if row]
    files = {path: told.split()[2] for told, path in rows if told.startswith("100") and not why_not(path)}
    name = clone.parent.name if clone.name in ("repo", ".git") else clone.name
    chance, found = random.Random(seed), dict[str, str]()
    for end in (*LANGUAGES, *OTHERS):
        some = sorted(path for path in files if path.endswith(end))
        for path in chance.sample(some, min(FILES, len(some))):
            blob = subprocess.run([*git, "cat-file", "blob", files[path]], check=True, capture_output=True)
            try:
                text = blob.stdout.decode()
            except UnicodeDecodeError:
                continue
            text = text.replace("\r\n", "\n")
            if text.count("\n") > 12 and len(text) < MOST and not {"\0", "\r"} & set(text):
                found[f"{name}/{path}"] = text
    return found


def figures(folder: Path) -> Iterator[Figure]:
    clones = [Path(one) for one in os.environ.get("HOB_BENCH_CLONES", "").split(":") if one]
    sources = {path: text for clone in clones for path, text in of_clone(clone, 12).items()} or own_sources()
    told: Counter[str] = Counter()
    bad: list[str] = []
    spent = 0.0
    for seed in range(ROUNDS):
        for case in scripted(sources, seed):
            kind = "good" if not case.cause else "malicious" if case.malicious else "mistaken"
            told[kind] += 1
            begun = time.perf_counter()
            apply(case.edits, case.heads)
            spent += time.perf_counter() - begun
            if said := wrong(case):
                bad.append(kind)
                print(f"{kind} {case.name}, {next(iter(case.heads))}: {said[:300]}", flush=True)
    ends = Counter(Path(path).suffix for path in sources)
    over = ", ".join(f"{count} {end}" for end, count in ends.most_common())
    for kind, bar in (
        ("good", "all applied byte for byte"),
        ("mistaken", "all refused with the reason"),
        ("malicious", "all refused with the reason"),
    ):
        right = told[kind] - bad.count(kind)
        name = f"{kind} patches, of {len(sources)} files ({over})"
        yield Figure(name, f"{right} of {told[kind]}", bar, right == told[kind])
    mean = 1000 * spent / sum(told.values())
    yield Figure("a patch tried on its files", f"{mean:.1f} ms", "< 50 ms", mean < 50)
