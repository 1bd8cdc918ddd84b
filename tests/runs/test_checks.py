"""The checks in a whole review: what a hostile repository brings is never run or obeyed, and what could not
run is said."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.sandbox import ways
from bot.testing.github import GitHubStandIn
from bot.testing.github.git import symlink
from bot.testing.github.state import PERMISSIONS
from tests import needs
from tests.fakes.models import FakeOllama
from tests.living import SLUG, LivingHob, by_schema, living_hob
from tests.tea import TEA


def canaries(canary: Path) -> dict[str, str]:
    """Files that tools would load and run, had they the repository's configuration: each makes the canary."""
    sing = f"open({str(canary)!r}, 'w').close()\n"
    node = f"require('fs').writeFileSync({str(canary)!r}, '')\n"
    return {
        ".rubocop.yml": "require: ./evil.rb\n",
        "evil.rb": f"File.write({str(canary)!r}, '')\n",
        ".pylintrc": f"[MAIN]\ninit-hook={sing}",
        "setup.cfg": "[flake8:local-plugins]\nextension = X = evil:X\npaths = .\n[mypy]\nplugins = evil.py\n",
        "evil.py": sing,
        "conftest.py": sing,
        "sitecustomize.py": sing,
        "ast.py": sing,
        "ruff/__main__.py": sing,
        "setup.py": sing,
        "eslint.config.js": node,
        ".eslintrc.js": node,
        "package.json": f'{{"scripts": {{"postinstall": "touch {canary}", "prepare": "touch {canary}"}}}}\n',
        "ruff.toml": "extend = '/etc/passwd'\nselect = []\n",
        "pyproject.toml": "[tool.ruff]\nextend = '/etc/passwd'\n[tool.pytest]\naddopts = ['-p', 'evil']\n",
        ".shellcheckrc": "disable=all\nexternal-sources=true\nsource-path=/etc\n",
        "run.sh": f"#!/bin/bash\ntouch {canary}\n. /etc/passwd\ncd $1\n",
        ".github/actionlint.yaml": "self-hosted-runner: [\n",
        ".github/workflows/evil.yml": f"on: push\njobs: {{a: {{runs-on: x, steps: [run: {canary}]}}}}\n",
        "tea.py": TEA + "print(kettle)\n",
    }


