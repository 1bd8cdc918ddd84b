"""Coverage reports as CI publishes them: Cobertura's XML and lcov's tracefiles. Both are a stranger's text.

https://github.com/cobertura/cobertura/blob/master/cobertura/src/site/htdocs/xml/coverage-04.dtd
https://github.com/linux-test-project/lcov/blob/master/man/geninfo.1 ("TRACEFILE FORMAT")
"""

import re
from collections import defaultdict
from dataclasses import dataclass
from xml.parsers import expat

from bot.core.hostile_xml import BadReport, parser

MOST_CHARS = 20_000_000
MOST_LINES = 2_000_000
_NUMBER = re.compile(r"\d{1,9}")
_BRANCHES = re.compile(r"\((\d{1,6})/(\d{1,6})\)")


@dataclass(slots=True)
class Tested:
    """One line: how often it ran, and how many of its branches did."""

    hits: int = 0
    taken: int = 0
    branches: int = 0


CoverageReport = dict[str, dict[int, Tested]]
"""path, as the report writes it -> line -> what is known"""


def read(text: str) -> CoverageReport:
    """BadReport for what is neither, or is over 20 million characters."""
    if len(text) > MOST_CHARS:
        raise BadReport("too large")
    if text.lstrip("\ufeff \r\n\t").startswith("<"):
        return _Cobertura().read(text)
    if re.search(r"^SF:", text, re.MULTILINE):
        return _lcov(text)
    raise BadReport("neither Cobertura nor lcov")


class _Cobertura:
    """Element by element; nothing is kept but numbers."""

    def __init__(self) -> None:
        self.report: CoverageReport = defaultdict(dict)
        self.path = ""
        self.count = 0
        self.parser = parser()
        self.parser.StartElementHandler = self._start

    def read(self, text: str) -> CoverageReport:
        try:
            self.parser.Parse(text.encode("utf-8", "replace"), True)
        except (expat.ExpatError, LookupError):
            raise BadReport("not valid XML") from None
        return dict(self.report)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if self.count == 0 and name != "coverage":
            raise BadReport("not Cobertura")
        self.count += 1
        if self.count > MOST_LINES:
            raise BadReport("too many elements")
        if name == "class":
            self.path = attributes.get("filename", "")
        elif name == "line" and self.path and (number := _whole(attributes.get("number"))):
            branches = _BRANCHES.search(attributes.get("condition-coverage", ""))
            taken, all_of = (int(branches[1]), int(branches[2])) if branches else (0, 0)
            _add(self.report[self.path], number, Tested(_whole(attributes.get("hits")), taken, all_of))


def _lcov(text: str) -> CoverageReport:
    report: CoverageReport = defaultdict(dict)
    path = ""
    for row in text.split("\n")[:MOST_LINES]:
        kind, _, rest = row.strip().partition(":")
        parts = rest.split(",")
        if kind == "SF":
            path = rest
        elif kind == "DA" and path and len(parts) > 1 and (number := _whole(parts[0])):
            _add(report[path], number, Tested(_whole(parts[1])))
        elif kind == "BRDA" and path and len(parts) > 3 and (number := _whole(parts[0])):
            line = report[path].setdefault(number, Tested())
            line.branches += 1
            line.taken += _whole(parts[3]) > 0
    return dict(report)


def _add(lines: dict[int, Tested], number: int, told: Tested) -> None:
    """The same line told again (a class in a class) keeps the best."""
    known = lines.setdefault(number, told)
    known.hits = max(known.hits, told.hits)
    known.taken, known.branches = max(known.taken, told.taken), max(known.branches, told.branches)


def _whole(text: str | None) -> int:
    return int(text) if text and _NUMBER.fullmatch(text) else 0


def lines_of(report: CoverageReport, path: str) -> dict[int, Tested]:
    """What a report says of a file of the repository. It may write the path from another folder on, or in
    full; where two of its paths could be meant, nothing is said."""
    if path in report:
        return report[path]
    ends = [
        name for name in report if name.endswith(f"/{path}") or path.endswith(f"/{name.removeprefix('./')}")
    ]
    return report[ends[0]] if len(ends) == 1 else {}
