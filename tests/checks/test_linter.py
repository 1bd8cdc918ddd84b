"""The adapter for programs that judge files: what it makes of their answers, however absurd, and that no
failure of theirs is silent."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from bot import checks, sandbox
from bot.checks import linter, programs
from bot.core.sandbox_types import Ended, ProgramLimits, SandboxedProgram, SandboxUnusable
from bot.core.settings import CHECKS
from bot.core.text import count
from tests import needs
from tests.checks.changes import added, no_program

TEXT = "FROM a\nCOPY a b c\n"
REMARK = {"file": "0.txt", "line": 2, "code": "X1", "message": "It is wrong", "level": "error"}


def linter_of(**more: object) -> linter.Linter:
    """A linter of JSON that takes text files, with one rule."""
    told: dict[str, object] = {
        "program": "teapot",
        "install": "grow it",
        "measured": "here",
        "page": "https://tea.example/{rule}",
        "takes": ["*.txt"],
        "arguments": ["--json", "--"],
        "form": "json",
        "places": {"remarks": "*", "path": "file", "rule": "code"},
        "levels": {"error": "major"},
        "rules": {"X1": {"why": "It breaks.", "precision": "It always does."}},
    }
    return msgspec.convert(told | more, type=linter.Linter)


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The program, which is installed and never run."""
    path = tmp_path / "teapot"
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    monkeypatch.setattr(programs, "find", lambda _: str(path))
    return path


def says(output: object, code: int = 1, killed: str = "") -> Callable[[SandboxedProgram], object]:
    async def run(_: SandboxedProgram) -> Ended:
        data = output if isinstance(output, bytes) else json.dumps(output).encode()
        return Ended(code, data, killed)

    return run


async def judged(output: object, code: int = 1, killed: str = "", **more: object) -> linter.LintAnswer:
    texts = {"tea/-x ../a.txt": TEXT}
    return await linter.judge(linter_of(**more), texts, says(output, code, killed))  # type: ignore[arg-type]


FAILURES = {
    "nothing": (b"", 1),
    "nothing, and all is well": (b"", 0),
    "no JSON": (b"panic: runtime error", 1),
    "half of it": (b'[{"file": "0.txt", "li', 1),
    "no UTF-8": (b'[{"file": "0.txt", "line": 2, "code": "X1", "message": "\xff\xfe"}]', 1),
    "half a character": (b'[{"file": "0.txt", "line": 2, "code": "X1", "message": "\\ud800"}]', 1),
    "nested without end": (b"[" * 200_000, 1),
    "a number without end": (b"[" + b"1" * 20_000 + b"]", 1),
    "another form": ({"remarks": []}, 0),
    "null": (None, 0),
    "a text": ("all is well", 0),
    "no remark where it found something": ([], 1),
    "only what is no remark": ([1, None, [], "x", {}], 1),
    "a crash after its answer": ([REMARK], 139),
    "a wrong option": ([], 2),
    "killed by a signal": ([REMARK], -9),
}


@pytest.mark.parametrize("kind", FAILURES)
async def test_a_program_that_fails_is_said_and_is_never_all_green(kind: str, there: Path) -> None:
    output, code = FAILURES[kind]
    with pytest.raises(SandboxUnusable, match=rf"no answer that can be read \(exit code {code}\)"):
        await judged(output, code)


async def test_a_program_past_its_limits_is_said_so(there: Path) -> None:
    with pytest.raises(SandboxUnusable, match="it took longer"):
        await judged([REMARK], 1, "it took longer than 30 s")


@pytest.mark.parametrize("evil", [[3], [0, 1], [9], [2, 7]])
async def test_S5_a_file_that_is_too_much_costs_its_own_judgement_alone(evil: list[int], there: Path) -> None:
    texts = {f"{at}.txt": "evil" if at in evil else "tea" for at in range(10)}
    runs = []

    async def run(program: SandboxedProgram) -> Ended:
        runs.append(len(program.files))
        if "evil" in program.files.values():
            return Ended(-9, b"", "it took longer than 30 s")
        found = [REMARK | {"file": name, "line": 1} for name in program.files]
        return Ended(1, json.dumps(found).encode())

    said = await linter.judge(linter_of(), texts, run)
    assert {one.path for one in said.remarks} == {path for path, text in texts.items() if text == "tea"}
    assert said.lacking == f"{count(len(evil), 'file')} not judged: it took longer than 30 s"
    assert len(runs) <= linter.MOST_RUNS


async def test_a_program_that_always_fails_is_not_asked_again_and_again(there: Path) -> None:
    runs = []

    async def run(program: SandboxedProgram) -> Ended:
        runs.append(program)
        return Ended(2, b"")

    with pytest.raises(SandboxUnusable, match="exit code 2"):
        await linter.judge(linter_of(), {f"{at}.txt": "tea" for at in range(1_000)}, run)
    assert len(runs) == linter.FEW_RUNS


