"""A signed push to a real `hob up`, whose worker is killed in the middle of the fetch."""

import os
import signal
from pathlib import Path

import pytest

from bot.knowledge.storage.index_stores import IndexStores
from bot.testing.github import GitHubStandIn
from tests.fakes.models import FakeOllama
from tests.running import SECRET, SLUG, environment, forked_hob, wait_for

pytestmark = [pytest.mark.kills, pytest.mark.timeout(600), pytest.mark.xdist_group("kills")]


def test_R1_a_push_is_known_even_when_its_worker_is_killed_in_the_middle(tmp_path: Path) -> None:
    with GitHubStandIn(tmp_path / "github") as github, FakeOllama() as ollama:
        github.install_app("octo", slug=SLUG)
        repo = github.repository("octo/tea", private=True, files={"pot.py": "POT = 1\n"})
        repo.commit({f"{n}.bin": os.urandom(300_000) for n in range(10)})
        github.fault("POST", "git-upload-pack fetch", kind="apply_then_hang", seconds=3)
        settings = environment(tmp_path, github, ollama.url, next(iter(ollama.models)))
        settings |= {"HOB_KNOWLEDGE__ENABLED": "true", "HOB_QUEUE__COALESCE_SECONDS": "0"}
        with forked_hob(tmp_path, settings) as hob:
            github.send_webhooks_to(f"{hob.url}/webhook", SECRET)
            repo.push({"steep.py": "def steep_slowly(minutes):\n    return minutes\n"})
            clone = hob.folder / "data" / "clones" / f"{repo.id}.git"
            wait_for(lambda: list(clone.glob("objects/pack/tmp_pack_*")), 60, hob)
            os.kill(hob.children()["work"], signal.SIGKILL)
            index_stores = IndexStores(hob.folder / "data" / "knowledge")

            def known() -> bool:
                if not index_stores.has(repo.id):
                    return False
                index_store = index_stores.open(repo.id)
                try:
                    return bool(index_store.defined(["steep_slowly"]))
                finally:
                    index_store.close()

            wait_for(known, 90, hob)
            assert not list(clone.glob("objects/pack/tmp_*"))
            secrets = [value[:60].encode() for value in github.tokens]
            stored = [one.read_bytes() for one in (hob.folder / "data").rglob("*") if one.is_file()]
            assert not [1 for text in (*stored, hob.log.encode()) for one in secrets if one in text]
