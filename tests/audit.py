"""`make audit`: known weaknesses of what the lock files pin, as the index they are installed from knows them.

Ends with 0 where each package was asked about and has none, with 1 where one has, and with 75 where one could
not be asked about: without the network, or behind a mirror that knows of no weaknesses (pip-audit itself ends
with 0 there). What is installed on other systems alone is not asked about: pip-audit reads the lock files as
this one does."""

import json
import subprocess
import sys
from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
NOT_ASKED = 75
"""EX_TEMPFAIL of sysexits.h: try again."""
SECONDS = 300
IGNORED: dict[str, tuple[str, date]] = {}
"""Weakness, by the id that is printed -> why Hob is not concerned, and until when that is believed."""


def main() -> int:
    locks = sorted(map(str, ROOT.glob("requirements*.txt")))
    command = [sys.executable, "-m", "pip_audit", "--format=json", "--progress-spinner=off", "--disable-pip"]
    command += ["--require-hashes", "--no-deps", *(word for lock in locks for word in ("-r", lock))]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return say(["not asked: no answer within five minutes"], NOT_ASKED)
    try:
        answer = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        why = (done.stderr.strip().splitlines() or ["pip-audit said nothing"])[-1]
        return say([f"not asked: {why[:300]}"], NOT_ASKED)
    return say(*judged(answer, datetime.now(UTC).date()))


def judged(packages: list[dict[str, Any]], today: date) -> tuple[list[str], int]:
    """What to say, and how to end. `packages` are pip-audit's, each with `vulns` or a `skip_reason`."""
    found = sorted({line for one in packages for line in _weaknesses(one, today)})
    skipped = sorted(
        {f"{one['name']} {one.get('version', '')}".strip() for one in packages if "vulns" not in one}
    )
    if found:
        return found, 1
    if skipped or not packages:
        asked = len({one["name"] for one in packages}) - len(skipped)
        return [
            f"not asked: nobody here knows of {some(skipped)}; {asked} others have no known weakness"
        ], NOT_ASKED
    return [f"{len({one['name'] for one in packages})} packages, no known weakness"], 0


def _weaknesses(package: dict[str, Any], today: date) -> Iterable[str]:
    for one in package.get("vulns", ()):
        why, until = IGNORED.get(one["id"], ("", date.min))
        if not why or until < today:
            fixed = ", ".join(one.get("fix_versions") or ()) or "no version yet"
            gone = f" (was let pass until {until}: {why})" if why else ""
            yield f"{package['name']} {package['version']}: {one['id']}, fixed in {fixed}{gone}"


def some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "") or "anything"


def say(lines: list[str], code: int) -> int:
    for line in lines:
        print(f"audit: {line}")
    return code


if __name__ == "__main__":
    sys.exit(main())
