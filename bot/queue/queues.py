"""Three RQ queues. A job is a wake-up call for a row: it can be lost, sent twice or made up, and nothing
bad comes of it."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from redis.client import Pipeline
from rq import Queue
from rq.intermediate_queue import IntermediateQueue
from rq.job import JobStatus
from rq.registry import FailedJobRegistry, FinishedJobRegistry
from rq.serializers import JSONSerializer
from rq.utils import as_text, now

from bot.core.events import Priority
from bot.queue.connect import CHANNEL, QUEUES, connect
from bot.queue.job import FORMERLY, PERFORM, allowing, job_id

PRIORITIES: tuple[Priority, ...] = ("high", "default", "low")
JOB_SECONDS = 3600
RESULT_SECONDS = 600
"""How long dashboards show a finished job."""
FAILURE_SECONDS = 86_400


class QueuedRun(Protocol):
    """A run, as far as the queue is concerned; `bot.store.Run` is one."""

    @property
    def id(self) -> int:
        """The row."""

    @property
    def delivery(self) -> str:
        """The GUID."""

    @property
    def handler(self) -> str:
        """The handler's name."""

    @property
    def priority(self) -> Priority:
        """Which queue."""


class Queues:
    """`allow` are the functions that jobs may name; the first is what `enqueue` names. Thread-safe;
    connects on first use. Methods raise one of `bot.queue.Unreachable` when Redis is away."""

    def __init__(self, redis_url: str, allow: tuple[str, ...] = (PERFORM, FORMERLY)) -> None:
        self.url = redis_url
        self.connection = connect(redis_url)
        self.job_class = allowing(allow)
        self._function = allow[0]
        self.by_priority: Mapping[Priority, Queue] = {
            priority: Queue(
                QUEUES[priority],
                connection=self.connection,
                job_class=self.job_class,
                serializer=JSONSerializer,
                default_timeout=JOB_SECONDS,
            )
            for priority in PRIORITIES
        }

    def enqueue(self, *tickets: QueuedRun) -> None:
        """One waiting job for each run. What is left of an earlier job of the run (finished, failed,
        waiting, stuck between queue and worker) is replaced, so it never blocks."""
        if not tickets:
            return
        with self.connection.pipeline() as pipeline:
            for ticket in tickets:
                self._put(ticket, pipeline)
            pipeline.publish(CHANNEL, "job")
            pipeline.execute()

    def missing(self, tickets: Iterable[QueuedRun]) -> list[QueuedRun]:
        """Those without a waiting job. (A run that is being worked on is not `queued` and does not come
        here.)"""
        wanted = list(tickets)
        if not wanted:
            return []
        with self.connection.pipeline(transaction=False) as pipeline:
            for queue in self.by_priority.values():
                pipeline.lrange(queue.key, 0, -1)
            waiting = {as_text(each) for ids in pipeline.execute() for each in ids}
        return [each for each in wanted if job_id(each.delivery, each.handler) not in waiting]

    def wake(self) -> None:
        """Rings for dispatchers and workers everywhere."""
        self.connection.publish(CHANNEL, "delivery")

    def ping(self) -> None:
        """Raises when Redis does not answer."""
        self.connection.ping()

    def close(self) -> None:
        """Closes the connections."""
        self.connection.close()

    def _put(self, ticket: QueuedRun, pipeline: Pipeline) -> None:
        queue = self.by_priority[ticket.priority]
        job = self.job_class.create(
            self._function,
            args=[ticket.id],
            id=job_id(ticket.delivery, ticket.handler),
            connection=self.connection,
            serializer=JSONSerializer,
            description=f"run {ticket.id}",  # RQ's default would be a repr of the call
            timeout=JOB_SECONDS,
            result_ttl=RESULT_SECONDS,
            failure_ttl=FAILURE_SECONDS,
        )
        pipeline.delete(job.key)  # with its expiry, which a new HSET would inherit
        for registry in (FinishedJobRegistry(queue=queue), FailedJobRegistry(queue=queue)):
            pipeline.zrem(registry.key, job.id)
        pipeline.lrem(IntermediateQueue.get_intermediate_queue_key(queue.key), 0, job.id)
        pipeline.lrem(queue.key, 0, job.id)
        job.origin, job.enqueued_at = queue.name, now()
        pipeline.sadd(queue.redis_queues_keys, queue.key)
        job.set_status(JobStatus.QUEUED, pipeline=pipeline)
        job.save(pipeline=pipeline)
        queue.push_job_id(job.id, pipeline=pipeline)
