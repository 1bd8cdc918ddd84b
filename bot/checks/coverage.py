"""Changed lines and branches that no test ran, by the reports that CI published for this head. Said once:
what CI's check runs have named already is not named again."""

from collections.abc import Iterable
from itertools import pairwise

from bot.checks import reports
from bot.checks.reports import CoverageReport
from bot.core.check_input import CheckedChange
from bot.core.findings import Finding
from bot.core.hostile_xml import BadReport
from bot.core.sandbox_types import RunProgram
from bot.core.text import in_code, some_of

MOST_NAMED = 10
"""Places in one remark."""


async def run(change: CheckedChange, _: RunProgram) -> list[Finding] | None:
    """One finding at most; None where no report tells of a changed line."""
    read = [found for text in change.reports.values() if (found := _read(text))]
    untested: dict[str, list[int]] = {}
    half: dict[str, list[int]] = {}
    known = 0
    for path, added in change.added.items():
        said = change.told.get(path, frozenset()) & added
        known += len(said)
        for number in sorted(added - said):
            told = [line for report in read if (line := reports.lines_of(report, path).get(number))]
            known += bool(told)
            if told and not any(line.hits for line in told):
                untested.setdefault(path, []).append(number)
            elif (
                told
                and any(line.branches for line in told)
                and all(line.taken < line.branches for line in told if line.branches)
            ):
                half.setdefault(path, []).append(number)
    if not known:
        return None
    return [_finding(change, untested, half, known)] if untested or half else []


def _read(text: str) -> CoverageReport | None:
    try:
        return reports.read(text)
    except BadReport:
        return None


def _finding(
    change: CheckedChange, untested: dict[str, list[int]], half: dict[str, list[int]], known: int
) -> Finding:
    path, numbers = next(iter((untested or half).items()))
    count = sum(map(len, untested.values()))
    branches = sum(map(len, half.values()))
    title = f"{count} of {known} changed lines are run by no test" if count else "Not every branch is tested"
    said = []
    if count:
        said.append(f"No test runs {_places(untested)}.")
    if branches:
        said.append(f"Not every branch is taken at {_places(half)}.")
    return Finding(
        path=path,
        severity="minor",
        category="coverage",
        title=title,
        body=" ".join(said) + " By the coverage report that CI published for this commit.",
        quote=_text(change, path, numbers[0]),
        source="coverage",
        line=numbers[0],
    )


def _places(lines: dict[str, list[int]]) -> str:
    """`a.py:3-5`, `a.py:9` …"""
    places = [
        in_code(f"{path}:{first}{f'-{last}' if last > first else ''}")
        for path, numbers in lines.items()
        for first, last in _ranges(numbers)
    ]
    return some_of(places, MOST_NAMED)


def _ranges(numbers: list[int]) -> Iterable[tuple[int, int]]:
    starts = [numbers[0], *(after for before, after in pairwise(numbers) if after > before + 1)]
    ends = [*(before for before, after in pairwise(numbers) if after > before + 1), numbers[-1]]
    return zip(starts, ends, strict=True)


def _text(change: CheckedChange, path: str, number: int) -> str:
    lines = (
        line for file in change.files if file.path == path for hunk in file.hunks or () for line in hunk.lines
    )
    return next((line.text for line in lines if line.new == number), "")
