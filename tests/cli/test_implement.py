"""`hob implement` as a person runs it: a branch of git's objects, and a work tree that nobody touched."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.agents.conftest import make_repository
from tests.cli.conftest import Hob
from tests.fakes.models import FakeModel, FakeOllama

FILES = {
    "tea.py": "def brew(water):\n    return water\n",
    "notes/to do.txt": "one\r\ntwo\r\n",
    "run.sh": "#!/bin/sh\necho hot\n",
    "old.txt": "old\n",
}
EDIT = {"path": "tea.py", "search": "    return water\n", "replace": "    return water or None\n"}
EDITS = [
    EDIT,
    {"path": "notes/to do.txt", "search": "two\n", "replace": "three\n"},
    {"path": "run.sh", "search": "echo hot\n", "replace": "echo hotter\n"},
    {"path": "old.txt", "search": "", "replace": "", "delete": True},
    {"path": "new/cafe\u0301.txt", "search": "", "replace": "grün ☕"},
]
PLAN = {"steps": [{"title": "Guard brew", "detail": "Return None for no water.", "role": "worker"}]}


def says(*edits: dict[str, Any], accepted: bool = True, summary: str = "Brew guards.") -> Any:
    def answer(request: dict[str, Any]) -> Any:
        fields = (request.get("format") or {}).get("properties", {})
        if "reads" in fields:
            return {"thought": "", "searches": [], "reads": [], "enough": True}
        if "accepted" in fields:
            return {"reason": "No test covers it.", "accepted": accepted}
        return {"summary": summary, "edits": list(edits)} if "edits" in fields else PLAN

    return answer


@pytest.fixture
def ollama() -> Iterator[FakeOllama]:
    models = {"qwen2.5:7b": FakeModel(), "qwen2.5-coder:14b": FakeModel(), "big": FakeModel()}
    with FakeOllama(models=models, answer=says(*EDITS)) as host:
        yield host


@pytest.fixture
def coder(hob: Hob, ollama: FakeOllama) -> Hob:
    (hob.folder / "house").mkdir()
    house(hob)
    hob.environ["HOB_HOSTS"] = json.dumps([{"name": "mini", "url": ollama.url}])
    hob.environ["HOB_KNOWLEDGE__ENABLED"] = "false"
    return hob


def house(hob: Hob, name: str = "house", *init: str) -> Path:
    """A repository whose every hook, filter and monitor would leave a mark."""
    folder = hob.folder / name
    folder.mkdir(exist_ok=True)
    git(folder, "init", "-q", "-b", "main", *init)
    make_repository(folder, FILES)
    (folder / "run.sh").chmod(0o755)
    (folder / ".gitattributes").write_text("* filter=evil\n")
    git(folder, "add", "-A")
    git(folder, *WHO, "commit", "-qm", "Modes")
    mark = hob.folder / "ran"
    for key in ("filter.evil.clean", "filter.evil.smudge", "core.fsmonitor"):
        git(folder, "config", key, f"touch {mark}; cat")
    hooks = folder / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    for hook in ("pre-commit", "post-commit", "commit-msg", "reference-transaction", "post-index-change"):
        (hooks / hook).write_text(f"#!/bin/sh\ntouch {mark}\n")
        (hooks / hook).chmod(0o755)
    git(folder, "config", "user.name", "Ann")
    git(folder, "config", "user.email", "ann@tea.example")
    return folder


WHO = ("-c", "user.name=Ann", "-c", "user.email=ann@tea.example")


def git(folder: Path, *arguments: str, stdin: bytes | None = None) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments], check=True, capture_output=True, input=stdin
    )
    return done.stdout.decode("utf-8", "surrogateescape")


def everything(folder: Path) -> dict[str, tuple[int, bytes]]:
    """All files of a repository, git's own too, with their modes."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): (path.stat().st_mode, path.read_bytes()) for path in found}


def test_a_branch_with_one_commit_and_nothing_else_is_touched(coder: Hob) -> None:
    folder = coder.folder / "house"
    (folder / "tea.py").write_text("mine, unfinished\n")
    (folder / "new one").write_text("mine\n")
    before = everything(folder)
    done = coder.process("implement", "Guard brew: no water!", "--folder", "house")
    assert done.returncode == 0, done.stderr
    after = everything(folder)
    new = {path for path in after if path not in before}
    assert {path: after[path] for path in before} == before
    assert {"refs/heads/hob/guard-brew-no-water"} == {
        path.partition(".git/")[2] for path in new if "/objects/" not in path and "/logs/" not in path
    }
    assert not (coder.folder / "ran").exists(), "no hook, filter or monitor ran"
    branch = "hob/guard-brew-no-water"
    assert git(folder, "log", "--format=%s|%an|%ae|%b", "main..", branch, "^main").strip() == (
        "Guard brew: no water!|Ann|ann@tea.example|Brew guards."
    )
    assert git(folder, "show", f"{branch}:tea.py") == "def brew(water):\n    return water or None\n"
    assert git(folder, "show", f"{branch}:notes/to do.txt") == "one\r\nthree\r\n"
    assert git(folder, "ls-tree", branch, "run.sh").startswith("100755 ")
    assert "old.txt" not in git(folder, "ls-tree", "-r", "--name-only", branch)
    assert "what is not committed is not seen: 2 files" in done.stderr
    assert "[x] Guard brew: Return None for no water." in done.stderr
    assert "`tea.py`" in done.stderr.partition("Syntax: ")[2].splitlines()[0]
    assert (
        "No test was run: nothing of the repository is run here" in done.stderr
        and f"git switch {branch}" in done.stderr
    )


