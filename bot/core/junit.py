"""Reports of tests in the XML that JUnit began and everybody writes: names of those that passed and of those
that did not. A stranger's text, read in one pass.

https://github.com/testmoapp/junitxml https://docs.pytest.org/en/stable/how-to/output.html#creating-junitxml-format-files
"""

from dataclasses import dataclass, field
from xml.parsers import expat

from bot.core.hostile_xml import BadReport, parser
from bot.core.text import for_terminal

MOST_BYTES = 64 << 20
MOST_TESTS = 100_000
MOST_ELEMENTS = 1_000_000
LONGEST_NAME = 400
_ROOTS = ("testsuites", "testsuite")
_FAILED = ("failure", "error")
_SKIPPED = ("skipped", "disabled", "ignored")
_STATES = {
    **dict.fromkeys(("failed", "failure", "fail", "error", "errored", "timeout"), "failed"),
    **dict.fromkeys(("notrun", "skipped", "disabled", "ignored", "suppressed", "pending"), "skipped"),
}
"""What `status` and `result` of a test say in reports of GoogleTest, CTest and others."""


@dataclass(slots=True)
class SuiteNames:
    """`class::name`, at most 400 characters of each. One that is told twice passed if it did each time; what
    was skipped is in neither."""

    passed: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)


def read(data: bytes) -> SuiteNames:
    """BadReport for what is none, or too large."""
    if len(data) > MOST_BYTES:
        raise BadReport(f"it is over {MOST_BYTES >> 20} MB")
    return _Reader().read(data)


class _Reader:
    def __init__(self) -> None:
        self.names = SuiteNames()
        self.elements = self.depth = 0
        self.test, self.state, self.test_depth = "", "passed", 0
        self.parser = parser()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end

    def read(self, data: bytes) -> SuiteNames:
        try:
            self.parser.Parse(data, True)
        except (expat.ExpatError, LookupError, UnicodeError):
            raise BadReport("it is no XML that can be read") from None
        except ValueError as error:  # an encoding of several bytes
            raise error if isinstance(error, BadReport) else BadReport("its encoding is not known") from None
        self.names.passed -= self.names.failed
        return self.names

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if self.elements == 0 and name not in _ROOTS:
            raise BadReport("it is no report of tests: it begins with another element than testsuites")
        self.elements += 1
        self.depth += 1
        if self.elements > MOST_ELEMENTS:
            raise BadReport(f"it has more than {MOST_ELEMENTS:,} elements")
        if name == "testcase" and not self.test:
            where = (attributes.get("classname") or attributes.get("file") or "")[:LONGEST_NAME]
            said = attributes.get("name", "")[:LONGEST_NAME]
            told = {_STATES.get(attributes.get(one, "").casefold(), "passed") for one in ("status", "result")}
            state = next((one for one in ("failed", "skipped") if one in told), "passed")
            self.test, self.state, self.test_depth = _plain(where, said), state, self.depth
        elif self.test and self.depth == self.test_depth + 1:
            kind = name.rpartition(":")[2].casefold()
            if kind in _FAILED:
                self.state = "failed"
            elif kind in _SKIPPED and self.state == "passed":
                self.state = "skipped"

    def _end(self, name: str) -> None:
        if self.test and self.depth == self.test_depth:
            if self.state != "skipped":
                (self.names.passed if self.state == "passed" else self.names.failed).add(self.test)
            if len(self.names.passed) + len(self.names.failed) > MOST_TESTS:
                raise BadReport(f"it names more than {MOST_TESTS:,} tests")
            self.test = ""
        self.depth -= 1


def _plain(where: str, said: str) -> str:
    whole = f"{where}::{said}" if where else said
    if not (whole.isascii() and whole.isprintable()):
        whole = for_terminal(whole).replace("\n", " ")
    return whole.strip()[:LONGEST_NAME] or "?"
