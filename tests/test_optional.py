"""`make test` works with what requirements-test.txt pins and nothing else: what a machine may lack is a skip
that names what to install, and a failure where nothing may be missing."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[1]
OWN = ("bot", "handlers", "tests", "prompts")


@cache
def pinned() -> frozenset[str]:
    text = (ROOT / "requirements-test.txt").read_text()
    return frozenset(re.findall(r"^([a-z0-9._-]+)(?:\[[^\]]*\])?==", text, re.MULTILINE | re.IGNORECASE))


def imported(body: list[ast.stmt]) -> Iterator[str]:
    """Dotted names that a module imports as it is imported itself."""
    for node in body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "relative imports are not read here"
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            yield from imported(node.orelse)
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for part in ("body", "orelse", "finalbody", "handlers"):
                yield from imported(getattr(node, part, []))


def collected() -> Iterator[tuple[Path, str]]:
    """Each foreign name that is imported with the tests, and the module that imports it."""
    todo = [*ROOT.glob("tests/**/test_*.py"), *ROOT.glob("tests/**/conftest.py")]
    seen = set(todo)
    while todo:
        at = todo.pop()
        for name in imported(ast.parse(at.read_text()).body):
            if name.partition(".")[0] not in OWN:
                yield at, name.partition(".")[0]
            parts = name.replace(".", "/")
            for own in (ROOT / f"{parts}.py", ROOT / parts / "__init__.py"):
                if own.is_file() and own not in seen:
                    seen.add(own)
                    todo.append(own)


def test_a_fresh_clone_collects_every_test() -> None:
    """What comes with the tests is Python's own, ours, or pinned for them."""
    dists = packages_distributions()
    for at, name in collected():
        known = {re.sub(r"[-_.]+", "-", dist).lower() for dist in dists.get(name, ())}
        assert name in sys.stdlib_module_names or known & pinned(), (
            f"{at.relative_to(ROOT)} imports {name}, which requirements-test.txt has not: "
            "import it in a function, after tests.needs has looked for it"
        )


def test_no_module_is_skipped_whole() -> None:
    """What is skipped at collection has no tests that could be named, and run where nothing is missing."""
    for path in (ROOT / "tests").glob("**/*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                whole = any(keyword.arg == "allow_module_level" for keyword in node.keywords)
                assert not called.endswith("importorskip") and not whole, f"{path}:{node.lineno}"


INNER = """
import pytest
from tests import needs

@pytest.fixture
def part():
    needs.missing("the part", "it with `apt-get install part`")

def test_needs(part): pass
@pytest.mark.xdist_group("one")
@pytest.mark.parametrize("given", ["a@b", "c"])
def test_needs_too(given): needs.missing("the other part", "other")
@pytest.mark.skipif(True, reason="of another system")
def test_elsewhere(): pass
def test_works(): pass
"""


UNUSED = [
    f"-pno:{plugin}" for plugin in ("hypothesispytest", "cov", "rerunfailures", "asyncio", "timeout", "anyio")
]


def inner(folder: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_inner.py").write_text(INNER)
    (folder / "conftest.py").write_text("from tests.conftest import *\n")
    (folder / "pytest.ini").write_text("[pytest]\n")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HOB_", "PYTEST_"))}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-ra", "--dist=loadgroup", "-cpytest.ini", *UNUSED, *arguments],
        cwd=folder, env={**kept, "PYTHONPATH": str(ROOT), **environ}, text=True, capture_output=True,
    )  # fmt: skip


def test_what_is_missing_is_named_and_run_where_nothing_may_be(tmp_path: Path) -> None:
    ids = tmp_path / "skipped"
    said = inner(tmp_path, f"--skipped-to={ids}", "-n1")
    assert "1 passed, 4 skipped" in said.stdout
    assert "the part is not here; install it with `apt-get install part`" in said.stdout
    assert sorted(ids.read_text().split()) == [
        "test_inner.py::test_elsewhere",
        "test_inner.py::test_needs",
        "test_inner.py::test_needs_too[a@b]",
        "test_inner.py::test_needs_too[c]",
    ]
    strict = inner(tmp_path, f"--only-from={ids}", HOB_TEST_STRICT="1")
    assert strict.returncode == 1
    assert "1 deselected" in strict.stdout
    assert "passed" not in strict.stdout.splitlines()[-1] and "skipped" not in strict.stdout.splitlines()[-1]
    assert "HOB_TEST_STRICT=1, and this was skipped" in strict.stdout


def test_a_test_that_is_gone_does_not_count_as_run(tmp_path: Path) -> None:
    ids = tmp_path / "skipped"
    ids.write_text("test_inner.py::test_works\ntest_inner.py::test_gone\n")
    said = inner(tmp_path, f"--only-from={ids}")
    assert said.returncode != 0
    assert "test_gone" in said.stdout + said.stderr
