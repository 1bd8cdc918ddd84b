"""Which files are tests, and which of them test a file by their names alone. Pure."""

import posixpath
import re

_TEST = re.compile(
    r"(^|/)(tests?|specs?|__tests__|testing|e2e)/"
    r"|(^|/)(test_[^/]*|[^/]*([._-](test|spec)|_test|_spec|Tests?|Spec|IT))\.\w+$"
)
_AROUND = re.compile(r"^(?:test[_-])|(?:[._-](?:tests?|specs?)|Tests?|Spec|IT)$")


def is_test(path: str) -> bool:
    """By its folder or its name, as the usual tools find tests."""
    return _TEST.search(path) is not None


def subject(path: str) -> str:
    """What a test is named after, lower case: `tests/test_tea.py`, `tea.spec.ts` and `TeaTest.java` give
    `tea`. Of a file that is no test its own name."""
    stem = posixpath.basename(path).partition(".")[0]
    name = posixpath.basename(path).rpartition(".")[0]
    return (_AROUND.sub("", name if name != stem and is_test(path) else stem) or stem).casefold()
