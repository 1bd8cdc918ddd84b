"""A case in the place of GitHub (`bot.context.Reader`)."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from bot.core.refs import Sha
from bot.core.settings import Complaint
from bot.evals.cases import Case
from bot.github import offline
from bot.github.gather import PullRequestState, RawFile


@dataclass(frozen=True, slots=True)
class CaseReader(offline.Offline):
    """One case; its commits have shas made of its diff."""

    case: Case

    def sha(self, side: str) -> Sha:
        """Of `head` or `base`."""
        return Sha(hashlib.sha256(f"{side}\0{self.case.diff}".encode("utf-8", "replace")).hexdigest())

    async def pull_request(self, number: int) -> PullRequestState:
        head, base = self.sha("head"), self.sha("base")
        return offline.pull_request(number, head, base, self.case.title, self.case.body, "author")

    async def files(self, number: int) -> list[RawFile]:
        return [offline.raw_file(file) for file in self.case.files]

    async def texts(self, sha: Sha, paths: Sequence[str]) -> dict[str, str]:
        return {path: self.case.texts[path] for path in paths if path in self.case.texts}

    async def config_text(self, ref: str) -> tuple[str | None, tuple[Complaint, ...]]:
        return self.case.settings, ()