def test_the_diff_is_what_git_applies_byte_for_byte(coder: Hob) -> None:
    hob = [sys.executable, "-m", "bot.cli", "implement", "Guard brew", "--folder", "house"]
    done = subprocess.run(hob, cwd=coder.folder, env=coder.environ, capture_output=True, check=True)
    git(coder.folder, "clone", "-q", "house", "fresh")
    git(coder.folder / "fresh", "apply", "--index", stdin=done.stdout)
    made = git(coder.folder / "house", "rev-parse", "hob/guard-brew^{tree}")
    assert git(coder.folder / "fresh", "write-tree") == made


def test_a_moved_program_and_an_empty_file_are_in_the_diff_as_git_has_them(
    coder: Hob, ollama: FakeOllama
) -> None:
    folder = coder.folder / "house"
    moved = {"path": "run.sh", "search": "echo hot\n", "replace": "echo hotter\n", "rename_to": "bin/run.sh"}
    ollama.answer = says(moved, {"path": "pkg/__init__.py", "replace": ""}, EDIT)
    done = coder.run("implement", "Move it", "--folder", "house")
    git(coder.folder, "clone", "-q", "house", "fresh")
    git(coder.folder / "fresh", "apply", "--index", stdin=done.stdout.encode())
    made = git(folder, "rev-parse", "hob/move-it^{tree}")
    assert git(coder.folder / "fresh", "write-tree") == made
    assert git(folder, "ls-tree", "hob/move-it", "bin/run.sh").startswith("100755 ")


def test_a_dry_run_writes_nothing_and_prints_the_same(coder: Hob) -> None:
    folder = coder.folder / "house"
    before = everything(folder)
    done = coder.run("implement", "Guard brew", "--folder", "house", "--dry-run")
    assert (done.returncode, everything(folder)) == (0, before), done.stderr
    written = coder.run("implement", "Guard brew", "--folder", "house")
    assert written.stdout == done.stdout != ""
    told = json.loads(coder.run("implement", "Guard brew", "--folder", "house", "--dry-run", "--json").stdout)
    assert (told["diff"], told["branch"], told["commit"], told["dry_run"]) == (done.stdout, "", "", True)


def test_of_a_large_repository_the_index_is_searched_and_a_file_is_located(
    coder: Hob, ollama: FakeOllama
) -> None:
    folder = coder.folder / "house"
    for number in range(20):
        (folder / f"room{number}.py").write_text(f"ROOM = {number}\n")
    off = ("-c", "core.hooksPath=/dev/null", "-c", "filter.evil.clean=cat", "-c", "core.fsmonitor=false")
    git(folder, *off, "add", "-A")
    git(folder, *off, "commit", "-qm", "Rooms")
    del coder.environ["HOB_KNOWLEDGE__ENABLED"]
    usual = says(
        {"path": "room7.py", "search": "ROOM = 7\n", "replace": "ROOM = 70\n"},
        {"path": "tea.py", "search": "    return water\n", "replace": "    return water or 0\n"},
    )

    def answer(request: dict[str, Any]) -> Any:
        fields = (request.get("format") or {}).get("properties", {})
        return {"thought": "", "paths": ["room7.py", "tea.py"]} if "paths" in fields else usual(request)

    ollama.answer = answer
    before = everything(folder)
    done = coder.run("implement", "Renumber a chamber", "--folder", "house", "--dry-run")
    assert (done.returncode, everything(folder)) == (0, before), done.stderr
    assert "+ROOM = 70" in done.stdout and "+    return water or 0" in done.stdout
    assert "building the index, once" in done.stderr and "locate done" in done.stderr


