"""What the service can is said by the service, and read by the doctor."""

import os
import time
from pathlib import Path

import pytest

from bot import sandbox
from bot.cli.doctor import machine
from bot.cli.doctor.line import Wrong
from bot.config import Config
from bot.config.code import CodeTable, SuiteTable
from bot.config.models import HobTable
from bot.core.sandbox_types import SandboxUnusable


def config(folder: Path) -> Config:
    return Config(hob=HobTable(data_dir=folder))


async def test_doctor_says_what_the_service_can_though_it_can_more_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "bot.sandbox.report.here", lambda: SandboxUnusable("bubblewrap does not work here: netlink")
    )
    sandbox.tell(tmp_path)
    file = tmp_path / "sandbox.json"
    assert file.stat().st_mode & 0o777 == 0o600
    file.write_text(file.read_text().replace(str(sandbox.told(tmp_path).at), str(time.time() - 7_300)))  # type: ignore[union-attr]
    monkeypatch.setattr("bot.sandbox.here", lambda: sandbox.bubblewrap.Bubblewrap("/b", "/p"))
    said = await machine.sandbox(config(tmp_path))
    assert said.startswith("none: bubblewrap does not work here: netlink for the service")
    assert f"process {os.getpid()}, 2 hours ago" in said
    assert "for this command: bubblewrap works" in said
    assert "ruff runs with limits alone" in said


async def test_doctor_says_so_where_no_service_has_run(tmp_path: Path) -> None:
    said = await machine.sandbox(config(tmp_path))
    assert "no worker has run yet" in said


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"name": 1}', "{" * 5_000, '{"at": "x"}'])
async def test_a_damaged_report_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "sandbox.json").write_text(text)
    assert sandbox.told(tmp_path) is None
    assert "no worker has run yet" in await machine.sandbox(config(tmp_path))


def test_a_folder_that_cannot_be_written_stops_no_worker(tmp_path: Path) -> None:
    assert sandbox.tell(tmp_path / "nowhere").pid == os.getpid()


async def test_doctor_says_whose_tests_are_run_and_what_they_lack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await machine.tests(config(tmp_path)) == "of no repository ([code.tests] in hob.toml)"
    opted = config(tmp_path).model_copy(
        update={"code": CodeTable(tests={"octo/tea": SuiteTable(command=("x",), mount=("/opt/no/where",))})}
    )
    monkeypatch.setattr("bot.sandbox.for_trees", lambda _: SandboxUnusable("bubblewrap is not installed"))
    with pytest.raises(Wrong, match="octo/tea: bubblewrap is not installed"):
        await machine.tests(opted)
    monkeypatch.setattr("bot.sandbox.for_trees", lambda _: sandbox.bubblewrap.Bubblewrap("/b", "/p"))
    with pytest.raises(Wrong, match="octo/tea: /opt/no/where is not there"):
        await machine.tests(opted)
    fine = {"octo/tea": SuiteTable(command=("x",))}
    assert await machine.tests(opted.model_copy(update={"code": CodeTable(tests=fine)})) == (
        "of octo/tea (this machine)"
    )
