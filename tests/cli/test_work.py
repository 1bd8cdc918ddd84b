"""`hob work` in the moment in which its database goes away."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bot.cli.work import worker
from bot.store import StoreUnavailable, migrate


@pytest.mark.parametrize("away", [1, 2])
async def test_a_database_that_goes_while_a_worker_is_put_together_is_waited_for_once(
    away: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    async def current() -> str:
        asked.append(1)
        if len(asked) <= away:
            raise StoreUnavailable("the connection to the database was lost")
        return "services"

    monkeypatch.setattr(worker, "current", current)
    migrate(url := f"sqlite:///{tmp_path / 'hob.db'}")
    config: Any = SimpleNamespace(store=SimpleNamespace(database_url=url))
    if away == 1:
        assert await worker._services(config) == "services"
    else:  # it comes back and goes again: whatever started this process starts another
        with pytest.raises(StoreUnavailable, match="was lost"):
            await worker._services(config)
    assert len(asked) == 2
