"""A repository's own tests, run on a commit from GitHub with files in place of its own, as a run has them."""

import asyncio
import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from bot import log
from bot.config import Config
from bot.core.refs import RepoRef, Sha
from bot.core.sandbox_types import SandboxUnusable
from bot.core.suite_runs import SuiteRun
from bot.runs import suites
from bot.testing.github import GitHubStandIn
from bot.testing.github.repository import Repository
from tests import needs
from tests.fakes.models import FakeOllama
from tests.living import LivingHob, living_hob

PYTHON = "/usr/bin/python3"
TEA = "def brew(water):\n    return water\n"
TESTS = """
import sys, unittest
sys.path.insert(0, "/repo")
import tea
class Tea(unittest.TestCase):
    def test_brews(self): self.assertEqual(tea.brew(1), 1)
    def test_guards(self): self.assertEqual(tea.brew(0), None)
found = unittest.TestResult()
unittest.defaultTestLoader.loadTestsFromTestCase(Tea).run(found)
bad = {str(test).split()[0] for test, _ in found.failures + found.errors}
with open("report.xml", "w") as file:
    file.write("<testsuites><testsuite>")
    for name in ("test_brews", "test_guards"):
        said = "<failure/>" if name in bad else ""
        file.write(f'<testcase classname="Tea" name="{name}">{said}</testcase>')
    file.write("</testsuite></testsuites>")
print("\\x1b[31mran", found.testsRun)
sys.exit(bool(bad))
"""


@pytest.fixture
def tmp_path(disk_path: Path) -> Path:
    return disk_path


@dataclass
class OptedIn:
    """A Hob whose operator opted `octo/tea` in."""

    hob: LivingHob
    repo: Repository

    @property
    def ref(self) -> RepoRef:
        installation = next(iter(self.hob.github.installations.values()))
        return RepoRef("octo", "tea", self.repo.id, installation.id)

    async def run(self, texts: dict[str, str | None] | None = None, sha: str = "", **table: Any) -> SuiteRun:
        services = self.hob.services
        if table:
            told = services.config.code.tests["octo/tea"].model_copy(update=table)
            code = services.config.code.model_copy(update={"tests": {"octo/tea": told}})
            services = replace(services, config=services.config.model_copy(update={"code": code}))
        async with services.github.job(self.ref) as job:
            suite = services.suite(self.ref, job)
            assert suite is not None
            return await suite(Sha(sha or self.repo.git.resolve("refs/heads/main") or ""), texts or {})

    def nothing_is_left(self) -> bool:
        return list((self.hob.services.config.hob.data_dir / "suites").iterdir()) == []


@pytest.fixture
async def tested(tmp_path: Path, github: GitHubStandIn, ollama: FakeOllama) -> AsyncIterator[OptedIn]:
    needs.sandbox()
    needs.program(PYTHON, "python3")
    table = {"octo/tea": {"command": [PYTHON, "-B", "test_tea.py"], "report": "report.xml", "seconds": 20}}
    repo = github.repository("octo/tea", files={"tea.py": TEA, "test_tea.py": TESTS})
    async with living_hob(tmp_path, github, ollama, HOB_CODE__TESTS=json.dumps(table)) as hob:
        yield OptedIn(hob, repo)


async def test_the_tests_of_a_commit_are_run_and_told_by_name(tested: OptedIn) -> None:
    ran = await tested.run()
    assert (ran.passed, ran.failed, ran.code) == ({"Tea::test_brews"}, {"Tea::test_guards"}, 1)
    assert (ran.refused, ran.killed, ran.output) == ("", "", "ran 2")
    assert ran.command == "/usr/bin/python3 -B test_tea.py"
    assert tested.nothing_is_left()


async def test_files_take_the_place_of_the_commits_own(tested: OptedIn) -> None:
    mended = await tested.run({"tea.py": TEA.replace("water\n", "water or None\n")})
    assert mended.good and len(mended.passed) == 2
    broken = await tested.run({"tea.py": None})
    assert "No module named 'tea'" in broken.output


async def test_S1_a_repository_that_is_not_opted_in_has_no_tests_to_run(tested: OptedIn) -> None:
    async with tested.hob.services.github.job(tested.ref) as job:
        assert tested.hob.services.suite(replace(tested.ref, name="coffee"), job) is None
        assert tested.hob.services.suite(replace(tested.ref, owner="OCTO", name="Tea"), job) is not None
    assert Config().code.suite("octo/tea") is None


