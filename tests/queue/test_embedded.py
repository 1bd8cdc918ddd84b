"""The embedded Redis."""

import asyncio
import os
import socket
import stat
from contextlib import suppress
from pathlib import Path

import pytest

from bot.paths import SOCKET_PATH_LIMIT, socket_path
from bot.queue.embedded import Embedded, EmbeddedFailed, embedded_url
from bot.queue.queues import Queues
from tests.queue.jobs import ticket


def settings(server: Embedded, *names: str) -> list[str]:
    queues = Queues(server.url)
    found = [queues.connection.config_get(name)[name] for name in names]
    queues.close()
    return found


def pid(server: Embedded) -> int:
    queues = Queues(server.url)
    found = int(queues.connection.info("server")["process_id"])
    queues.close()
    return found


def test_it_is_private_durable_and_never_evicts(own_redis: Embedded) -> None:
    names = ("port", "appendonly", "appendfsync", "save", "maxmemory-policy")
    assert settings(own_redis, *names) == ["0", "yes", "everysec", "", "noeviction"]
    path = Path(own_redis.url.removeprefix("unix://"))
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.stat().st_mode) == 0o700


def test_a_second_process_shares_the_server_and_leaves_it_running(own_redis: Embedded) -> None:
    other = Embedded(own_redis._folder.parent)
    other.start()
    assert other.url == own_redis.url
    other.stop()  # both are this process by name, so prove it with the other's pid below
    own_redis.start()
    assert own_redis.answers()


def test_a_server_left_by_a_killed_process_is_adopted_and_stopped(own_redis: Embedded) -> None:
    owner = own_redis._owner_file
    machine, _, _ = owner.read_text().partition(":")
    left_by_other, owner_alive = f"{machine}:{2**22 - 1}:1", f"elsewhere/0:{os.getppid()}:1"
    heir = Embedded(own_redis._folder.parent)
    owner.write_text(owner_alive)
    heir.start()
    heir.stop()
    assert own_redis.answers()
    owner.write_text(left_by_other)
    heir.start()
    heir.stop()
    assert not own_redis.answers()


async def test_it_is_started_again_when_killed_and_keeps_its_jobs(own_redis: Embedded) -> None:
    queues = Queues(own_redis.url)
    supervising = asyncio.create_task(own_redis.supervise())
    for number in range(3):
        queues.enqueue(ticket(number))
        await asyncio.sleep(1.2)  # `everysec`
        os.kill(pid(own_redis), 9)
        async with asyncio.timeout(20):
            while not await asyncio.to_thread(own_redis.answers):
                await asyncio.sleep(0.02)
        assert queues.by_priority["default"].count == number + 1
    supervising.cancel()
    with suppress(asyncio.CancelledError):
        await supervising
    queues.close()


@pytest.mark.parametrize("damage", ["truncated", "garbage", "manifest"])
def test_it_comes_up_from_a_damaged_file(own_redis: Embedded, damage: str) -> None:
    queues = Queues(own_redis.url)
    queues.enqueue(*map(ticket, range(20)))
    own_redis.stop()
    folder = own_redis._folder / "appendonlydir"
    (log,) = folder.glob("*.incr.aof")
    if damage == "truncated":
        os.truncate(log, log.stat().st_size - 7)
    elif damage == "garbage":
        log.write_bytes(b"*3\r\n$nonsense" * 50 + log.read_bytes())
    else:
        (folder / "appendonly.aof.manifest").write_text("not a manifest\n")
    own_redis.start()
    queues.enqueue(ticket(99))
    assert "guid-99-h_x" in queues.by_priority["default"].get_job_ids()
    queues.close()


def test_a_path_too_long_for_a_socket_falls_back_to_a_short_private_one(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 120)
    path = socket_path(deep)
    assert len(os.fsencode(path)) <= SOCKET_PATH_LIMIT
    assert path == socket_path(deep)
    assert socket_path(tmp_path / ("e" * 120)) != path
    server = Embedded(deep)
    server.start()
    assert server.answers()
    assert server.url == embedded_url(deep) == f"unix://{path}"
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    server.stop()
    path.parent.rmdir()


def test_a_socket_folder_laid_by_someone_else_is_refused(tmp_path: Path) -> None:
    deep = tmp_path / ("f" * 120)
    target = tmp_path / "theirs"
    target.mkdir()
    socket_path(deep).parent.symlink_to(target)
    with pytest.raises(EmbeddedFailed, match="not ours"):
        Embedded(deep).start()
    socket_path(deep).parent.unlink()


def test_a_stale_socket_is_no_obstacle(own_redis: Embedded) -> None:
    own_redis.stop()
    with socket.socket(socket.AF_UNIX) as stale:
        path = Path(own_redis.url.removeprefix("unix://"))
        path.unlink(missing_ok=True)
        stale.bind(str(path))
    own_redis.start()
    assert own_redis.answers()
