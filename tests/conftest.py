"""What holds for every test: a skip names what to install, and is none where nothing may be missing."""

import gc
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Generator, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from pytest_rerunfailures import StatusDB
from xdist.scheduler import LoadGroupScheduling

from tests import needs
from tests.long import LONG

# Under PYTHONDONTWRITEBYTECODE, which images set, each process that a test starts would compile Hob anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

gc.disable()  # until all tests are collected: each collection would walk through all of them

STRICT = os.environ.get("HOB_TEST_STRICT") == "1"

MEMORY, ROOM = Path("/dev/shm"), 4 << 30
"""Where Linux keeps files in memory, and how many bytes must be free there."""


def _keep_folders_in_memory() -> None:
    """Tests wait for the disk half of their time: each commit of each database goes to it. Where a person has
    said where the folders go they stay there."""
    if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


_keep_folders_in_memory()


@pytest.fixture
def disk_path() -> Iterator[Path]:
    """In place of `tmp_path` where a sandbox is to see the folder: what lies below /dev is the system's."""
    with tempfile.TemporaryDirectory(prefix="hob-test-") as folder:
        yield Path(folder).resolve()


settings.register_profile("long", max_examples=1000)
if LONG:
    settings.load_profile("long")


def pytest_xdist_auto_num_workers() -> int:
    """Two on a processor: most tests wait for servers and processes half of their time."""
    return 2 * len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2 * (os.cpu_count() or 1)


class _Scheduling(LoadGroupScheduling):
    """A file that names a group runs on that group's worker. With pytest 9.2 xdist 3.8 no longer writes the
    group behind a test's id, where its own scheduling looks for it, and what may not run at once did."""

    def _split_scope(self, nodeid: str) -> str:
        return _group(self.config.rootpath / nodeid.partition("::")[0]) or nodeid


@cache
def _group(file: Path) -> str:
    """Empty where there is none."""
    found = re.search(r'xdist_group\("([^"]+)"\)', file.read_text("utf-8"))
    return found[1] if found else ""


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> _Scheduling:
    gc.enable()  # the process that only hands out collects no tests
    return _Scheduling(config, log)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("skipped")
    group.addoption("--skipped-to", metavar="FILE", help="write the ids of the tests that were skipped")
    group.addoption("--only-from", metavar="FILE", help="run the tests whose ids are there, and no others")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A skip is a failure where nothing may be missing, but for what nobody can install."""
    report = yield
    kept = hasattr(report, "wasxfail") or needs.NOT_TO_BE_HAD in str(report.longrepr)
    if STRICT and report.skipped and not kept:
        report.outcome = "failed"
        report.longrepr = f"HOB_TEST_STRICT=1, and this was skipped: {_why(report)}"
    return report


def _why(report: pytest.TestReport) -> str:
    return report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """The file is written by the process that people started, not by its workers. Those count for themselves
    how often they tried a test, and ask that process nothing; what ends its worker has no second try."""
    if hasattr(config, "workerinput") and hasattr(config, "failures_db"):  # not without that plugin
        config.failures_db.sock.close()
        config.failures_db = StatusDB()
    if (path := config.getoption("skipped_to")) and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Skipped(Path(path)))


class _Skipped:
    """Writes down which tests were skipped, as each is."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.write_text("")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped and not hasattr(report, "wasxfail"):
            with self._path.open("a") as file:
                file.write(_plain(report.nodeid) + "\n")


def pytest_collection_finish() -> None:
    """What is there now stays until the end, and is looked through no more."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)  # a twentieth of a test's time went into looking
    gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves those that a file names. One that is not there any more is an error, not a test less."""
    if not (path := config.getoption("only_from")):
        return
    wanted = set(Path(path).read_text().splitlines())
    kept = [item for item in items if _plain(item.nodeid) in wanted]
    if gone := wanted - {_plain(item.nodeid) for item in kept}:
        raise pytest.UsageError(f"{path} names tests that are not here: {', '.join(sorted(gone))}")
    config.hook.pytest_deselected(items=[item for item in items if item not in set(kept)])
    items[:] = kept


def _plain(nodeid: str) -> str:
    """Without the group that xdist writes behind it."""
    head, mark, group = nodeid.rpartition("@")
    return head if mark and "]" not in group and "::" not in group else nodeid
