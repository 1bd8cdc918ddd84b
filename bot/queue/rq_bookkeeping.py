"""RQ's bookkeeping for the asynchronous worker: what `rq info` and dashboards read. All methods block, and
are called from one thread only; the jobs themselves run elsewhere."""

import logging
from typing import Any, cast

import redis
from rq import Queue, worker_registration
from rq.exceptions import NoSuchJobError
from rq.executions import Execution
from rq.intermediate_queue import IntermediateQueue
from rq.job import JobStatus
from rq.serializers import JSONSerializer
from rq.utils import as_text, now
from rq.worker import WorkerStatus
from rq.worker.base import BaseWorker

from bot.queue.job import HobJob
from bot.queue.queues import Queues

log = logging.getLogger(__name__)

BEAT_SECONDS = 10
WORKER_SECONDS = 60

_TAKE = """
for i = 1, #KEYS, 2 do
  local id = redis.call('LMOVE', KEYS[i], KEYS[i + 1], 'LEFT', 'RIGHT')
  if id then return {i, id} end
end
return false
"""
"""The first job in order of priority, moved to its queue's intermediate list in the same step. A BLPOP
over several queues would hand the id over before it is written down anywhere."""


class RqBookkeeping(BaseWorker):
    """One worker in RQ's registries, with several executions at once. Methods raise
    `bot.queue.Unreachable`."""

    def __init__(self, queues: Queues, name: str) -> None:
        super().__init__(
            list(queues.by_priority.values()),
            name=name,
            connection=queues.connection,
            job_class=queues.job_class,
            serializer=JSONSerializer,
            worker_ttl=WORKER_SECONDS,
            job_monitoring_interval=BEAT_SECONDS,
        )
        self._jobs: dict[str, HobJob] = {}
        """By execution."""
        self._take = self.connection.register_script(_TAKE)
        self._keys = [
            key
            for each in self.queues
            for key in (each.key, IntermediateQueue.get_intermediate_queue_key(each.key))
        ]

    def _set_connection(self, connection: redis.Redis) -> redis.Redis:
        """Leaves the time-outs alone: nothing blocks on Redis here, and 400 s of silence would be too
        long."""
        return connection

    def open(self) -> None:
        """Registers the worker."""
        self.register_birth()  # type: ignore[no-untyped-call]
        self.set_state(WorkerStatus.IDLE)

    def take(self) -> tuple[HobJob, Queue] | None:
        """The most urgent waiting job. Ids without a readable job are dropped: the sweep puts real ones
        back."""
        while found := self._take(keys=self._keys):
            queue = self.queues[(int(found[0]) - 1) // 2]
            try:
                job = self.job_class.fetch(
                    as_text(found[1]), connection=self.connection, serializer=self.serializer
                )
                return cast("HobJob", job), queue
            except (NoSuchJobError, ValueError, TypeError, AttributeError, KeyError) as error:
                if not isinstance(error, NoSuchJobError):
                    log.warning("dropped a job that cannot be read: %s", type(error).__name__)
                self.connection.lrem(queue.intermediate_queue_key, 1, found[1])
        return None

    def start(self, job: HobJob) -> Execution:
        """The job is under way: out of the intermediate list, into the started registry."""
        execution: Execution = self.prepare_execution(job)
        self.prepare_job_execution(job, remove_from_intermediate_queue=True)
        self._jobs[execution.id] = job
        return execution

    def succeed(self, execution: Execution, job: HobJob, queue: Queue) -> None:
        """Into the finished registry."""
        self._end(execution, job)
        job._result = None  # noqa: SLF001  RQ's worker sets it so
        self.handle_job_success(job, queue, queue.started_job_registry, execution)
        self._rest()

    def fail(self, execution: Execution | None, job: HobJob, queue: Queue, reason: str) -> None:
        """Into the failed registry; `execution` is None for a job that was never started."""
        self._end(execution, job)
        queue.intermediate_queue.remove(job.id)
        self.handle_job_failure(job, queue, exc_string=reason, execution=execution)
        self._rest()

    def give_back(self, execution: Execution, job: HobJob, queue: Queue) -> None:
        """To the front of its queue: the worker is going down."""
        self._end(execution, job)
        with self.connection.pipeline() as pipeline:
            self.cleanup_execution(job, pipeline, execution)
            job.set_status(JobStatus.QUEUED, pipeline=pipeline)
            pipeline.lrem(queue.key, 0, job.id)
            queue.push_job_id(job.id, pipeline=pipeline, at_front=True)
            pipeline.execute()

    def beat(self) -> None:
        """Heartbeats of the worker and its jobs; registers again after Redis has lost everything; RQ's own
        maintenance."""
        if not self.connection.sismember(self.redis_workers_keys, self.key):
            self.connection.hset(self.key, mapping=self.serialize())
            worker_registration.register(self)
        self.heartbeat()
        for identity, job in list(self._jobs.items()):
            self.maintain_heartbeats(job, self.executions[identity])
        if self.should_run_maintenance_tasks:
            self.clean_registries()  # type: ignore[no-untyped-call]

    def close(self) -> None:
        """Signs off."""
        self.register_death()  # type: ignore[no-untyped-call]

    def procline(self, message: Any) -> None:
        """Several jobs at once have no one title."""

    def _end(self, execution: Execution | None, job: HobJob) -> None:
        if execution is not None:
            self._jobs.pop(execution.id, None)
            self.executions.pop(execution.id, None)
        job.ended_at = now()

    def _rest(self) -> None:
        if not self._jobs:
            self.set_state(WorkerStatus.IDLE)
