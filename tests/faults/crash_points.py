"""Crash points: the step boundaries at which tests kill Hob.

A boundary is a function of the product, named here and nowhere else; the point before its call and the point
after it are where something dies. The product knows nothing of it: `watch` wraps the functions as their
modules are imported, in the processes of `tests.faults.forked` only.
"""

import inspect
import json
import os
import signal
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

BOUNDARIES: dict[str, tuple[str, ...]] = {
    "receiver": (
        "bot.web.webhook:Receiver._keep",
        "bot.web.webhook:Receiver._store",
        "bot.web.responses:answer",
        "bot.store.inbox:Inbox.put",
    ),
    "dispatch": (
        "bot.runs.schedule:dispatch_once",
        "bot.runs.schedule:sweep_once",
        "bot.runs.dispatch:route_delivery",
        "bot.store.routing:RunRouting.record",
        "bot.queue.queues:Queues.enqueue",
    ),
    "run": (
        "bot.queue.rq_bookkeeping:RqBookkeeping.take",
        "bot.queue.rq_bookkeeping:RqBookkeeping.start",
        "bot.queue.rq_bookkeeping:RqBookkeeping.succeed",
        "bot.store.runs:Runs.claim",
        "bot.store.runs:Runs.finish",
        "bot.store.heartbeat:HeartbeatThread.beat",
        "bot.runs.planning:make_plan",
        "bot.inference.request:Asking.run",
        "bot.store.calls:ModelCalls.add",
        "bot.github.client:Job.revoke_all",
    ),
    "outbox": (
        "bot.store.outbox:Outbox.plan",
        "bot.store.outbox:Outbox.rows",
        "bot.store.outbox:Outbox.start_sending",
        "bot.store.outbox:Outbox.done",
        "bot.store.outbox:Outbox.commit",
    ),
    "sender": (
        "bot.runs.effect_sender:EffectSender.apply",
        "bot.effects.base:Destination.post",
        "bot.effects.base:Destination.patch",
        "bot.github.wire:Wire.exchange",
        "bot.effects.review:OfPostReview.send",
        "bot.effects.check_run:OfSetCheck.send",
        "bot.effects.comment:OfComment.send",
        "bot.effects.labels:OfAddLabels.send",
    ),
    "code": (
        "bot.effects.code:OfPushCommit.send",
        "bot.effects.code:OfPushCommit.find",
        "bot.effects.code:OfOpenPullRequest.send",
        "bot.effects.code:OfOpenPullRequest.find",
    ),
    "knowledge": (
        "bot.knowledge.manager:KnowledgeManager.refresh",
        "bot.knowledge.clones:Held.update",
        "bot.knowledge.clone:Clone._make",
        "bot.knowledge.clone:Clone._commits",
        "bot.knowledge.clone:Clone._texts",
        "bot.knowledge.indexing:put_blobs",
        "bot.knowledge.indexing:_follow",
        "bot.knowledge.manager:take_issues",
    ),
    "schedule": (
        "bot.queue.leader:Leader.leads",
        "bot.runs.scheduled:make_due_once",
        "bot.store.schedule:Schedule.make_due",
        "bot.runs.scheduled:due_event",
    ),
    "reconcile": (
        "bot.runs.reconcile:_look",
        "bot.runs.reconcile:_fetch",
        "bot.store.reconciliation:Reconciliation.lacking",
        "bot.store.reconciliation:Reconciliation.save",
    ),
    "polling": (
        "bot.runs.polling:Poller.look",
        "bot.store.polling:PollingRow.save",
        "bot.github.deliveries:HookDeliveries.page",
        "bot.github.deliveries:HookDeliveries.payload",
    ),
}
"""Part of Hob -> `module:function` or `module:Class.method`."""

BOOT = ("bot.runs.schedule:recover_at_boot",)
"""Come to when a worker starts, and only then."""

ARMED, HIT, SEEN = "armed", "hit", "seen"
"""Files of the folder that `watch` is given: what is to happen where, that it did, and which points were come
to (where that file is)."""


