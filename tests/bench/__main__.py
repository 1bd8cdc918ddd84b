"""`make bench`: every figure of the README's claims, its bar, and the baseline of the same run.
`ARGS="receiver memory"` runs some.

Medians over repeated runs. Bars are shown, not enforced: a slow machine is no bug. Linux (reads /proc).
"""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench import (
    batch,
    claims,
    implement,
    learning,
    linters,
    pages,
    patches,
    polling,
    pool,
    prefixes,
    receiver,
    remarks,
    reviews,
    scan,
    starting,
    triage,
    waiting,
    work,
)
from tests.bench.figure import Figure
from tests.bench.knowledge import duplicates
from tests.bench.knowledge.figures import figures as knowledge

BENCHES: dict[str, Callable[[Path], Iterator[Figure]]] = {
    "receiver": receiver.figures,
    "pool": pool.figures,
    "poll": polling.figures,
    "reviews": reviews.figures,
    "prefixes": prefixes.figures,
    "claims": claims.figures,
    "remarks": remarks.figures,
    "linters": linters.figures,
    "waiting": waiting.figures,
    "pages": pages.figures,
    "batch": batch.figures,
    "triage": triage.figures,
    "work": work.figures,
    "patches": patches.figures,
    "implement": implement.figures,
    "knowledge": knowledge,
    "duplicates": duplicates.figures,
    "learning": learning.figures,
    "scan": scan.figures,
    "starting": starting.figures,
}


def main(names: list[str]) -> int:
    out = Console(width=140)
    table = Table("figure", "measured", "bar", "baseline, same run", "", title="Hob, measured")
    for name in names or list(BENCHES):
        begun = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="hob-bench-") as folder:
            for figure in BENCHES[name](Path(folder)):
                print(f"{figure.name}: {figure.measured} ({figure.bar})", file=sys.stderr)
                table.add_row(
                    figure.name,
                    figure.measured,
                    figure.bar,
                    figure.baseline,
                    "ok" if figure.met else "MISSED",
                )
        print(f"{name}: {time.monotonic() - begun:.0f} s", file=sys.stderr)
    out.print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
