"""Puts a receiver together from the configuration and runs it.

What the receiver asks Redis: is it there, does anybody work, how much waits. By RQ's keys
(https://python-rq.org/docs/workers/), for RQ itself would cost the receiver memory and give it nothing.
"""

import asyncio
import contextlib
import logging
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import uvloop
from redis import Redis

from bot.config import Config, api_tokens, require_receiver, why_not
from bot.config.rotating import Rotating
from bot.garbage import keep_what_is_loaded
from bot.github.site import site_of
from bot.paths import make_private
from bot.queue.connect import QUEUES, Unreachable, connect
from bot.queue.leader import KEY as LEADER
from bot.queue.redis_slots import RedisHostSlots
from bot.queue.wakeup import Wakeup
from bot.store import Store, await_schema, open_store
from bot.store.reconciliation import Reconciliation, told
from bot.web.agents import AgentsPort
from bot.web.app import WebApp, create_app
from bot.web.body import BodyReader
from bot.web.chat import ChatPort
from bot.web.guard import allowed_hosts
from bot.web.pages.signing_in import link_of
from bot.web.polling import polling_line
from bot.web.ready import Readiness, connects, hosts_line
from bot.web.server import address_of, listen, serve
from bot.web.session import Sessions
from bot.web.webhook import Receiver

WORKERS = "rq:workers"
"""RQ's set of the keys of its workers; a key lives as long as its worker beats."""


async def probe(redis: Redis) -> str:
    """How many workers there are; raises where Redis, every worker or whoever makes their runs is away."""
    try:
        alive = await asyncio.to_thread(workers, redis)
        scheduled = await asyncio.to_thread(redis.exists, LEADER)
    except Unreachable as wrong:
        raise ConnectionError(f"Redis does not answer: {wrong}") from None
    if not alive:
        raise ConnectionError("no worker is there: start hob work")
    if not scheduled:
        raise ConnectionError("nobody makes runs: start hob schedule, or hob work without --no-schedule")
    return f"{alive} worker{'s' if alive > 1 else ''}"


def workers(redis: Redis) -> int:
    """Workers whose heartbeat is fresh."""
    keys = list(redis.smembers(WORKERS))
    return int(redis.exists(*keys)) if keys else 0


def lengths(redis: Redis) -> Mapping[str, int]:
    """Jobs that wait, by priority."""
    return {priority: int(redis.llen(f"rq:queue:{name}")) for priority, name in QUEUES.items()}


log = logging.getLogger(__name__)


def run(
    config: Config,
    ask: ChatPort | None = None,
    requests: AgentsPort | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> None:
    """Answers until SIGINT or SIGTERM; questions by `ask`, what workers are to do by `requests`. `tell` is
    given a link that signs a browser in. UserError where it cannot start."""
    secrets = Rotating(partial(require_receiver, config), config.github.webhook_secret_file)
    tokens = Rotating(partial(api_tokens, config), config.api.token_file)
    store = open_store(config.store.database_url)
    redis, host_slots = connect(config.redis_url), RedisHostSlots(config.redis_url)
    try:
        await_schema(config.store.database_url)
        app = create_app(
            receiver=_receiver(config, secrets, store),
            store=store,
            token=tokens()[0],
            tokens=tokens,
            hosts=allowed_hosts(config.server.host, config.server.public_url),
            readiness=readiness(config, store, redis),
            queue_lengths=partial(lengths, redis),
            public_url=config.server.public_url,
            site=site_of(config.github.api_url),
            slug=config.github.app_slug,
            places=partial(host_slots.look, [host.name for host in config.hosts]),
            refuse_setting=partial(why_not, config),
            ask=ask,
            requests=requests,
            model_hosts=config.pool_hosts(),
            budget=(config.budget.online_usd_per_day, config.budget.online_tokens_per_day),
        )
        _serve(config, app, host_slots, lambda address: tell(f"{address}{link_of(Sessions(tokens()[0]))}"))
    finally:
        redis.close()
        store.close()


def _receiver(config: Config, secrets: Rotating[tuple[bytes, ...]], store: Store) -> Receiver | None:
    if not config.intake.receives:
        return None
    return Receiver(
        secrets=secrets(),
        renewed=secrets,
        put=store.inbox.put,
        wake=lambda: None,  # until the wake-up is there
        read=BodyReader(config.server.max_body_mb << 20),
    )


def readiness(config: Config, store: Store, redis: Redis) -> Readiness:
    """Without store, queue and worker, GitHub, or a way for deliveries, nothing is worked on; hosts are only
    reported, and polling where it is the net under a webhook."""
    needed = {
        "store": partial(_store_line, store),
        "queue": partial(probe, redis),
        "github": partial(connects, config.github.api_url, config.network.way()),
    }
    reported = {
        "hosts": partial(hosts_line, config.pool_hosts()),
        "missed deliveries": partial(_missed_line, store),
        "first indexes": partial(_indexes_line, store),
    }
    if config.intake.polls:
        polling = needed if config.intake.mode == "poll" else reported
        polling["polling"] = partial(polling_line, store.polling, config.intake.share)
    return Readiness(needed, reported)


async def _store_line(store: Store) -> str:
    await asyncio.to_thread(store.ping)
    return store.database.url.get_backend_name()


async def _missed_line(store: Store) -> str:
    """What was found of late; it is never a reason not to take deliveries."""
    return told(await asyncio.to_thread(Reconciliation(store.database).load), time.time())


async def _indexes_line(store: Store) -> str:
    return str(await asyncio.to_thread(store.first_indexes.status))


def _serve(config: Config, app: WebApp, host_slots: RedisHostSlots, tell: Callable[[str], None]) -> None:
    listening = listen(config.server.host, config.server.port)
    tell(address_of(listening))
    with (
        _port_file(config.hob.data_dir / "hob.port", address_of(listening)),
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        runner.run(_serve_ringing(config.redis_url, app, listening))
        runner.run(host_slots.aclose())


async def _serve_ringing(redis_url: str, app: WebApp, listening: socket.socket) -> None:
    async with Wakeup(redis_url, listens=False) as wakeup:
        app.wake_by(wakeup.ring)
        keep_what_is_loaded()
        await serve(app, listening)


@contextlib.contextmanager
def _port_file(path: Path, address: str) -> Iterator[None]:
    """Tells programs on this machine where the receiver listens, for port 0: `http://127.0.0.1:41234`."""
    try:
        make_private(path.parent)
        path.write_text(f"{address}\n")
    except OSError as wrong:
        log.warning("%s cannot be written: %s", path, wrong.strerror)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            path.unlink()