def points(*parts: str) -> list[str]:
    """Both sides of the boundaries of these parts, of all where none is named."""
    named = [name for part in parts or BOUNDARIES for name in BOUNDARIES[part]]
    return [f"{side} {name}" for name in named for side in ("before", "after")]


def find(name: str, module: ModuleType | None = None) -> tuple[Any, str, Callable[..., Any]]:
    """What holds the function, its name there, and the function. AttributeError or ImportError where there is
    none of this name any more."""
    where, _, path = name.partition(":")
    holder: Any = module or import_module(where)
    *above, last = path.split(".")
    for each in above:
        holder = getattr(holder, each)
    return holder, last, vars(holder)[last] if above else getattr(holder, last)


class Watched:
    """Tells each point that is come to, and dies or kills there where that was asked for."""

    def __init__(self, folder: Path) -> None:
        self.armed, self.hit, self.seen = folder / ARMED, folder / HIT, folder / SEEN
        self.folder = folder

    def at(self, point: str) -> None:
        if self.seen.exists():
            _append(self.seen, f"{point}\n".encode())
        try:
            asked = json.loads(self.armed.read_bytes())
        except FileNotFoundError:
            return
        if asked["point"] != point:
            return
        if _append(self.folder / f"count-{asked['id']}", b".") != asked["nth"]:
            return
        part = self.folder / f"{HIT}.part"
        part.write_text(json.dumps({"id": asked["id"], "pid": os.getpid(), "role": sys.argv[1:2]}))
        part.replace(self.hit)
        others = [pid for pid in asked["kill"] if pid not in (0, os.getpid())]
        for pid in [*others, *([os.getpid()] if len(others) < len(asked["kill"]) else [])]:
            try:
                os.kill(pid, asked["signal"])
            except ProcessLookupError:
                continue

    def around(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        if inspect.iscoroutinefunction(call):

            @wraps(call)
            async def awaited(*args: Any, **named: Any) -> Any:
                self.at(f"before {name}")
                result = await call(*args, **named)
                self.at(f"after {name}")
                return result

            return awaited

        @wraps(call)
        def called(*args: Any, **named: Any) -> Any:
            self.at(f"before {name}")
            result = call(*args, **named)
            self.at(f"after {name}")
            return result

        return called


def arm(folder: Path, point: str, nth: int, kill: Sequence[int], id_: int, how: int = signal.SIGKILL) -> None:
    """When any process comes to the point for the `nth` time, it sends `kill` the signal; 0 is that process
    itself."""
    (folder / HIT).unlink(missing_ok=True)
    part = folder / f"{ARMED}.part"
    asked = {"point": point, "nth": nth, "kill": list(kill), "id": id_, "signal": int(how)}
    part.write_text(json.dumps(asked))
    part.replace(folder / ARMED)


def disarm(folder: Path) -> dict[str, Any] | None:
    """What was hit, if anything was."""
    (folder / ARMED).unlink(missing_ok=True)
    try:
        found: dict[str, Any] = json.loads((folder / HIT).read_text())
    except FileNotFoundError:
        return None
    return found


def _append(path: Path, data: bytes) -> int:
    """The file's length after that, exactly: others append too."""
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(file, data)
        return os.lseek(file, 0, os.SEEK_CUR)
    finally:
        os.close(file)


class _Finder(MetaPathFinder):
    """Wraps the functions of a module as soon as it is run: who imports them by name gets them wrapped."""

    def __init__(self, watched: Watched) -> None:
        self._watched = watched
        self._names: dict[str, list[str]] = defaultdict(list)
        for name in [*all_names(), *BOOT]:
            self._names[name.partition(":")[0]].append(name)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in self._names:
            return None
        spec = PathFinder.find_spec(fullname, path)
        if spec is None or spec.loader is None:
            return None
        run = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            run(module)
            for name in self._names[fullname]:
                holder, last, call = find(name, module)
                setattr(holder, last, self._watched.around(name, call))

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def all_names() -> Iterator[str]:
    for names in BOUNDARIES.values():
        yield from names


def watch(folder: Path) -> None:
    """From now on; before anything of Hob is imported."""
    sys.meta_path.insert(0, _Finder(Watched(folder)))
