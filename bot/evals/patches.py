"""Cases that ask for a patch: a repository at a commit, an issue, and the tests that have to pass with it.

One JSON object a line: `{"repo": "clones/tea", "base": "sha", "issue": "Kettle boils over …", "command":
["python3", "-m", "unittest"], "tests": ["test_tea.Pot::test_brew"], "report": "report.xml", "files":
{"tests/test_tea.py": "…"}}`. Only `repo`, `base`, `issue` and `tests` must be there; without `command`
`tests` is the command itself. `files` are the case's own tests: no model sees them. docs/evaluation.md says
more.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.core.errors import UserError
from bot.core.file_kinds import is_test
from bot.core.suite_runs import SuiteRun
from bot.evals.files import kept_lines, read_text

MOST_CASES = 5_000
RUNNERS = frozenset(
    [
        *(
            "conftest.py",
            "pytest.ini",
            ".pytest.ini",
            "tox.ini",
            "setup.cfg",
            "noxfile.py",
            "sitecustomize.py",
        ),
        *("usercustomize.py", "jest.config.js", "jest.config.ts", "vitest.config.ts", "vitest.config.js"),
        *(".mocharc.json", ".mocharc.yml", ".mocharc.js", "karma.conf.js", ".rspec", "phpunit.xml"),
        *("Makefile", "Rakefile", "build.rs"),
    ]
)
"""Names of files that say which tests are run, and how."""
Word = Annotated[str, Field(min_length=1)]


class PatchCase(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    repo: str = Field(min_length=1)
    base: str = Field(pattern=r"^[0-9a-f]{7,64}$")
    issue: str = Field(min_length=1)
    tests: list[Word] = Field(min_length=1)
    command: list[Word] = []
    report: str = ""
    files: dict[str, str] = {}
    mount: list[str] = []
    seconds: float = Field(default=600.0, gt=0, le=86_400)
    language: str = ""
    name: str = ""

    @property
    def called(self) -> str:
        return self.name or f"{Path(self.repo).name} at {self.base[:7]}"

    @property
    def argv(self) -> tuple[str, ...]:
        return tuple(self.command or self.tests)

    @property
    def key(self) -> str:
        """Tells a case from one that was changed."""
        return hashlib.sha256(self.model_dump_json().encode("utf-8", "replace")).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class BadCase:
    """A line that is no case, or one that cannot be tried."""

    line: int
    why: str


def load_cases(file: Path) -> tuple[list[tuple[int, PatchCase]], list[BadCase]]:
    """(line, case) of each line that is one, and the others; UserError for a file that cannot be read."""
    lines = read_text(file).split("\n")
    cases: list[tuple[int, PatchCase]] = []
    bad: list[BadCase] = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            read = _read(file, line)
            if isinstance(read, PatchCase):
                cases.append((number, read))
            else:
                bad.append(BadCase(number, read))
    if (not cases and not bad) or len(cases) > MOST_CASES:
        raise UserError(f"{file} has {len(cases)} cases", f"give 1 to {MOST_CASES}, one JSON object a line")
    return cases, bad


def _read(file: Path, line: str) -> PatchCase | str:
    try:
        case = PatchCase.model_validate_json(line)
    except ValidationError as wrong:
        first = wrong.errors(include_url=False, include_input=False)[0]
        return f"{'.'.join(map(str, first['loc'])) or 'it'}: {first['msg']}"
    if case.command and not case.report:
        return "report: names of tests are read from a report: name the file that the command writes"
    if "://" in case.repo and not case.repo.startswith("file:///"):
        return "repo: nothing is fetched: clone it, and give its path"
    path = file.parent / case.repo.removeprefix("file://")
    return case.model_copy(update={"repo": str(path.resolve())})


def as_judged(made: Mapping[str, str | None], case: PatchCase) -> dict[str, str | None]:
    """The patch as its tests are run on it: without what it changes of tests and of how they are run, with
    the case's own tests in their places."""
    kept = {path: text for path, text in made.items() if not _judges(path)}
    return {**kept, **case.files}


def held_back(made: Iterable[str], case: PatchCase) -> list[str]:
    """The paths of a patch that do not count."""
    return sorted(path for path in made if _judges(path) or path in case.files)


def _judges(path: str) -> bool:
    return is_test(path) or path.rpartition("/")[2] in RUNNERS


def holds(run: SuiteRun, case: PatchCase) -> str:
    """Why a run does not show that the case is resolved; empty where it does."""
    if run.refused or run.killed:
        return run.refused or run.killed
    if not case.command:
        return f"its tests end with exit code {run.code}" if run.code or run.failed else ""
    missing = [name for name in case.tests if not _among(name, run.passed) or _among(name, run.failed)]
    more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
    return f"not passed: {', '.join(missing[:3])}{more}" if missing else ""


def _among(name: str, names: Iterable[str]) -> bool:
    return any(one == name or one.endswith(f"::{name}") for one in names)


@dataclass(frozen=True, slots=True)
class PatchOutcome:
    """What one model made of one case. `why`: why it is not resolved; `broken`: the case could not be tried,
    so it says nothing of the model."""

    case: str
    key: str
    line: int
    model: str
    resolved: bool = False
    applied: bool = False
    gate: str = ""
    calls: int = 0
    tokens: int = 0
    seconds: float = 0.0
    why: str = ""
    held_back: tuple[str, ...] = ()
    broken: bool = False

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(slots=True)
class PatchRow:
    """One model over all cases."""

    model: str
    cases: int = 0
    resolved: int = 0
    applied: int = 0
    gate: int = 0
    calls: int = 0
    tokens: int = 0
    seconds: float = 0.0
    broken: int = 0

    def add(self, one: PatchOutcome) -> None:
        self.broken += one.broken
        if one.broken:
            return
        self.cases += 1
        self.resolved += one.resolved
        self.applied += one.applied
        self.gate += one.gate == "passed"
        self.calls += one.calls
        self.tokens += one.tokens
        self.seconds += one.seconds


def rows(outcomes: Sequence[PatchOutcome], models: Sequence[str]) -> list[PatchRow]:
    found = {model: PatchRow(model) for model in models}
    for one in outcomes:
        found[one.model].add(one)
    return list(found.values())


def load_results(file: Path) -> list[PatchOutcome]:
    """What an earlier run wrote down; a line that broke off is left out."""
    found: list[PatchOutcome] = []
    for line in kept_lines(file):
        try:
            told = json.loads(line)
            found.append(PatchOutcome(**{**told, "held_back": tuple(told["held_back"])}))
        except (ValueError, TypeError, KeyError, RecursionError):
            continue
    return found
