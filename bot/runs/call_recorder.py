"""What one run asks models: for which repository, on which side of an A/B, and each call as it was."""

import hashlib
import time
from dataclasses import dataclass, field, replace

from bot.core.inference import ModelCall, ToolUse
from bot.core.refs import RepoRef


@dataclass(slots=True)
class CallRecorder:
    """Collects the calls of a run about one issue or pull request."""

    repo: RepoRef
    number: int
    calls: list[ModelCall | ToolUse] = field(default_factory=list)
    """Of models, and of tools by them, in their order."""

    def tool(self, use: ToolUse) -> None:
        """A call of a tool that ended now."""
        self.calls.append(replace(use, at=time.time()))

    @property
    def part(self) -> float:
        """Where this issue falls between 0 and 1, always the same: below a role's share the second model is
        asked first."""
        digest = hashlib.sha256(f"{self.repo.id}#{self.number}".encode()).digest()
        return int.from_bytes(digest[:8], "big") / 2**64
