"""A run's way to what was read of its repository's code (`bot.core.scan.ScanRecord`)."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.core.scan import ScannedFile
from bot.store import Store


@dataclass(frozen=True, slots=True)
class RepositoryScans:
    store: Store
    repo_id: int

    async def known(self) -> Mapping[str, ScannedFile]:
        return await asyncio.to_thread(self.store.scans.known, self.repo_id)

    async def keep(self, one: ScannedFile) -> None:
        await asyncio.to_thread(self.store.scans.keep, self.repo_id, one)

    async def drop(self, paths: Sequence[str]) -> None:
        await asyncio.to_thread(self.store.scans.drop, self.repo_id, list(paths))

    async def told(self) -> frozenset[str]:
        return await asyncio.to_thread(self.store.findings.fingerprints, self.repo_id, 0)
