"""What Hob finds on its own machine."""

import asyncio
import os
import platform
import re
import stat
import sys
import time
import tomllib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from bot import config as configuration_room
from bot.cli.doctor import fixes
from bot.cli.doctor.line import DoctorFix, Fixable, Wrong, ago
from bot.config import Config
from bot.config.load import PASSWORD, PROXIES
from bot.core.errors import ConfigError

OLDEST = (3, 11)
OLDEST_GIT = (2, 31)
"""Reads settings from its environment."""


async def python() -> str:
    if not sys.version_info >= OLDEST:
        raise Wrong(f"{platform.python_version()} is too old", "install Python 3.11 or newer")
    return f"{platform.python_version()} on {platform.system()} {platform.machine()}"


async def git() -> str:
    from bot.git import run

    ran = await run(Path("/"), "version")
    if ran.why:
        raise Wrong(f"git cannot be run: {ran.why}", "install git")
    return ran.out.decode(errors="replace").strip()


async def ruff() -> str:
    return await _version(sys.executable, "-P", "-m", "ruff", "--version", hint="make clean install")


async def sandbox(config: Config) -> str:
    """What the service can, as it wrote down when it started; what this process can is said beside it. Never
    a failing line: Hob works without one and says in each check run what it left out."""
    from bot.core.sandbox_types import SandboxUnusable
    from bot.sandbox import here, told

    found = await asyncio.to_thread(here)
    none = isinstance(found, SandboxUnusable)
    mine = f"none: {found}" if isinstance(found, SandboxUnusable) else f"{found.name} works"
    report = await asyncio.to_thread(told, config.hob.data_dir)
    if report is None:
        said = f"{mine} for this command; no worker has run yet to say what the service can"
        none_there = none
    else:
        theirs = f"{report.name} works" if report.name else f"none: {report.why}"
        said = (
            f"{theirs} for the service (hob work, process {report.pid}, {ago(time.time() - report.at)} ago)"
        )
        said += "" if theirs == mine else f"; for this command: {mine}"
        none_there = not report.name
    more = "; ruff runs with limits alone, other programs do not (docs/security.md)"
    return said + (more if none_there else "")


async def checks() -> str:
    """Which programs there are to check with. Never a failing line: what lacks is said in each check run."""
    from bot.checks.inventory import programs_of

    found = await asyncio.to_thread(lambda: list(programs_of()))
    there = [one.program for one in found if one.path]
    missing = [one.program for one in found if not one.path]
    more = f"; not installed: {', '.join(missing)} (hob checks says how to get them)" if missing else ""
    return f"Hob's own, {', '.join(there)}{more}"


async def tests(config: Config) -> str:
    """Whose tests are run, and whether they can be, as this command is."""
    from bot.core.sandbox_types import SandboxUnusable
    from bot.sandbox import for_trees, in_image

    if not config.code.tests:
        return "of no repository ([code.tests] in hob.toml)"
    said: list[str] = []
    wrong: list[str] = []
    for name, table in config.code.tests.items():
        words, base = config.code.container, config.hob.data_dir / "suites"
        ask: Callable[[], object] = partial(for_trees, base)
        if table.image:
            ask = partial(in_image, words, table.image)
        found = await asyncio.to_thread(ask)
        missing = await asyncio.to_thread(_missing, [str(one.source) for one in table.mounts])
        if isinstance(found, SandboxUnusable):
            wrong.append(f"{name}: {found}")
        elif missing:
            wrong.append(f"{name}: {', '.join(missing)} is not there")
        said.append(f"{name} ({table.image or 'this machine'})")
    if wrong:
        raise Wrong(
            f"the tests of these are not run: {'; '.join(wrong)}",
            "see Tests in the sandbox in docs/code.md, or take them out of [code.tests]",
        )
    return f"of {', '.join(said)}"


def _missing(paths: list[str]) -> list[str]:
    return [path for path in paths if not Path(path).exists()]


async def configuration(config: Config) -> str:
    """Which file; and that it keeps its secrets to itself, where it holds some."""
    if config.source is None:
        return "no hob.toml; defaults and environment"
    mode = config.source.stat().st_mode
    if mode & 0o077 and _holds_secret(config.source):
        raise Wrong(
            f"{config.source} holds a secret and can be read by others (mode {mode & 0o777:04o})",
            f"chmod 600 {config.source}",
            fixes.close(config.source),
        )
    return str(config.source)


