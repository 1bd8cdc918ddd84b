"""Scripts and workers give out the same places at model hosts."""

import asyncio
import json
import logging
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.config import Config, load_config
from bot.inference.hosts.pool import Pool
from bot.inference.hosts.slots import SharedHostSlots
from bot.queue.embedded import Embedded
from bot.queue.redis_slots import RedisHostSlots
from bot.scripting import Workshop
from tests.fakes.models import FakeOllama

MODEL = "qwen2.5:7b"


@pytest.fixture
def redis() -> Iterator[Embedded]:
    folder = Path(tempfile.mkdtemp(prefix="hob-s-"))
    server = Embedded(folder)
    server.start()
    yield server
    server.stop()
    shutil.rmtree(folder)


def config(ollama: FakeOllama, redis_url: str, folder: Path) -> Config:
    (folder / "hob.toml").touch()
    hosts = json.dumps([{"name": "mini", "url": ollama.url}])
    environ = {"HOB_HOSTS": hosts, "HOB_QUEUE__REDIS_URL": redis_url, "HOB_HOB__DATA_DIR": str(folder)}
    return load_config(folder / "hob.toml", environ)


async def test_a_script_waits_for_the_place_that_a_worker_has(
    ollama: FakeOllama, redis: Embedded, tmp_path: Path
) -> None:
    known = config(ollama, redis.url, tmp_path)
    ollama.says("done")
    worker = Pool(known.pool_hosts(), host_slots=SharedHostSlots(RedisHostSlots(known.redis_url)))
    async with Workshop(known) as shop:
        candidates = (await worker.candidates("chat", [MODEL])).candidates
        async with worker.place(candidates, 1):
            asked = asyncio.create_task(shop.delegate("chat", "Hello", model=MODEL))
            while not (await worker.traffic())["mini"].waiting:
                assert not asked.done()
                await asyncio.sleep(0.02)
            assert ollama.chats == []
        assert (await asyncio.wait_for(asked, 60)).text == "done"
    assert (await worker.traffic())["mini"].totals[MODEL].requests == 1
    await worker.aclose()


async def test_two_scripts_share_a_host(ollama: FakeOllama, redis: Embedded, tmp_path: Path) -> None:
    known = config(ollama, redis.url, tmp_path)
    ollama.says("a few words " * 5)
    ollama.token_seconds = 0.01
    async with Workshop(known) as one, Workshop(known) as other:
        asked = [shop.gather("chat", ["Hello"] * 4, model=MODEL) for shop in (one, other)]
        await asyncio.wait_for(asyncio.gather(*asked), 60)
    assert (len(ollama.chats), ollama.at_once) == (8, 1)


@pytest.mark.parametrize("given", ["unix:///nowhere/redis.sock", "redis://127.0.0.1:9"])
async def test_without_redis_a_script_goes_on_and_says_nothing(
    ollama: FakeOllama, tmp_path: Path, caplog: pytest.LogCaptureFixture, given: str
) -> None:
    ollama.says("done")
    async with Workshop(config(ollama, given, tmp_path)) as shop:
        done = await shop.gather("chat", ["Hello"] * 3, model=MODEL)
    assert [each.text for each in done] == ["done"] * 3
    assert ollama.at_once == 1
    assert [each for each in caplog.records if each.levelno >= logging.WARNING] == []


def test_without_a_loop_of_its_own_a_script_shares_too(
    ollama: FakeOllama, redis: Embedded, tmp_path: Path
) -> None:
    ollama.says("done")
    known = config(ollama, redis.url, tmp_path)
    for _ in range(2):
        assert Workshop(known).agent("chat").run_sync("Hello") == "done"

    async def seen() -> int:
        async with Workshop(known) as shop:
            return (await shop.pool.traffic())["mini"].totals[MODEL].requests

    assert asyncio.run(seen()) == 2