@pytest.mark.parametrize("name", ["as it is", "without a sandbox"])
async def test_S1_S2_nothing_of_a_repository_is_run_or_obeyed(
    name: str, hob: LivingHob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name == "without a sandbox":
        blocked(monkeypatch, tmp_path)
    hob.ollama.answer = by_schema()
    canary = tmp_path / "canary"
    repository = hob.github.repository("octo/tea", private=True, files={"tea.py": TEA})
    pull = repository.open_pull_request("Tools", canaries(canary), author="ann")
    monkeypatch.chdir(tmp_path)
    await hob.works()
    assert not canary.exists()
    (review,) = pull.reviews
    assert any("kettle" in comment.body for comment in review.comments)  # ruff ran, by Hob's own rules
    (check,) = pull.check_runs
    assert "ruff" in (check.summary or "")
    assert all("root:" not in text for text in hob.github.texts())


async def test_C4_a_link_to_a_file_of_the_machine_is_not_followed(hob: LivingHob) -> None:
    repository = hob.github.repository("octo/tea", private=True, files={"tea.py": TEA})
    changes = {
        "a.py": symlink("/etc/passwd"),
        "b.sh": symlink("/etc/shadow"),
        "ruff.toml": symlink("/etc/passwd"),
    }
    pull = repository.open_pull_request("Links", changes, author="ann")
    await hob.works()
    assert len(pull.check_runs) == 1
    assert all("root:" not in text for text in hob.github.texts())


async def test_S4_without_a_sandbox_the_review_goes_out_and_says_what_is_missing(
    hob: LivingHob, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    blocked(monkeypatch, tmp_path)
    key = "AK" + "IA" + "QZ7TEAHOUSE3XWV5"
    repository = hob.github.repository("octo/tea", private=True, files={"tea.py": TEA})
    files = {"run.sh": f"#!/bin/bash\ncd $1\nexport KEY={key}\n"}
    pull = repository.open_pull_request("Run", files, author="ann")
    await hob.works()
    (review,) = pull.reviews
    assert [comment.line for comment in review.comments] == [3]
    (check,) = pull.check_runs
    assert "shellcheck could not run: bubblewrap" in (check.summary or "")
    assert "Checks that ran: secrets" in (check.summary or "")


async def test_with_a_sandbox_scripts_and_workflows_are_checked_without_any_model(hob: LivingHob) -> None:
    needs.sandbox()
    hob.ollama.models.clear()
    repository = hob.github.repository("octo/tea", private=True, files={"tea.py": TEA})
    flow = "on: push\njobs:\n  a:\n    runs-on: x\n    needs: b\n    steps:\n      - run: x\n"
    files = {"run.sh": "#!/bin/bash\ncd $1\n", ".github/workflows/a.yml": flow, "a.js": "debugger\n"}
    pull = repository.open_pull_request("Run", files, author="ann")
    await hob.works()
    (review,) = pull.reviews
    assert sorted((one.path, one.line or 0) for one in review.comments) == [
        (".github/workflows/a.yml", 5),
        ("a.js", 1),
        ("run.sh", 2),
    ]


async def test_lock_and_large_files_are_judged_though_no_reader_is_shown_them(hob: LivingHob) -> None:
    lock = {"package-lock.json": "{}\n", "package.json": '{\n"dependencies": {\n"tea": "1"\n}}\n'}
    repository = hob.github.repository("octo/tea", private=True, files=lock)
    changes = {"package.json": lock["package.json"].replace('"1"', '"2"'), "tea.bin": b"\0" * 3_000_000}
    pull = repository.open_pull_request("Tea 2", changes, author="ann")
    await hob.works()
    (review,) = pull.reviews
    assert [(one.path, one.line) for one in review.comments] == [("package.json", 3)]
    assert "package-lock.json does not" in review.comments[0].body
    assert "A file of 2.9 MB" in (review.body or "")


@pytest.mark.parametrize("pattern", ["(a+)+$", "!", "[z-a]", "\\", "*a" * 60 + "b"])
async def test_C6_a_pattern_of_any_kind_ends_no_review(hob: LivingHob, pattern: str) -> None:
    config = "review:\n  paths:\n    - '!docs/**'\n    - '" + pattern + "'\n"
    files = {"tea.py": TEA, ".github/hob.yml": config}
    repository = hob.github.repository("octo/tea", private=True, files=files)
    pull = repository.open_pull_request("Names", {"a" * 200 + ".py": "x = 1\n"}, author="ann")
    await hob.works()
    (check,) = pull.check_runs
    assert check.conclusion in ("success", "neutral")
    assert ("is no pattern" in (check.summary or "")) == (pattern in ("!", "[z-a]", "\\"))


def blocked(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """A machine without bubblewrap: PATH leads to git alone."""
    (folder / "bin").mkdir()
    (folder / "bin" / "git").symlink_to(shutil.which("git") or "")
    monkeypatch.setenv("PATH", str(folder / "bin"))
    monkeypatch.setattr(ways, "SANDBOX_EXEC", "/nonexistent")
    ways.here.cache_clear()


@pytest.fixture(autouse=True)
def _probe_again() -> Iterator[None]:
    """What a test makes of this machine is forgotten after it."""
    yield
    ways.here.cache_clear()


LCOV = "SF:/builds/octo/tea/tea.py\nDA:1,1\nDA:2,1\nDA:3,0\nend_of_record\n"
ASKED = "review: {checks: {coverage: true}}\n"


@pytest.mark.parametrize("granted", [True, False])
async def test_untested_lines_are_named_once_where_ci_published_a_report(
    granted: bool, tmp_path: Path, github: GitHubStandIn, ollama: FakeOllama
) -> None:
    """Another host gives the archive and takes no token; without the permission the review does without."""
    permissions = dict(PERMISSIONS) | ({"actions": "read"} if granted else {})
    github.install_app("octo", slug=SLUG, permissions=permissions)
    async with living_hob(tmp_path, github, ollama) as hob:
        repository = github.repository(
            "octo/tea", private=True, files={"tea.py": TEA, ".github/hob.yml": ASKED}
        )
        text = TEA + "COLD = True\n"
        pull = repository.open_pull_request("Cold", {"tea.py": text}, author="ann")
        repository.upload("coverage-report", pull.head_sha, {"lcov.info": LCOV})
        await hob.works()
        found = [(one.line, one.body.splitlines()[0]) for one in pull.review_comments]
        assert found == (
            [(3, "**minor**: 1 of 1 changed lines are run by no test (coverage)")] if granted else []
        )
        assert [run.conclusion for run in pull.check_runs] == ["neutral" if granted else "success"]


@pytest.mark.parametrize("artifact", [True, False])
async def test_lines_that_a_check_of_ci_names_as_not_covered_are_not_named_again(
    artifact: bool, tmp_path: Path, github: GitHubStandIn, ollama: FakeOllama
) -> None:
    """As Codecov's check does, with an annotation for each run of lines."""
    github.install_app("octo", slug=SLUG, permissions=dict(PERMISSIONS) | {"actions": "read"})
    async with living_hob(tmp_path, github, ollama) as hob:
        files = {"tea.py": TEA, ".github/hob.yml": ASKED}
        repository = github.repository("octo/tea", private=True, files=files)
        text = TEA + "COLD = True\nHOT = False\nMILD = None\n"
        pull = repository.open_pull_request("Cold", {"tea.py": text}, author="ann")
        told = {"path": "tea.py", "start_line": 3, "end_line": 4, "annotation_level": "warning"}
        message = "Added lines #L3 - L4 were not covered by tests"
        repository.check_run(pull.head_sha, "codecov/patch", told | {"title": "Codecov", "message": message})
        if artifact:
            lcov = LCOV.replace("DA:3,0", "DA:3,0\nDA:4,0\nDA:5,0")
            repository.upload("coverage-report", pull.head_sha, {"lcov.info": lcov})
        await hob.works()
        found = [(one.line, one.body.splitlines()[0]) for one in pull.review_comments]
        assert found == (
            [(5, "**minor**: 1 of 3 changed lines are run by no test (coverage)")] if artifact else []
        )
        (check,) = [run for run in pull.check_runs if run.name == "Hob"]
        assert "coverage" in (check.summary or "")
