"""Which files are tests, and what each tests by its name alone."""

import re
from collections.abc import Iterable
from pathlib import PurePosixPath

_TEST = re.compile(
    # a folder
    r"(?:^|/)(?:(?i:tests?|testing|specs?|__tests__|e2e|cypress|tests?[._-][^/]*|[^/]*[._-]tests?)"
    r"|[^/]*[a-z0-9]Tests?)/"
    # a name
    r"|(?:^|/)(?:test_[^/]*|conftest|tests?(?=\.(?!(?:ya?ml|toml|json|ini|cfg|md|rst|txt)$)))\.\w+$"
    r"|(?:^|/)test-[^/]*\.(?:[cm]?[jt]sx?|[rR])$"
    r"|(?:^|/)(?:Test[A-Z][^/]*|[^/]*[a-z0-9]IT(?:Case)?)\.(?:java|kts?|groovy|scala|cs)$"
    r"|[._-](?:tests?|specs?|cy|e2e)(?:\.\w+){1,2}$"
    r"|(?:Tests?|TestCase|Spec)\.\w+$"
)
_AROUND = re.compile(
    r"^(?:test|spec)[_.-]|^Test(?=[A-Z])|(?:[._-](?:tests?|specs?|cy|e2e)|[._-]?(?:Tests?|TestCase|Spec|IT|ITCase))$"
)


def is_test(path: str) -> bool:
    """By its folder or its name, as the usual tools find tests: pytest, go test, jest, mocha, cypress, RSpec,
    JUnit with Maven and Gradle, NUnit, ScalaTest, testthat. What lies among tests counts as one."""
    return _TEST.search(path) is not None


def is_prose(path: str) -> bool:
    """Text that people read and nothing runs, by its ending."""
    return path.lower().endswith((".md", ".mdx", ".rst", ".adoc", ".txt"))


def subject(path: str) -> str:
    """What a test is named after, lower case: `tests/test_tea.py`, `tea.spec.ts` and `TeaTest.java` give
    `tea`. Of a file that is no test its own name."""
    stem = PurePosixPath(path).stem
    return ((_AROUND.sub("", stem) if is_test(path) else stem) or stem).casefold()


def tests_of(path: str) -> Iterable[str]:
    """Where the usual tools look for the tests of a file."""
    here = PurePosixPath(path)
    name, end, folder = subject(path), here.suffix, str(here.parent)
    inside = "/".join(here.parts[1:-1])
    for place in ("tests", f"tests/{inside}", f"tests/{folder}", "test", folder, f"{folder}/tests"):
        for one in (f"test_{name}{end}", f"{name}_test{end}", f"{name}.test{end}", f"{name}.spec{end}"):
            yield str(PurePosixPath(place, one))