def _holds_secret(source: Path) -> bool:
    """Whether the file itself does: what the environment brings is not in it."""
    told = tomllib.loads(source.read_text(encoding="utf-8"))
    keys = (("store", "database_url"), ("queue", "redis_url"), ("network", "proxy"))
    urls = [told.get(table, {}).get(key, "") for table, key in keys]
    return bool(told.get("github", {}).get("webhook_secret")) or any(map(PASSWORD.search, urls))


async def data_dir(config: Config) -> str | Fixable:
    folder = config.hob.data_dir
    try:
        found = folder.stat()
    except FileNotFoundError:
        return Fixable(f"{folder} (not there yet; hob up makes it)", fixes.make_folder(folder))
    except OSError as wrong:
        raise Wrong(
            f"{folder}: {wrong.strerror}", "ask as the user whose it is, or correct hob.data_dir"
        ) from None
    if not stat.S_ISDIR(found.st_mode):
        raise Wrong(f"{folder} is no folder", "set hob.data_dir to another one")
    mode = found.st_mode & 0o777
    if mode & 0o077:
        raise Wrong(
            f"{folder} can be read by others (mode {mode:04o})", f"chmod 700 {folder}", fixes.close(folder)
        )
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise Wrong(f"{folder} is not this user's to write", "ask as the user whose it is")
    return str(folder)


async def intake(config: Config) -> str:
    """Which way deliveries come, and how polling goes."""
    from bot.store import StoreUnavailable, open_store
    from bot.web.polling import told

    mode = config.intake.mode
    if not config.intake.polls:
        return f"{mode}: GitHub calls POST /webhook"
    store = open_store(config.store.database_url)
    try:
        if store.database.file.is_missing:
            return f"{mode}; nobody has asked yet (hob up does)"
        status = await asyncio.to_thread(store.polling.load)
    except StoreUnavailable:
        return f"{mode}; the database cannot be read"
    finally:
        store.close()
    if not status.looked_at and not status.failing_since:
        return f"{mode}; nobody has asked yet (hob up does)"
    try:
        return f"{mode}: {told(status, config.intake.share, time.time())}"
    except ConnectionError as wrong:
        raise Wrong(f"{mode}: {wrong}", "see whether hob up (or hob work) runs, and its log") from None


async def proxy(config: Config) -> str:
    """The way out of this network; that GitHub lies behind it is seen when GitHub is asked."""
    way = config.network.way()
    if not way.proxy:
        around = next((name for name in PROXIES if os.environ.get(name)), "")
        more = f"; GitHub and git use {around} of the environment, model hosts do not"
        return f"none{more if around else ''}"
    parts = urlsplit(way.proxy)
    try:
        async with asyncio.timeout(5):
            _, writer = await asyncio.open_connection(parts.hostname, way.proxy_port)
        writer.close()
    except (OSError, TimeoutError) as wrong:
        why = getattr(wrong, "strerror", None) or "no answer within 5 s"
        raise Wrong(
            f"the proxy {way.proxy_name} cannot be reached: {why}", "see whether it runs, and network.proxy"
        ) from None
    past = ", ".join(("this machine", *way.no_proxy))
    return f"{way.proxy_name} answers; directly: {past}"


async def certificates(config: Config) -> str:
    """Whose certificates are believed."""
    from bot.http import certificates as trusted

    more = config.network.way().ca_file
    number = len((await asyncio.to_thread(trusted, True, more)).get_ca_certs())
    return f"{number} authorities, those of {more} too" if more else f"{number} authorities"


async def webhook_secret(config: Config) -> str:
    file = config.github.webhook_secret_file
    found = configuration_room.require_receiver(config)
    if not config.intake.receives:
        return "not needed: intake.mode is poll"
    short = [secret for secret in found if len(secret) < 16]
    if short:
        raise Wrong("a secret is shorter than 16 characters", "make one with `openssl rand -hex 32`")
    if file is not None and fixes.open_to_others(file):
        raise Wrong(f"{file} can be read by others", f"chmod 600 {file}", fixes.close(file))
    return "set" if len(found) == 1 else f"{len(found)} secrets: both are taken while you rotate"


async def private_key(config: Config) -> str:
    from bot.github.signing import sign

    file = config.github.private_key_file
    sign({}, fixes.private(file, lambda: configuration_room.private_key(config)))
    return f"{config.github.private_key_file}, for its owner only"


async def api_token(config: Config) -> str:
    fixes.private(config.api.token_file, lambda: configuration_room.api_token(config))
    return str(config.api.token_file)


