from storage.queue.jobs import Job, JobKind
from storage.queue.procrastinate.enqueue import arguments_of, job_of


def test_a_job_comes_back_from_its_row_as_it_was() -> None:
    job = Job(JobKind.ANSWER, "turn", "conversation", attempt=2, rank=7)
    assert job_of(arguments_of(job)) == job


def test_a_row_of_the_version_before_is_a_job_too() -> None:
    row = {"kind": "deliver", "id": "c", "lane": "c", "attempt": 0, "rank": 0}
    assert job_of(row) == Job(JobKind.DELIVER, "c", "c")
