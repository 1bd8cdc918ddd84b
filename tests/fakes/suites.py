"""A suite of tests that takes no process: one-line tests over whatever the other files of the tree define."""

from collections.abc import Callable, Mapping

from bot.core.file_kinds import is_test
from bot.core.refs import Sha
from bot.core.suite_runs import SuiteRun

Texts = Mapping[str, str | None]


class FakeSuite:
    """Each line `def test_x(): assert …` is a test. `files`: the texts of a commit, or how to read them;
    `report`: whether tests are named."""

    def __init__(
        self, files: Mapping[str, str] | Callable[[Sha], Mapping[str, str]], *, report: bool = True
    ) -> None:
        self.files = files
        self.report = report
        self.runs: list[Texts] = []

    async def __call__(self, commit: Sha, texts: Texts) -> SuiteRun:
        self.runs.append(texts)
        there = self.files(commit) if callable(self.files) else self.files
        files = {path: text for path, text in {**there, **texts}.items() if text is not None}
        names: dict[str, object] = {}
        for path in sorted(files):
            if path.endswith(".py") and not is_test(path):
                exec(files[path], names)
        passed: set[str] = set()
        failed: set[str] = set()
        for path in sorted(files):
            for line in files[path].splitlines() if is_test(path) else ():
                if line.startswith("def test"):
                    name = f"{path}::{line[4:].partition('(')[0]}"
                    (passed if self._passes(line, names) else failed).add(name)
        output = "".join(f"FAILED {one}\n" for one in sorted(failed))
        if not self.report:
            return SuiteRun(code=1 if failed else 0, output=output, command="make check")
        return SuiteRun(
            frozenset(passed), frozenset(failed), 1 if failed else 0, output, command="pytest -q", seconds=2
        )

    @staticmethod
    def _passes(line: str, names: dict[str, object]) -> bool:
        try:
            exec(f"{line}\n{line[4:].partition(':')[0]}", dict(names))
        except Exception:
            return False
        return True
