"""Control groups, in a folder that stands in for the kernel's: which group is taken, what is written into it,
and that it goes. What the kernel makes of it is not shown here."""

from pathlib import Path

import pytest

from bot.core.sandbox_types import TreeLimits
from bot.sandbox.cgroups import ControlGroup, group, parent

LIMITS = TreeLimits(memory_mb=100, processes=20)


def delegated(folder: Path, controllers: str = "cpu memory pids", inside: str = "") -> Path:
    """`hob.service`, with Hob in `hob.service/hob`, as systemd delegates it."""
    service = folder / "system.slice" / "hob.service"
    (service / "hob").mkdir(parents=True)
    (service / "cgroup.controllers").write_text(controllers)
    (service / "cgroup.procs").write_text(inside)
    (service / "cgroup.subtree_control").write_text("")
    (folder / "self").write_text("0::/system.slice/hob.service/hob\n")
    return service


def test_runs_get_groups_beside_hobs_own(tmp_path: Path) -> None:
    service = delegated(tmp_path)
    assert parent(tmp_path / "self", tmp_path) == service


@pytest.mark.parametrize(
    "told", ["", "0::/\n", "4:memory:/x\n0::/\n", "1:name=systemd:/\n", "0::/nowhere/hob\n", "0::/../../x\n"]
)
def test_where_none_is_delegated_there_is_none(told: str, tmp_path: Path) -> None:
    delegated(tmp_path)
    (tmp_path / "self").write_text(told)
    assert parent(tmp_path / "self", tmp_path) is None


def test_a_group_that_holds_processes_or_lacks_a_controller_is_not_taken(tmp_path: Path) -> None:
    delegated(tmp_path / "a", inside="17\n")
    delegated(tmp_path / "b", controllers="cpu")
    assert parent(tmp_path / "a" / "self", tmp_path / "a") is None
    assert parent(tmp_path / "b" / "self", tmp_path / "b") is None


def test_a_run_without_a_delegated_group_goes_without() -> None:
    with group(None, "suite-1", LIMITS) as made:
        assert made is None


def test_a_group_that_cannot_be_made_is_none(tmp_path: Path) -> None:
    with group(tmp_path / "gone", "suite-1", LIMITS) as made:
        assert made is None


def test_limits_are_written_and_all_in_it_is_killed_at_the_end(tmp_path: Path) -> None:
    service = delegated(tmp_path)
    with group(service, "suite-1", LIMITS) as made:
        assert made is not None
        files = {path.name: path.read_text() for path in made.folder.iterdir()}
        assert files == {
            "memory.max": str(100 << 20),
            "memory.swap.max": "0",
            "memory.oom.group": "1",
            "pids.max": "28",
        }
        assert made.joining(["a", "b"])[-3:] == [str(service / "suite-1" / "cgroup.procs"), "a", "b"]
        assert made.over() == ""
        (made.folder / "memory.events").write_text("low 0\noom 1\noom_kill 1\n")
        assert made.over() == "it used more memory than it may"
    assert (service / "suite-1" / "cgroup.kill").read_text() == "1"


def test_the_end_waits_until_nobody_is_left_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    service = delegated(tmp_path)
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        (service / "suite-1" / "cgroup.events").write_text("populated 0\n")

    monkeypatch.setattr("bot.sandbox.cgroups.time.sleep", sleep)
    with group(service, "suite-1", LIMITS) as made:
        assert isinstance(made, ControlGroup)
        (made.folder / "cgroup.events").write_text("populated 1\n")
    assert slept == [0.01]
