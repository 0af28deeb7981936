"""RQ: a job is done under the context of whoever enqueued it.

    queue = rq.Queue(connection=redis, job_class=vestige.rq.Job)
    rq worker --job-class vestige.rq.Job

The context is part of the job's `meta`. A job adds its function as `business_process`, and its id as `job_id`.
"""

from __future__ import annotations

from typing import Any

import rq.job

from vestige._context import CARRIER
from vestige._jobs import carried, job

__all__ = ["Job"]


class Job(rq.job.Job):
    """rq.job.Job, with a context."""

    @classmethod
    def create(cls, *args: Any, **named: Any) -> Job:
        made: Job = super().create(*args, **named)  # type: ignore[assignment]
        if text := carried():
            made.meta.setdefault(CARRIER, text)
        return made

    def perform(self) -> Any:
        with job(self.meta.get(CARRIER), business_process=self.func_name, job_id=self.id):
            return super().perform()