async def handlers(config: Config) -> str:
    router = configuration_room.load_router(config)
    routes = getattr(router, "routes", None)
    if not routes:
        raise ConfigError(f"{config.hob.handlers} has no routes", "HOB_HANDLERS names a bot.router.Router")
    return f"{config.hob.handlers}, {len(routes)} routes"


async def database(config: Config) -> str | Fixable:
    from bot.store import StoreUnavailable, open_store
    from bot.store.schema import schema_age

    store = open_store(config.store.database_url)
    url = store.database.url
    try:
        if store.database.file.is_missing:
            return Fixable(f"{url.database} (not there yet; hob up makes it)", fixes.migrate(config))
        age = await asyncio.to_thread(schema_age, store.database)
        if age in ("none", "older"):
            said = "not at the newest schema yet; hob up (or hob migrate) brings it there"
            return Fixable(said, fixes.migrate(config))
        if age == "too new":
            raise Wrong(
                "at a newer version's schema, with which this version cannot work", "upgrade Hob again"
            )
    except StoreUnavailable as wrong:
        raise Wrong(str(wrong), "see whether it runs, has room, and store.database_url is right") from None
    finally:
        store.close()
    return url.render_as_string(hide_password=True)


async def missed(config: Config) -> str:
    """What was missed of late, and that somebody looks."""
    from bot.store import StoreUnavailable, open_store
    from bot.store.reconciliation import told

    store = open_store(config.store.database_url)
    try:
        if store.database.file.is_missing:
            return "nobody has looked yet (hob up does)"
        progress = await asyncio.to_thread(store.reconciliation.load)
    except StoreUnavailable:
        return "the database cannot be read"
    finally:
        store.close()
    said = told(progress, time.time())
    late = time.time() - progress.looked_at > 60 * max(60, 3 * config.intake.reconcile_minutes)
    if progress.looked_at and late:
        raise Wrong(
            said, "see whether hob up (or hob work) runs, and what its log says of the run `reconcile`"
        )
    return said


async def queue(config: Config) -> str | Fixable:
    """An embedded Redis need not run yet; one by URL must."""
    from redis import Redis
    from redis.exceptions import RedisError

    if config.queue.embedded:
        return await asyncio.to_thread(_embedded, config.hob.data_dir)
    client = Redis.from_url(config.queue.redis_url, socket_timeout=5, socket_connect_timeout=5)
    try:
        await asyncio.to_thread(client.ping)
    except RedisError as wrong:
        raise Wrong(str(wrong), "see whether Redis runs and queue.redis_url is right") from None
    finally:
        client.close()
    return "answers"


def _embedded(data_dir: Path) -> str | Fixable:
    from bot.queue.embedded import Embedded, EmbeddedFailed, binary

    try:
        binary()
    except EmbeddedFailed as wrong:
        raise Wrong(str(wrong), "see [queue] in docs/configuration.md") from None
    server = Embedded(data_dir)
    if not server.is_left_over():
        return "embedded, answers" if server.answers() else "embedded; hob up starts it"
    does = f"remove {server.socket}"
    return Fixable(
        "embedded; a socket is left over from one that was killed", DoctorFix(does, server.remove_left_over)
    )


async def knowledge(config: Config) -> str:
    """What is kept of repositories, and whether git can fetch more."""
    if not config.knowledge.enabled:
        return "off"
    told = re.search(r"(\d+)\.(\d+)", await git())
    if told and (int(told[1]), int(told[2])) < OLDEST_GIT:
        raise Wrong(f"git {told[0]} cannot be handed a token safely", "install git 2.31 or newer")
    folders = [config.hob.data_dir / name for name in ("clones", "knowledge")]
    clones, indexes = [await asyncio.to_thread(_megabytes, folder) for folder in folders]
    return f"clones {clones:.0f} MB, indexes {indexes:.0f} MB in {config.hob.data_dir}"


def _megabytes(folder: Path) -> float:
    return sum(one.lstat().st_size for one in folder.rglob("*") if one.is_file()) / (1 << 20)


async def _version(*command: str, hint: str) -> str:
    try:
        running = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
    except OSError as wrong:
        raise Wrong(f"{command[0]} cannot be run: {wrong.strerror}", hint) from None
    said, _ = await running.communicate()
    if running.returncode:
        raise Wrong(f"{command[0]} ended with {running.returncode}", hint)
    return said.decode(errors="replace").strip()
