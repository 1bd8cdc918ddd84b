"""`make soak MINUTES=30 SEED=1`: a receiver, three workers, PostgreSQL and Redis, for so long; 5,000 events
in 30 minutes of five accounts of unequal load, and everything fails now and then. Each figure beside its bar;
ends with 1 where one is missed. The same SEED does the same at the same times. Linux (reads /proc)."""

import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

import pytest
from rich.console import Console
from rich.table import Table

from tests import needs
from tests.soak.figures import figures
from tests.soak.soak import Plan, Soak

EVENTS_A_MINUTE = 5_000 / 30


def main() -> int:
    minutes = float(os.environ.get("MINUTES") or 30)
    seed = int(os.environ.get("SEED") or int(time.time()) % 100_000)
    events = int(os.environ.get("EVENTS") or round(EVENTS_A_MINUTE * minutes))
    plan = Plan(minutes * 60, events, seed, alone=max(20, min(60, round(2 * minutes))))
    _say(f"{events:,} events in {minutes:g} minutes, SEED={seed}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that nothing is left running
    folder = Path(tempfile.mkdtemp(prefix="hob-soak-"))
    try:
        needs.proc()
        soaked = Soak(folder, plan, _say).run()
    except pytest.skip.Exception as missing:
        _say(str(missing))
        return 2
    finally:
        if os.environ.get("KEEP"):
            _say(f"logs are in {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    out = Console(width=150)
    table = Table("figure", "measured", "bar", "", title=f"Hob, {minutes:g} minutes, SEED={seed}")
    met = True
    for figure in figures(soaked):
        met &= figure.met
        table.add_row(figure.name, figure.measured, figure.bar, "ok" if figure.met else "MISSED")
    out.print(table)
    return 0 if met else 1


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
