"""Small repositories with a bug, an issue about it and tests that show it: cases for `hob eval --patches`.

`python -m tests.evals.made_patches FOLDER` makes them all, with `cases.jsonl`; each needs `python3` and its
standard library only.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.agents.conftest import make_repository

REPORTING = '''\
"""Runs the tests and writes what passed and failed as JUnit does."""

import sys
import unittest
from xml.sax.saxutils import quoteattr

suite = unittest.defaultTestLoader.discover("tests")
result = unittest.TestResult()
suite.run(result)
bad = {test.id() for test, _ in (*result.failures, *result.errors)}
every = [test for some in unittest.defaultTestLoader.discover("tests") for more in some for test in more]
lines = []
for test in every:
    group, _, name = test.id().rpartition(".")
    failure = "<failure/>" if test.id() in bad else ""
    lines.append(f"<testcase classname={quoteattr(group)} name={quoteattr(name)}>{failure}</testcase>")
with open("report.xml", "w") as file:
    file.write(f"<testsuite>{''.join(lines)}</testsuite>")
sys.exit(bool(bad))
'''


@dataclass(frozen=True)
class Bug:
    """`tests` fail as long as `wrong` stands where `right` should."""

    name: str
    issue: str
    source: str
    wrong: str
    right: str
    tests: str

    @property
    def path(self) -> str:
        return f"{self.name}.py"

    @property
    def test_path(self) -> str:
        return f"tests/test_{self.name}.py"

    @property
    def test_text(self) -> str:
        checks = "\n".join(f"        {line}" for line in self.tests.splitlines())
        head = f"import unittest\n\nimport {self.name}\n\n\nclass Made(unittest.TestCase):\n"
        before = "    def test_before(self):\n        self.assertTrue(True)\n\n"
        return f"{head}{before}    def test_mended(self):\n{checks}\n"

    @property
    def edit(self) -> dict[str, Any]:
        return {"path": self.path, "search": self.wrong, "replace": self.right}


BUGS = (
    Bug(
        "pages",
        "The number of pages is one too many\n\npage_count(20) gives 3 for pages of 10.",
        "def page_count(items):\n    return items // 10 + 1\n",
        "items // 10 + 1",
        "-(-items // 10)",
        "self.assertEqual([pages.page_count(n) for n in (0, 1, 10, 11, 20)], [0, 1, 1, 2, 2])",
    ),
    Bug(
        "basket",
        "Baskets share their contents\n\nAn item that was added to one basket is in the next one too.",
        "def add(item, basket=[]):\n    basket.append(item)\n    return basket\n",
        "def add(item, basket=[]):\n",
        "def add(item, basket=None):\n    basket = [] if basket is None else basket\n",
        "self.assertEqual(basket.add(1), [1])\nself.assertEqual(basket.add(2), [2])",
    ),
    Bug(
        "median",
        "The median of an even number of values is wrong\n\nmedian([1, 2, 3, 4]) should be 2.5.",
        "def median(values):\n    ordered = sorted(values)\n    return ordered[len(ordered) // 2]\n",
        "    return ordered[len(ordered) // 2]\n",
        "    half = len(ordered) // 2\n    return (ordered[half] + ordered[~half]) / 2\n",
        "self.assertEqual(median.median([4, 1, 3, 2]), 2.5)\nself.assertEqual(median.median([3, 1, 2]), 2)",
    ),
    Bug(
        "slug",
        "Slugs keep the blanks at the ends\n\nslug(' Hot Tea ') gives '-hot-tea-'.",
        "def slug(title):\n    return '-'.join(title.lower().split(' '))\n",
        "title.lower().split(' ')",
        "title.lower().split()",
        "self.assertEqual(slug.slug(' Hot  Tea '), 'hot-tea')",
    ),
    Bug(
        "leap",
        "1900 was no leap year\n\nis_leap(1900) is true, and is_leap(2000) must stay so.",
        "def is_leap(year):\n    return year % 4 == 0\n",
        "year % 4 == 0",
        "year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)",
        "self.assertEqual([leap.is_leap(y) for y in (1900, 2000, 2023, 2024)], [False, True, False, True])",
    ),
    Bug(
        "cut",
        "cut() gives more than was asked for\n\ncut('abcdef', 4) has five characters with its ellipsis.",
        "def cut(text, most):\n    return text if len(text) <= most else text[:most] + '…'\n",
        "text[:most] + '…'",
        "text[: most - 1] + '…'",
        "self.assertEqual(cut.cut('abcdef', 4), 'abc…')\nself.assertEqual(cut.cut('abcd', 4), 'abcd')",
    ),
)
OTHER = {"README.md": "# Made\n", "tests/__init__.py": "", "other.py": "KETTLES = 3\n"}


def make(folder: Path, bugs: Sequence[Bug] = BUGS) -> Path:
    """`cases.jsonl`: of each bug a case whose tests are in the repository, told by their exit code, and every
    other time one whose tests no model sees, told by their names."""
    lines = []
    for place, bug in enumerate(bugs):
        hidden = place % 2 == 1
        root = folder / bug.name
        root.mkdir(parents=True)
        files = {bug.path: bug.source, **OTHER}
        make_repository(root, files if hidden else {**files, bug.test_path: bug.test_text})
        base = subprocess.check_output(["git", "-C", str(root), "rev-parse", "HEAD"], text=True).strip()
        case: dict[str, Any] = {"repo": bug.name, "base": base, "issue": bug.issue, "language": "python"}
        if hidden:
            case |= {
                "command": ["python3", "-B", "reporting.py"],
                "report": "report.xml",
                "tests": [f"test_{bug.name}.Made::test_mended"],
                "files": {"reporting.py": REPORTING, bug.test_path: bug.test_text},
            }
        else:
            case["tests"] = ["python3", "-B", "-m", "unittest", f"tests.test_{bug.name}"]
        lines.append(json.dumps(case))
    file = folder / "cases.jsonl"
    file.write_text("\n".join(lines) + "\n")
    return file


if __name__ == "__main__":
    print(make(Path(sys.argv[1])))
