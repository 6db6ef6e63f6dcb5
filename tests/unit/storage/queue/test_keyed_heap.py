"""What the embedded queue holds in memory: who is served first, and who makes room."""

from datetime import datetime, timedelta

from storage.clock import now
from storage.queue.jobs import Job, JobKind
from storage.queue.keyed_heap import KeyedPriorityQueue

NOW = now()
LATER = NOW + timedelta(hours=1)


def answer(lane: str, rank: int = 1) -> Job:
    return Job(JobKind.ANSWER, f"turn of {lane}", lane, rank=rank)


def taken(lanes: KeyedPriorityQueue, at: datetime | None = None) -> list[str]:
    """The lanes in the order in which they are served, each job done before the next one is taken."""
    order = []
    while isinstance(job := lanes.take(at or now()), Job):
        order.append(job.lane)
        lanes.end(job)
        lanes.tidy(job.lane)
    return order


def test_lower_ranks_are_served_first_and_equal_ones_in_the_order_of_their_times() -> None:
    lanes = KeyedPriorityQueue(None, 1)
    for number, (lane, rank) in enumerate((("c", 3), ("b", 2), ("b2", 2), ("a", 1))):
        lanes.put(answer(lane, rank), NOW + timedelta(microseconds=number))
    assert taken(lanes) == ["a", "b", "b2", "c"]


def test_a_reply_that_is_ready_goes_before_any_turn() -> None:
    lanes = KeyedPriorityQueue(None, 1)
    lanes.put(answer("turn"), NOW)
    lanes.put(Job(JobKind.DELIVER, "reply", "reply"), now())
    assert taken(lanes) == ["reply", "turn"]


def test_a_notice_overtakes_the_turn_of_its_own_conversation() -> None:
    lanes = KeyedPriorityQueue(None, 1)
    lanes.put(answer("lane"), NOW)
    lanes.put(Job(JobKind.DELIVER, "lane", "lane"), now())
    first = lanes.take(now())
    assert isinstance(first, Job)
    assert first.kind is JobKind.DELIVER


def test_when_only_later_jobs_wait_their_time_is_told() -> None:
    lanes = KeyedPriorityQueue(None, 1)
    lanes.put(answer("patient"), LATER)
    assert lanes.take(NOW) == LATER


def test_loads_leave_hands_free_for_customers() -> None:
    lanes = KeyedPriorityQueue(None, 2)
    for number in range(5):
        lanes.put(Job(JobKind.LOAD, str(number), f"document {number}", rank=1), NOW)
    lanes.put(answer("customer", rank=9), NOW)
    running = [lanes.take(now()) for _ in range(3)]
    assert [job.kind for job in running if isinstance(job, Job)] == [JobKind.LOAD, JobKind.LOAD, JobKind.ANSWER]
    assert lanes.take(now()) is None


def test_a_long_job_does_not_hold_up_the_turn_of_its_own_conversation() -> None:
    lanes = KeyedPriorityQueue(None, 1)
    lanes.put(Job(JobKind.LOAD, "document", "document", rank=1), NOW)
    assert isinstance(lanes.take(now()), Job)
    lanes.put(Job(JobKind.SUMMARISE, "lane", "lane", rank=1), NOW)
    lanes.put(answer("lane", rank=9), NOW)
    job = lanes.take(now())
    assert isinstance(job, Job)
    assert job.kind is JobKind.ANSWER


def test_the_least_urgent_lane_makes_room_for_a_more_urgent_one_and_for_no_other() -> None:
    lanes = KeyedPriorityQueue(2, 1)
    lanes.put(answer("first", 10), NOW)
    lanes.put(answer("last", 30), NOW)
    lanes.put(answer("too late", 40), NOW)
    assert lanes.has_dropped
    assert lanes.knows(answer("last"))
    lanes.put(answer("urgent", 20), NOW)
    assert not lanes.knows(answer("last"))
    assert taken(lanes) == ["first", "urgent"]


def test_who_is_not_due_makes_room_for_who_is_whatever_the_ranks() -> None:
    lanes = KeyedPriorityQueue(1, 1)
    lanes.put(answer("patient", 1), LATER)
    lanes.put(answer("due", 99), NOW)
    assert taken(lanes) == ["due"]


def test_what_runs_never_makes_room() -> None:
    lanes = KeyedPriorityQueue(1, 1)
    lanes.put(answer("running", 50), NOW)
    job = lanes.take(now())
    lanes.put(answer("urgent", 1), NOW)
    assert isinstance(job, Job)
    assert lanes.knows(job)
    assert not lanes.knows(answer("urgent"))