def test_json_is_all_that_is_printed(coder: Hob, ollama: FakeOllama) -> None:
    done = coder.run(
        "implement", "Guard brew", "--folder", "house", "--json", "--model", "big", "--branch", "b"
    )
    told = json.loads(done.stdout)
    folder = coder.folder / "house"
    assert told["commit"] == git(folder, "rev-parse", "b").strip()
    assert told["base"] == git(folder, "rev-parse", "main").strip()
    assert told["plan"] == [{"text": "**Guard brew**: Return None for no water.", "done": True}]
    assert (told["accepted"], told["models"], done.returncode) == (True, ["big@mini"], 0)
    assert {one["path"] for one in told["files"] if one["deleted"]} == {"old.txt"}


def test_what_is_not_accepted_is_on_the_branch_and_exit_code_1(coder: Hob, ollama: FakeOllama) -> None:
    ollama.answer = says(EDIT, accepted=False)
    done = coder.run("implement", "Guard brew", "--folder", "house")
    assert done.returncode == 1
    assert "+    return water or None" in done.stdout
    assert (
        "A second look did not accept this as it is:" in done.stderr and "No test covers it." in done.stderr
    )
    assert "[ ] Guard brew" in done.stderr
    assert git(coder.folder / "house", "rev-parse", "--verify", "hob/guard-brew")


def test_S7_what_never_holds_is_no_branch_and_exit_code_1(coder: Hob, ollama: FakeOllama) -> None:
    ollama.answer = says({"path": ".github/workflows/x.yml", "search": "", "replace": "on: push\n"})
    done = coder.run("implement", "Guard brew", "--folder", "house")
    assert (done.returncode, done.stdout) == (1, "")
    assert "x.yml: .github is never touched" in done.stderr.splitlines()[-1]
    ollama.answer = says({"path": "tea.py/x", "search": "", "replace": "y\n"})
    assert (
        "tea.py is a file, and no folder" in coder.run("implement", "Guard brew", "--folder", "house").stderr
    )
    assert git(coder.folder / "house", "for-each-ref", "refs/heads/hob") == ""


def test_code_paths_of_the_repository_narrow_here_too(coder: Hob, ollama: FakeOllama) -> None:
    folder = coder.folder / "house"
    (folder / ".github").mkdir()
    (folder / ".github" / "hob.yml").write_text('code: {paths: ["!notes/**"]}\n')
    git(folder, "-c", "core.hooksPath=/dev/null", "add", ".github")
    git(folder, "-c", "core.hooksPath=/dev/null", "commit", "-qm", "Narrow")
    done = coder.run("implement", "Guard brew", "--folder", "house")
    assert done.returncode == 1 and "`code.paths` leaves it out" in done.stderr


def test_from_another_base_a_detached_head_a_folder_inside_and_a_bare_repository(coder: Hob) -> None:
    folder = coder.folder / "house"
    first = git(folder, "rev-parse", "main~1").strip()
    done = coder.run(
        "implement", "Guard brew", "--folder", "house/notes", "--base", "main~1", "--branch", "one"
    )
    assert done.returncode == 0 and git(folder, "rev-parse", "one~1").strip() == first
    git(folder, "-c", "core.hooksPath=/dev/null", "checkout", "-q", "--detach")
    assert coder.run("implement", "Guard brew", "--folder", "house", "--branch", "two").returncode == 0
    git(coder.folder, "clone", "-q", "--bare", "house", "bare")
    coder.environ |= {
        name: f"ann{'@tea.example' if 'EMAIL' in name else ''}"
        for name in ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL")
    }
    done = coder.run("implement", "Guard brew", "--folder", "bare", "--branch", "three")
    assert done.returncode == 0, done.stderr
    assert git(coder.folder / "bare", "log", "-1", "--format=%an", "three").strip() == "ann"


def test_a_sha256_repository_a_linked_work_tree_and_a_submodule(coder: Hob) -> None:
    house(coder, "wide", "--object-format=sha256")
    assert coder.run("implement", "Guard brew", "--folder", "wide").returncode == 0
    assert len(git(coder.folder / "wide", "rev-parse", "hob/guard-brew").strip()) == 64
    off = ("-c", "core.hooksPath=/dev/null", "-c", "protocol.file.allow=always")
    git(coder.folder / "house", *off, "worktree", "add", "-q", "../linked")
    assert coder.run("implement", "Guard brew", "--folder", "linked").returncode == 0
    assert git(coder.folder / "house", "rev-parse", "hob/guard-brew")
    git(coder.folder / "wide", "config", "--unset", "core.fsmonitor")
    outer = coder.folder / "outer"
    outer.mkdir()
    git(outer, "init", "-q")
    git(outer, *off, "submodule", "--quiet", "add", str(coder.folder / "house"), "inner")
    git(outer / "inner", "config", "user.name", "Ann")
    git(outer / "inner", "config", "user.email", "ann@tea.example")
    assert coder.run("implement", "Guard brew", "--folder", "outer/inner", "--branch", "x").returncode == 0
    assert git(outer / "inner", "rev-parse", "x")


