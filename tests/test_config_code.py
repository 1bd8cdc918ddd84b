"""`[code.tests]` as an operator writes it, and the sentences that answer a mistake."""

from pathlib import Path, PurePosixPath

import pytest

from bot.config import Config, load_config
from bot.core.errors import ConfigError
from bot.core.sandbox_types import Mount

TABLE = '[hob]\nlog_level = "info"\n[code.tests."octo/tea"]\n'
RUNS = 'command = ["pytest"]\n'


@pytest.fixture
def tmp_path(disk_path: Path) -> Path:
    return disk_path


def load(folder: Path, text: str, **environ: str) -> Config:
    file = folder / "hob.toml"
    file.write_text(text)
    return load_config(file, {"HOB_HOB__DATA_DIR": str(folder / "data"), **environ})


def test_a_repository_is_opted_in_by_name_whatever_its_capitals(tmp_path: Path) -> None:
    more = 'report = "out/report.xml"\nmount = ["/opt/tea", "/srv/modules:/repo/node_modules"]\n'
    code = load(tmp_path, TABLE + RUNS + more).code
    table = code.suite("Octo/TEA")
    assert table is not None and code.suite("octo/coffee") is None
    assert table.mounts == (
        Mount(PurePosixPath("/opt/tea"), PurePosixPath("/opt/tea")),
        Mount(PurePosixPath("/srv/modules"), PurePosixPath("/repo/node_modules")),
    )
    assert (table.seconds, table.memory_mb, code.tests_at_once) == (600.0, 2048, 1)


def test_a_run_has_the_time_that_its_tests_and_minutes_may_take(tmp_path: Path) -> None:
    assert load(tmp_path, "").code.longest_seconds >= 3600
    assert load(tmp_path, "[code]\nminutes = 120\n").code.longest_seconds > 120 * 60
    slow = load(tmp_path, TABLE + RUNS + "seconds = 3000\n").code
    assert slow.longest_seconds > 7 * 3000  # twice whole, again, alone, and once as it was


def test_the_environment_names_them_as_json(tmp_path: Path) -> None:
    told = load(tmp_path, "", HOB_CODE__TESTS='{"octo/tea": {"command": ["make", "test"]}}')
    assert told.code.tests["octo/tea"].command == ("make", "test")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            TABLE + RUNS + 'comand = ["x"]',
            "line 5: unknown key code.tests.octo/tea.comand — did you mean command?",
        ),
        (TABLE + RUNS + "memory = 5", "unknown key code.tests.octo/tea.memory — did you mean memory_mb?"),
        (TABLE, "line 3: code.tests.octo/tea.command is missing — add it"),
        (TABLE + 'command = "pytest -q"', "line 4: code.tests.octo/tea.command is"),
        (TABLE + "command = []", "line 4: code.tests.octo/tea.command is []"),
        (TABLE + 'command = [""]', "a text that is not empty"),
        (TABLE + RUNS + 'report = "../x.xml"', "a file below the work tree"),
        (TABLE + RUNS + 'report = "/tmp/x.xml"', "a file below the work tree"),
        (TABLE + RUNS + 'mount = ["venv"]', "an absolute path"),
        (TABLE + RUNS + 'mount = ["/opt/../etc"]', "an absolute path"),
        (TABLE + 'command = ["make test"]', 'words one by one, like ["make", "test"]'),
        (TABLE + RUNS + 'mount = ["//etc/shadow:/opt/x"]', "a path without //"),
        (TABLE + RUNS + 'mount = ["//root"]', "a path without //"),
        (TABLE + RUNS + 'mount = ["/"]', "nothing of the system's own"),
        (TABLE + RUNS + 'mount = ["/var/run/docker.sock"]', "nothing of the system's own"),
        (TABLE + RUNS + 'mount = ["/etc/ssl:/opt/ssl"]', "nothing of the system's own"),
        (TABLE + RUNS + 'mount = ["/root:/opt/x"]', "nothing of the system's own"),
        (TABLE + RUNS + 'mount = ["/opt/x:/repo"]', "a place below /repo"),
        (TABLE + RUNS + 'mount = ["/opt/x:/usr"]', "a place below /repo"),
        (TABLE + RUNS + 'mount = ["/opt/x:/proc/y"]', "a place below /repo"),
        (TABLE + RUNS + 'mount = ["{data}:/opt/x"]', "holds something of Hob's own"),
        (TABLE + RUNS + 'mount = ["{data}/clones:/opt/x"]', "holds something of Hob's own"),
        (TABLE + RUNS + 'mount = ["{folder}:/opt/x"]', "holds something of Hob's own"),
        (TABLE + RUNS + 'image = "tea:1"', 'add container = ["podman", "run", "--rm"]'),
        (TABLE + RUNS + 'image = "--privileged"', "the name of an image"),
        ('[code]\ncontainer = ["podman"]', "starts no container"),
        ("[code.tests.tea]\n" + RUNS, "code.tests.tea"),
        (TABLE + RUNS + '[code.tests."Octo/Tea"]\n' + RUNS, "names a repository twice"),
        ("[code]\ntest_at_once = 2", "did you mean tests_at_once?"),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path: Path, text: str, says: str) -> None:
    text = text.replace("{data}", str(tmp_path / "data")).replace("{folder}", str(tmp_path))
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    assert says in f"{caught.value} — {caught.value.hint}"
