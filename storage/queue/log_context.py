"""Log context of a job: every line that is logged while it is done names what it is about."""

from contextlib import AbstractContextManager

from storage.queue.jobs import Job, JobKind
from storage.telemetry.log_context import log_fields


def job_context(job: Job) -> AbstractContextManager[None]:
    """Every line logged while this job is done, or after it has failed, says which it was."""
    return log_fields(job=job.kind, **_ids(job))


def _ids(job: Job) -> dict[str, str]:
    match job.kind:
        case JobKind.ANSWER:
            return {"turn": job.id, "conversation": job.key}
        case JobKind.RESUME:
            return {"review": job.id, "conversation": job.key}
        case JobKind.DELIVER | JobKind.SUMMARISE:
            return {"conversation": job.id}
        case JobKind.LOAD:
            return {"document": job.id}