SCRIPTS = {
    "nothing": ("", "No such file"),
    "a symbolic link": ("import os; os.symlink('/etc/passwd', 'report.xml')", "a symbolic link leads there"),
    "a link in the way": (
        "import os; os.mkdir('/tmp/o'); open('/tmp/o/report.xml', 'w').write('<testsuite/>'); "
        "os.symlink('/tmp/o', 'out')",
        "report out/report.xml was not read",
    ),
    "a pipe": ("import os; os.mkfifo('report.xml')", "no plain file"),
    "a folder": ("import os; os.mkdir('report.xml')", "not read"),
    "no xml": ("open('report.xml', 'w').write('PASS')", "no XML"),
    "entities": ("open('report.xml', 'w').write('<!DOCTYPE a [<!ENTITY x \"y\">]><testsuite/>')", "DTD"),
    "a closed file": (
        "import os; open('report.xml', 'w').write('<x'); os.chmod('report.xml', 0)",
        "not read",
    ),
}


@pytest.mark.parametrize("kind", SCRIPTS)
async def test_S9_a_report_that_is_none_is_said_and_never_followed(kind: str, tested: OptedIn) -> None:
    script, says = SCRIPTS[kind]
    report = "out/report.xml" if "out'" in script else "report.xml"
    ran = await tested.run(command=(PYTHON, "-c", script), report=report)
    assert (ran.passed, ran.failed, ran.code, ran.refused) == (set(), set(), 0, "")
    assert says in ran.output
    assert "root:" not in ran.output
    assert tested.nothing_is_left()


async def test_a_report_that_the_repository_or_a_patch_brings_is_none(tested: OptedIn) -> None:
    """Only what this run writes says what it ran."""
    lie = '<testsuite><testcase name="all_is_well"/></testsuite>'
    sha = tested.repo.commit({"report.xml": lie, "out/report.xml": lie})
    for report, texts in (("report.xml", {}), ("./out/report.xml", {}), ("report.xml", {"report.xml": lie})):
        ran = await tested.run({**texts}, sha, command=(PYTHON, "-c", "pass"), report=report)
        assert (ran.passed, ran.failed, ran.refused) == (set(), set(), "")
        assert "was not read" in ran.note and "was not read" in ran.output
    empty = "open('report.xml', 'w').write('<testsuite/>')"
    assert "names no test that was run" in (await tested.run(command=(PYTHON, "-c", empty))).note


async def test_what_tests_say_is_shown_without_control_signs_and_secrets(tested: OptedIn) -> None:
    secret = "ghs_" + "a1B2" * 10
    log.hide("pa55word-of-hob")
    script = f"print('\\x1b[2J\\x1b]0;title\\x07\\x1b[1;31mred\\x1b[0m \\u202eevil {secret} pa55word-of-hob')"
    script += "; print('10%\\r20%\\r100%'); print('x' * 50000)"
    ran = await tested.run(command=(PYTHON, "-c", script), report="")
    assert len(ran.output) <= 16_000
    shown = suites.shown(
        b"\x1b[2J\x1b]0;title\x07\x1b[1;31mred\x1b[0m \xe2\x80\xaeevil 10%\r100%\r\n\xff\x00"
    )
    assert shown == "100%\n\ufffd"
    assert secret not in ran.output and "pa55word" not in ran.output
    assert suites.shown(f"{secret} pa55word-of-hob".encode()) == "[hidden] [hidden]"


async def test_what_tests_need_is_mounted_where_the_operator_said(tested: OptedIn, tmp_path: Path) -> None:
    needed = tmp_path / "modules"
    needed.mkdir()
    (needed / "pot.py").write_text("POT = 1\n")
    script = "import sys; sys.path[:0] = ['/repo/modules', '/opt/pot']; import pot; print(pot.POT)\n"
    script += "try: open('/repo/modules/x', 'w')\nexcept OSError as error: print(error.errno)"
    mount = (f"{needed}:/repo/modules", f"{needed}:/opt/pot")
    ran = await tested.run(command=(PYTHON, "-B", "-c", script), report="", mount=mount)
    assert ran.output == "1\n30"
    gone = await tested.run(mount=(f"{tmp_path}/none:/opt/none",))
    assert gone.refused == f"{tmp_path}/none, which is to be mounted, is not there"
    assert [path.name for path in needed.iterdir()] == ["pot.py"]


async def test_a_link_to_the_systems_own_is_not_mounted(tested: OptedIn, tmp_path: Path) -> None:
    (tmp_path / "tools").symlink_to("/etc")
    ran = await tested.run(mount=(f"{tmp_path / 'tools'}:/opt/tools",))
    assert "leads to what may not be mounted" in ran.refused


