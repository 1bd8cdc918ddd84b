"""RQ: three queues, the worker on them, the embedded Redis, and what processes share through Redis."""

from bot.queue.bell import Bell, heard
from bot.queue.board import RedisBoard
from bot.queue.connect import Unreachable
from bot.queue.embedded import Embedded, EmbeddedFailed, embedded_url
from bot.queue.job import HobJob, RefusedJob, job_id
from bot.queue.pacer import Pacer
from bot.queue.queues import PRIORITIES, Queues
from bot.queue.worker import AsyncWorker

__all__ = [
    "PRIORITIES",
    "AsyncWorker",
    "Bell",
    "Embedded",
    "EmbeddedFailed",
    "HobJob",
    "Pacer",
    "Queues",
    "RedisBoard",
    "RefusedJob",
    "Unreachable",
    "embedded_url",
    "heard",
    "job_id",
]