async def test_without_a_sandbox_nothing_is_tried_twice(there: Path) -> None:
    runs = []

    async def run(program: SandboxedProgram) -> Ended:
        runs.append(program)
        raise SandboxUnusable("no sandbox works here")

    with pytest.raises(SandboxUnusable, match="no sandbox works here"):
        await linter.judge(linter_of(), {"a.txt": "tea", "b.txt": "tea"}, run)
    assert len(runs) == 1


ABSURD: dict[str, object] = {
    "another file": {"file": "7.txt"},
    "a file of the machine": {"file": "/etc/passwd"},
    "the right name elsewhere": {"file": "/etc/0.txt"},
    "a way out": {"file": "../../0.txt/../../etc/passwd"},
    "less than none": {"file": "-1.txt"},
    "another digit": {"file": "\u0660.txt"},
    "a file's number without end": {"file": f"{'9' * 5_000}.txt"},
    "no file": {"file": ""},
    "a list of files": {"file": ["0.txt"]},
    "Hob's configuration": {"file": "hob.yaml"},
    "line 0": {"line": 0},
    "a line before all": {"line": -1},
    "a line far behind the end": {"line": 10**30},
    "a line after the one after the last": {"line": 5},
    "a line and a half": {"line": 1.5},
    "a true line": {"line": True},
    "a line of text": {"line": "2"},
    "a list of lines": {"line": [2]},
    "no rule": {"code": None},
    "a rule of lists": {"code": [["X1"]]},
    "a rule that is a link": {"code": "X1](http://evil.example)"},
    "a rule without end": {"code": "X" * 100_000},
    "no message": {"message": None},
    "a message of numbers": {"message": 7},
}


@pytest.mark.parametrize("kind", ABSURD)
async def test_what_cannot_be_in_an_answer_is_counted_and_the_rest_is_kept(kind: str, there: Path) -> None:
    said = await judged([REMARK | ABSURD[kind], REMARK])  # type: ignore[operator]
    assert [(one.path, one.line, one.rule) for one in said.remarks] == [("tea/-x ../a.txt", 2, "X1")]
    assert said.lacking == "1 of its remarks could not be read"


@pytest.mark.parametrize(
    "path", ["0.txt", "./0.txt", "/repo/0.txt", str(Path("/var/box-x", "work", "0.txt"))]
)
@pytest.mark.parametrize("line", [1, 2, 3, 4])
async def test_its_own_files_are_known_wherever_it_says_they_lie(path: str, line: int, there: Path) -> None:
    said = await judged([REMARK | {"file": path, "line": line}])
    assert [(one.path, one.line) for one in said.remarks] == [("tea/-x ../a.txt", min(line, 2))]
    assert said.lacking == ""


async def test_a_rule_that_is_not_let_through_is_not_looked_at(there: Path) -> None:
    said = await judged([REMARK | {"code": "X2", "line": -7, "file": "/etc/passwd"}])
    assert said == linter.LintAnswer(())


async def test_of_a_file_that_cannot_be_read_nothing_else_is_believed(there: Path) -> None:
    rules = {name: {"why": "w", "precision": "p"} for name in ("X1", "X9")}
    both = [REMARK, REMARK | {"code": "X9", "line": 1}, REMARK | {"code": "X9"}]
    said = await judged(both, rules=rules, broken=["X9"])
    assert [(one.rule, one.line) for one in said.remarks] == [("X9", 1)]
    assert (await judged(both, rules=rules, broken=["X9"], templates=["COPY"])).remarks == ()
    assert (await judged(both, broken=["X9"])).remarks == ()


async def test_conflict_markers_explain_what_a_linter_cannot_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "find", lambda _: "/bin/sh")
    text = "a: 1\n<<<<<<< HEAD\nb: 1\n=======\nb: 2\n>>>>>>> tea\n"
    answer = b"0.yaml:3:1: [error] syntax error: could not find expected ':' (syntax)\n"
    wanted = frozenset({"conflicts", "yamllint"})
    said = await checks.run(added({"a.yml": text}), wanted, says(answer))  # type: ignore[arg-type]
    assert said.ran == ("conflicts", "yamllint")
    assert {one.source for one in said.findings} == {"conflicts"}
    alone = await checks.run(added({"a.yml": text}), frozenset({"yamllint"}), says(answer))  # type: ignore[arg-type]
    assert [one.category for one in alone.findings] == ["syntax"]


