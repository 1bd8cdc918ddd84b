"""A run of a repository's own tests, as a value. What they wrote is hostile text and stays data; how they are
held is `bot.sandbox`'s to say, and whether they run at all the operator's (`[code.tests]` in hob.toml)."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from bot.core.refs import Sha


@dataclass(frozen=True, slots=True)
class SuiteRun:
    """What came of it. `passed` and `failed`: names of tests, as far as a report told them; a command without
    a report has only its exit `code`."""

    passed: frozenset[str] = frozenset()
    failed: frozenset[str] = frozenset()
    code: int = 0
    output: str = ""
    """The end of what it wrote, without control signs and known secrets."""
    killed: str = ""
    """Past which limit it was killed; empty where it ended by itself."""
    refused: str = ""
    """Why nothing was run at all, for people."""
    command: str = ""
    """What was run, for people."""
    seconds: float = 0.0
    note: str = ""
    """Why the report that should name its tests names none, for people."""

    @property
    def good(self) -> bool:
        """Whether all of it ran and passed."""
        return not (self.refused or self.killed or self.code or self.failed)

    @property
    def figures(self) -> str:
        """How it went, for people."""
        said = f"killed ({self.killed})" if self.killed else f"exit code {self.code}"
        if self.passed or self.failed:
            also = f", {said}" if self.killed or (self.code and not self.failed) else ""
            said = f"{len(self.passed)} passed, {len(self.failed)} failed{also}"
        return f"{said}, {self.seconds:.0f} s"


RunSuite = Callable[[Sha, Mapping[str, str | None]], Awaitable[SuiteRun]]
"""`await run(commit, texts)`: the tests on a commit with these files in place of its own (None: deleted).
What goes wrong is a value."""
