"""Archives of a repository, as the App searches them: other repositories that its stored settings name, and
folders of hob.toml. What is private answers where its readers are, and nowhere else."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bot.core.code_search import Library
from bot.core.errors import HobError
from bot.core.folding import folded
from bot.core.refs import RepoRef
from bot.github.client import GitHub
from bot.knowledge.local import Local
from bot.knowledge.manager import KnowledgeManager

MOST = 10
log = logging.getLogger(__name__)


def may_answer(archive: RepoRef, repo: RepoRef, opened: Sequence[str]) -> bool:
    """Whether an archive may be quoted to whoever reads `repo`: a public one; a private one in private
    repositories of the same owner; and what the operator opened to all."""
    if not archive.private or folded(archive.full_name) in map(folded, opened):
        return True
    return repo.private and folded(repo.owner) == folded(archive.owner)


@dataclass(slots=True)
class Archives:
    """Of one repository, for one run. `names` are `owner/name`; `operator`: who asks may read everything, for
    the answer goes to whoever holds this Hob's token."""

    manager: KnowledgeManager
    github: GitHub
    repo: RepoRef
    names: Sequence[str] = ()
    folders: Mapping[str, Path] = field(default_factory=dict)
    opened: Sequence[str] = ()
    operator: bool = False
    data_dir: Path = Path()
    confidential: bool = False
    """Whether something was opened that must not go to online hosts."""
    _found: dict[str, Library] | None = None

    async def libraries(self) -> dict[str, Library]:
        """Those that may answer here and can be searched now, by name; looked up once."""
        if self._found is not None:
            return self._found
        found: dict[str, Library] = {}
        async for ref in self.repositories():
            found[ref.full_name] = self.manager.indexed(ref.id)
            self.confidential |= ref.private
        for name, folder in self.folders.items():
            allowed = self.operator or folded(name) in map(folded, self.opened)
            if allowed and (library := await asyncio.to_thread(self._folder, name, folder)):
                found[name] = library
                self.confidential = True
        self._found = found
        return found

    async def repositories(self) -> AsyncIterator[RepoRef]:
        """Those named where the App is installed, and that may answer here."""
        for name in self.names[:MOST]:
            try:
                ref = await self.github.find_repository(name)
            except HobError as wrong:
                log.warning("archive %s of %s is not searched: %s", name, self.repo.full_name, wrong)
                continue
            if ref.id != self.repo.id and (self.operator or may_answer(ref, self.repo, self.opened)):
                yield ref

    def _folder(self, name: str, folder: Path) -> Library | None:
        try:
            local = Local(folder, self.data_dir, archive=True)
            local.index(lambda *_: None)
        except HobError as wrong:
            log.warning("archive %s is not searched: %s", name, wrong)
            return None
        return local.indexed