async def test_a_finding_says_what_comes_of_it_and_where_to_read_on(
    there: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(linter, "known", lambda _: linter_of())
    remark = REMARK | {"message": "  It is\u202e wrong\nand more " + "x" * 500}
    (one,) = await linter.run("teapot", added({"a.txt": TEXT}), says([remark])) or []  # type: ignore[arg-type]
    assert (one.path, one.line, one.severity, one.category, one.source) == (
        *("a.txt", 2, "major", "X1", "teapot"),
    )
    assert one.title == "It is\u202e wrong"
    assert one.body == "It breaks. ([teapot X1](https://tea.example/X1))"


async def test_files_that_it_does_not_take_start_no_program() -> None:
    assert await linter.run("hadolint", added({"a.txt": TEXT, "b.dockerignore": "x"}), no_program) is None


async def test_S1_what_it_is_given_is_under_hobs_names_beside_hobs_configuration(there: Path) -> None:
    """And words by which a file would configure it are none in the copy."""
    seen: list[SandboxedProgram] = []

    async def run(program: SandboxedProgram) -> Ended:
        seen.append(program)
        return Ended(0, b"[]")

    hostile = ("-x.txt", "../hob.yaml.txt", "hob.yaml", "a\n.txt", ".teapotrc.txt")
    texts = dict.fromkeys(hostile, "a\n-- TeaPot:plugin:evil\n-- teapot:plugin:evil\n")
    known = linter_of(files={"hob.yaml": "ours"}, defused=["teapot:"], ending=".txt")
    await linter.judge(known, texts, run)
    (program,) = seen
    assert program.arguments == ("--json", "--", "0.txt", "1.txt", "2.txt", "3.txt", "4.txt")
    assert program.files["hob.yaml"] == "ours"
    assert set(program.files) == {"hob.yaml", *program.arguments[2:]}
    assert {program.files[name] for name in program.arguments[2:]} == {
        "a\n-- _______plugin:evil\n-- _______plugin:evil\n"
    }
    assert program.only_reads is False


@pytest.mark.parametrize("path", ["a.js", ".js", "b/.js", "a.b.js", "../-x.js", "a\n.js", " .js"])
def test_a_file_keeps_the_ending_by_which_a_linter_takes_it(path: str) -> None:
    assert linter.known("biome").wants(path)
    assert list(programs.named({path: ""})[0]) == ["0.js"]


@pytest.mark.parametrize("name", linter.names())
def test_each_linter_says_of_each_rule_why_it_is_let_through(name: str) -> None:
    known = linter.known(name)
    assert name in CHECKS
    assert known.measured.endswith(".")
    assert known.install
    for rule, told in known.rules.items():
        assert told.precision.endswith("."), rule
        assert told.why.endswith("."), rule
        assert known.page_of(rule.rstrip("*")).startswith("https://")
        assert told.severity or known.levels, rule
    assert known.arguments[-1] == "--" or name in ("biome", "sqlfluff")  # all names begin with a digit


async def test_all_that_are_not_installed_are_said_in_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(programs, "beside_hob", lambda name: str(tmp_path / name))
    monkeypatch.setenv("PATH", os.fspath(tmp_path))
    files = {"a.sh": "cd $1\n", "a.js": "a\n", "b.yml": "a: 1\n", "Dockerfile": TEXT, "a.sql": "select 1\n"}
    wanted = frozenset({"shellcheck", "biome", "yamllint", "hadolint", "sqlfluff", "actionlint"})
    said = await checks.run(added(files), wanted, no_program)
    assert said.not_run == (("shellcheck, biome, yamllint, hadolint, sqlfluff", checks.MISSING),)
    assert said.ran == ()


FAKES = {
    "hangs": ("sleep 60", "it took longer than 1 s"),
    "writes without end": (
        "while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done",
        "it wrote more than 64 KB",
    ),
    "crashes": ("kill -SEGV $$", "no answer that can be read"),
    "complains": ("echo root:x:0:0 >&2; echo root:x:0:0; exit 1", "no answer that can be read"),
    "is no program": ("\0", "no answer that can be read"),
}


@pytest.mark.parametrize("kind", FAKES)
async def test_C4_a_real_program_that_misbehaves_is_ended_and_said(
    kind: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    needs.sandbox()
    script, why = FAKES[kind]
    path = tmp_path / "teapot"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    monkeypatch.setattr(programs, "find", lambda _: str(path))

    async def run(program: SandboxedProgram) -> Ended:
        limits = ProgramLimits(seconds=1.0, output_bytes=64 << 10)
        return await sandbox.run(SandboxedProgram(program.path, program.arguments, program.files, limits))

    with pytest.raises(SandboxUnusable, match=why) as said:
        await linter.judge(linter_of(), {"a.txt": TEXT}, run)
    assert "root:" not in str(said.value)


def test_a_program_in_the_folder_where_hob_was_started_is_not_taken(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`PATH` may name folders without their whole path, which then are a checkout's."""
    (tmp_path / "bin").mkdir()
    evil = tmp_path / "bin" / "biome"
    evil.write_text("#!/bin/sh\n")
    evil.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "bin:.:")
    assert programs.find("biome") is None
    monkeypatch.setenv("PATH", f"bin:{tmp_path / 'bin'}")
    assert programs.find("biome") == str(evil.resolve())
