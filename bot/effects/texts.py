"""Texts of an effect as people may read them: harmless, and none that gives a secret of Hob's own away."""

import logging
from dataclasses import dataclass

from bot.core.refs import RepoRef
from bot.sanitise import MOST_BYTES, harmless, plain, suggestion_block
from bot.sanitise.leaks import leaks

WITHHELD = "Withheld: this text held what looks like one of my own credentials."
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Texts:
    """For one repository. What holds one of `secrets`, as it was told or as it would read, is withheld."""

    repo: RepoRef
    secrets: tuple[str, ...] = ()
    number: int = 0
    """The issue or pull request under which they will stand."""

    def prose(self, text: str, limit: int = MOST_BYTES) -> str:
        """Markdown, in at most so many bytes."""
        return self._kept(text, harmless(text, repo=self.repo.full_name, limit=limit, number=self.number))

    def line(self, text: str, limit: int) -> str:
        return self._kept(text, plain(text, limit))

    def leaks(self, text: str) -> bool:
        """Whether a text that nothing may be changed in gives a secret away."""
        return bool(leaks(text, self.secrets))

    def with_block(self, body: str, suggestion: str | None) -> str:
        """A suggestion that could break its fence, hide characters or give a secret away is dropped; its
        prose stays, and is cut before it: nobody is offered half of one."""
        block = suggestion_block(suggestion) if suggestion is not None else None
        if block is None or leaks(block, self.secrets):
            return self.prose(body)
        return f"{self.prose(body, MOST_BYTES - len(block.encode()))}\n\n{block}"

    def page(self, body: str, folded: str) -> tuple[str, str]:
        """What is folded away is made harmless by itself: the fold around it is ours."""
        body = self.prose(body)
        return body, self.prose(folded, max(MOST_BYTES - len(body.encode()) - 200, 1_000))

    def _kept(self, told: str, clean: str) -> str:
        if not leaks(told, self.secrets) and not leaks(clean, self.secrets):
            return clean
        log.warning("a text was not posted: it held a credential of Hob's")
        return WITHHELD
