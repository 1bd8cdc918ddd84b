"""What the service can, said by the service: `hob work` writes at its start which sandbox works for it, and
`hob doctor`, which may run under other restrictions, reads it."""

import json
import os
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from bot.core.sandbox_types import SandboxUnusable
from bot.sandbox.ways import here

FILE = "sandbox.json"
MOST_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Report:
    """`name` is the sandbox's; empty where none works, and `why` says why. `at` is in epoch seconds."""

    name: str
    why: str
    at: float
    pid: int


def tell(data_dir: Path) -> Report:
    """Tries the sandbox as this process is, and writes down what came of it. A folder that cannot be written
    is not complained of here."""
    found = here()
    name, why = ("", str(found)) if isinstance(found, SandboxUnusable) else (found.name, "")
    report = Report(name, why, time.time(), os.getpid())
    with suppress(OSError):
        fresh = data_dir / f".{FILE}.{report.pid}"
        fresh.write_text(json.dumps(asdict(report)))
        fresh.chmod(0o600)
        fresh.replace(data_dir / FILE)
    return report


def told(data_dir: Path) -> Report | None:
    """What a worker wrote last; None where none did, or it cannot be read."""
    try:
        with (data_dir / FILE).open("rb") as file:
            found = json.loads(file.read(MOST_BYTES))
        return Report(str(found["name"]), str(found["why"])[:300], float(found["at"]), int(found["pid"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