def test_names_that_are_not_utf8_and_links_are_left_as_they_are(coder: Hob, ollama: FakeOllama) -> None:
    folder = coder.folder / "house"
    os.write(
        descriptor := os.open(os.fsencode(folder) + b"/caf\xe9.txt", os.O_CREAT | os.O_WRONLY), b"latin\n"
    )
    os.close(descriptor)
    (folder / "link").symlink_to("tea.py")
    git(folder, "-c", "core.hooksPath=/dev/null", "add", "-A")
    git(folder, "-c", "core.hooksPath=/dev/null", "commit", "-qm", "Odd")
    ollama.answer = says({"path": "link", "search": "    return water\n", "replace": "    return 1\n"})
    assert coder.run("implement", "Guard brew", "--folder", "house").returncode == 1
    ollama.answer = says(EDIT)
    assert coder.run("implement", "Guard brew", "--folder", "house").returncode == 0
    changed = git(folder, "diff-tree", "-r", "--name-only", "main", "hob/guard-brew")
    assert changed == "tea.py\n"


def test_a_partial_clone_is_left_as_it_is_with_what_to_do(coder: Hob) -> None:
    folder = coder.folder / "house"
    git(folder, "config", "uploadpack.allowFilter", "true")
    off = ("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false")
    git(coder.folder, *off, "clone", "-q", "--no-checkout", "--filter=blob:none", folder.as_uri(), "part")
    done = coder.run("implement", "Guard brew", "--folder", "part")
    assert done.returncode == 1 and "this clone is partial: have git fetch the rest" in done.stderr
    missing = git(coder.folder / "part", "rev-list", "--objects", "--missing=print", "main")
    assert missing.count("\n?") >= 4, "nothing was fetched"
    git(coder.folder / "part", *off, "fetch", "-q", "--refetch", "--filter=blob:limit=1g")
    assert coder.run("implement", "Guard brew", "--folder", "part", "--dry-run").returncode == 0


def test_an_objective_in_another_encoding_is_taken_as_it_can_be_read(coder: Hob) -> None:
    done = coder.process("implement", os.fsdecode(b"caf\xe9 guard"), "--folder", "house")
    assert done.returncode == 0 and git(coder.folder / "house", "rev-parse", "hob/caf-guard")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([" "], 2, "the objective is empty"),
        (["Tea"], 1, "is not in a git repository"),
        (["Tea", "--folder", "nowhere"], 1, "there is no folder nowhere"),
        (["Tea", "--folder", "house", "--base", "no"], 1, "'no' names no commit here"),
        (
            ["Tea", "--folder", "house", "--branch", "main"],
            1,
            "main is there already — delete it, or name another",
        ),
        (["Tea", "--folder", "house", "--branch", "a..b"], 1, "'a..b' is no name of a branch"),
        (["Tea", "--folder", "house", "--branch", "--force"], 1, "is no name of a branch"),
        (["Tea", "--folder", "house", "--branch", "@{-1}"], 1, "is no name of a branch"),
        (
            ["Tea", "--folder", "house", "--branch", "main/x"],
            1,
            "beside the branch main there can be no main/x",
        ),
        (["Tea", "--folder", "house", "--branch", "old"], 1, "beside the branch old/one there can be no old"),
        (["Tea", "--folder", "empty"], 1, "HEAD is no commit yet — commit something first"),
        (["Tea", "--folder", "house", "--model", "gone"], 1, "no local model gone"),
    ],
)
def test_what_is_wrong_is_one_line(arguments: list[str], code: int, said: str, coder: Hob) -> None:
    (coder.folder / "empty").mkdir()
    git(coder.folder / "empty", "init", "-q")
    git(coder.folder / "house", "branch", "old/one")
    before = everything(coder.folder / "house")
    done = coder.run("implement", *arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr.splitlines()[-1] and "Traceback" not in done.stderr
    assert everything(coder.folder / "house") == before


def test_without_a_name_for_the_author_git_says_what_to_do(coder: Hob) -> None:
    folder = coder.folder / "house"
    for key in ("user.name", "user.email"):
        git(folder, "config", "--unset", key)
    git(folder, "config", "user.useConfigOnly", "true")
    coder.environ |= {"GIT_CONFIG_GLOBAL": os.devnull, "HOME": str(coder.folder)}
    done = coder.run("implement", "Guard brew", "--folder", "house")
    assert done.returncode == 1 and "git config user.name" in done.stderr.splitlines()[-1]


def test_words_of_a_model_cannot_steer_the_terminal(coder: Hob, ollama: FakeOllama) -> None:
    ollama.answer = says(EDIT, summary="Done\x1b]0;owned\x07 \u202e now.")
    done = coder.run("implement", "Guard brew", "--folder", "house")
    assert "\x1b" not in done.stderr + done.stdout and "\u202e" not in done.stderr