async def test_S4_without_a_sandbox_no_test_is_run_and_that_is_said(
    tested: OptedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suites, "for_trees", lambda _: SandboxUnusable("bubblewrap is not installed"))
    ran = await tested.run()
    assert ran.refused == "no tests are run without a sandbox: bubblewrap is not installed"
    assert (ran.code, ran.output, ran.passed, ran.good) == (0, "", set(), False)


async def test_a_commit_that_is_not_there_is_refused_in_words(tested: OptedIn) -> None:
    ran = await tested.run(sha="0123456789" * 4)
    assert ran.refused.startswith("the commit could not be had: ")
    assert not ran.good and tested.nothing_is_left()


async def test_S5_no_more_tests_run_at_once_than_the_operator_allows(tested: OptedIn) -> None:
    script = "import time; print(time.time()); time.sleep(1); print(time.time())"
    ran = await asyncio.gather(*(tested.run(command=(PYTHON, "-c", script), report="") for _ in range(2)))
    (a, b), (c, d) = (map(float, one.output.split()) for one in ran)
    assert b < c or d < a


PROGRAM = """#!/bin/sh
# stands in for podman: notes its words, runs the command after the image in the tree
echo "$@" >> {log}
case "$1" in
image) [ "$3" = tea:1 ] || {{ echo "no such image" >&2; exit 125; }} ;;
run) case " $* " in *" broken "*) echo "Error: no space" >&2; exit 125;; esac
     for word in "$@"; do case "$word" in --volume=*:/repo:rw) tree=${{word#--volume=}}; tree=${{tree%%:*}};;
       --name) next=1;; *) [ -n "$next" ] && name=$word; next=;; esac; done
     while [ "$1" != tea:1 ]; do shift; done; shift
     cd "$tree" && env > {env} && ( setsid "$@" & echo $! > {state}/$name; wait $! ) ;;
rm) pid=$(cat {state}/$3) && kill -9 -$pid 2>/dev/null; rm -f {state}/$3; exit 0 ;;
container) [ -e {state}/$3 ] ;;
esac
"""


async def test_a_container_of_the_operators_is_held_and_ended_by_its_name(
    tested: OptedIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The program is a stand-in: which words it is given is what is looked at."""
    program = tmp_path / "bin" / "podman"
    program.parent.mkdir()
    state = tmp_path / "state"
    state.mkdir()
    names = {"log": tmp_path / "log", "state": state, "env": tmp_path / "env"}
    program.write_text(PROGRAM.format(**names))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    monkeypatch.setenv("HOB_GITHUB__WEBHOOK_SECRET", "a secret of Hob's")
    code = tested.hob.services.config.code.model_copy(update={"container": ("podman", "run", "--rm")})
    config = tested.hob.services.config.model_copy(update={"code": code})
    tested.hob.services = replace(tested.hob.services, config=config)

    script = "import os; open('report.xml', 'w').write('<testsuite><testcase name=\"a\"/></testsuite>')"
    ran = await tested.run(command=(PYTHON, "-c", script), image="tea:1")
    assert (ran.passed, ran.refused, ran.killed) == ({"a"}, "", "")
    words = (tmp_path / "log").read_text()
    for word in ("--network=none", "--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges"):
        assert f" {word} " in words
    assert "a secret" not in (tmp_path / "env").read_text()

    late = await tested.run(command=("/bin/sh", "-c", "trap '' TERM; sleep 3571"), image="tea:1", seconds=1.0)
    assert late.killed == "it took longer than 1 s"
    assert not any(b"sleep\x003571" in words for words in command_lines())
    assert list(state.iterdir()) == []

    # one that a worker left that was killed: its box is there, and nobody holds it
    left = tested.hob.services.config.hob.data_dir / "suites" / "suite-0123456789abcdef"
    (left / "written").mkdir(parents=True)
    (left / "container.json").write_text('["podman"]')
    orphan = subprocess.Popen(["sleep", "3573"], start_new_session=True)
    (state / left.name).write_text(str(orphan.pid))
    assert (await tested.run(command=(PYTHON, "-c", script))).passed == {"a"}  # a run of any kind ends it
    assert orphan.wait(timeout=10) == -9
    assert not left.exists()

    assert "no such image" in (await tested.run(image="other:1")).refused
    broken = await tested.run(image="tea:1", command=("broken",))
    assert broken.refused == "podman started no container: Error: no space"
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    assert shutil.which("podman") or (await tested.run(image="tea:1")).refused == (
        "no tests are run without a sandbox: podman is not installed"
    )
    assert tested.nothing_is_left()


def command_lines() -> list[bytes]:
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(entry.read_bytes())
        except OSError:
            continue
    return found
