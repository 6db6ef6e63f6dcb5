"""What every log line of a piece of work carries: the ids of what it is about."""

from contextlib import AbstractContextManager

from structlog.contextvars import bound_contextvars

from storage.queue.jobs import Job, JobKind


def log_fields(**ids: str | None) -> AbstractContextManager[None]:
    """Every line logged in the block names these; one that is None is left out."""
    return bound_contextvars(**{name: value for name, value in ids.items() if value is not None})


def about_job(job: Job) -> AbstractContextManager[None]:
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
