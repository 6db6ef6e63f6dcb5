"""What the embedded queue holds in memory: who is served first, and who makes room."""

from dataclasses import replace
from datetime import datetime, timedelta

from storage.clock import now
from storage.queue.embedded.priority_queue import KeyedPriorityQueue
from storage.queue.jobs import Job, JobKind

NOW = now()
LATER = NOW + timedelta(hours=1)


def answer(key: str, rank: int = 1) -> Job:
    return Job(JobKind.ANSWER, f"turn of {key}", key, rank=rank)


def taken(queue: KeyedPriorityQueue, at: datetime | None = None) -> list[str]:
    """The keys in the order in which they are served, each job done before the next one is taken."""
    order = []
    while isinstance(job := queue.take(at or now()), Job):
        order.append(job.key)
        queue.end(job)
    return order


def test_lower_ranks_are_served_first_and_equal_ones_in_the_order_of_their_times() -> None:
    queue = KeyedPriorityQueue(None, 1)
    for number, (key, rank) in enumerate((("c", 3), ("b", 2), ("b2", 2), ("a", 1))):
        queue.put(answer(key, rank), NOW + timedelta(microseconds=number))
    assert taken(queue) == ["a", "b", "b2", "c"]


def test_a_reply_that_is_ready_goes_before_any_turn() -> None:
    queue = KeyedPriorityQueue(None, 1)
    queue.put(answer("turn"), NOW)
    queue.put(Job(JobKind.DELIVER, "reply", "reply"), now())
    assert taken(queue) == ["reply", "turn"]


def test_a_notice_overtakes_the_turn_of_its_own_conversation() -> None:
    queue = KeyedPriorityQueue(None, 1)
    queue.put(answer("key"), NOW)
    queue.put(Job(JobKind.DELIVER, "key", "key"), now())
    first = queue.take(now())
    assert isinstance(first, Job)
    assert first.kind is JobKind.DELIVER


def test_when_only_later_jobs_wait_their_time_is_told() -> None:
    queue = KeyedPriorityQueue(None, 1)
    queue.put(answer("patient"), LATER)
    assert queue.take(NOW) == LATER


def test_loads_leave_hands_free_for_customers() -> None:
    queue = KeyedPriorityQueue(None, 2)
    for number in range(5):
        queue.put(Job(JobKind.LOAD, str(number), f"document {number}", rank=1), NOW)
    queue.put(answer("customer", rank=9), NOW)
    running = [queue.take(now()) for _ in range(3)]
    assert [job.kind for job in running if isinstance(job, Job)] == [JobKind.LOAD, JobKind.LOAD, JobKind.ANSWER]
    assert queue.take(now()) is None


def test_a_long_job_does_not_hold_up_the_turn_of_its_own_conversation() -> None:
    queue = KeyedPriorityQueue(None, 1)
    queue.put(Job(JobKind.LOAD, "document", "document", rank=1), NOW)
    assert isinstance(queue.take(now()), Job)
    queue.put(Job(JobKind.SUMMARISE, "key", "key", rank=1), NOW)
    queue.put(answer("key", rank=9), NOW)
    job = queue.take(now())
    assert isinstance(job, Job)
    assert job.kind is JobKind.ANSWER


def test_the_least_urgent_key_makes_room_for_a_more_urgent_one_and_for_no_other() -> None:
    queue = KeyedPriorityQueue(2, 1)
    queue.put(answer("first", 10), NOW)
    queue.put(answer("last", 30), NOW)
    queue.put(answer("too late", 40), NOW)
    assert queue.has_overflowed
    assert answer("last") in queue
    queue.put(answer("urgent", 20), NOW)
    assert answer("last") not in queue
    assert taken(queue) == ["first", "urgent"]


def test_who_is_not_due_makes_room_for_who_is_whatever_the_ranks() -> None:
    queue = KeyedPriorityQueue(1, 1)
    queue.put(answer("patient", 1), LATER)
    queue.put(answer("due", 99), NOW)
    assert taken(queue) == ["due"]


def test_what_runs_never_makes_room() -> None:
    queue = KeyedPriorityQueue(1, 1)
    queue.put(answer("running", 50), NOW)
    job = queue.take(now())
    queue.put(answer("urgent", 1), NOW)
    assert isinstance(job, Job)
    assert job in queue
    assert answer("urgent") not in queue


def test_the_size_counts_what_waits_and_what_runs() -> None:
    queue = KeyedPriorityQueue(None, 1)
    queue.put(answer("one"), NOW)
    queue.put(Job(JobKind.DELIVER, "one", "one"), NOW)
    queue.put(answer("two", rank=9), NOW)
    assert (queue.size, len(queue)) == (3, 2)
    running = queue.take(now())
    assert isinstance(running, Job)
    assert (queue.size, len(queue)) == (3, 2)
    queue.end(running)
    assert (queue.size, len(queue)) == (2, 2)


def test_a_key_is_forgotten_when_nothing_of_it_is_left() -> None:
    queue = KeyedPriorityQueue(None, 1)
    queue.put(answer("only"), NOW)
    job = queue.take(now())
    assert isinstance(job, Job)
    assert len(queue) == 1
    queue.end(job)
    assert len(queue) == 0
    assert job not in queue


def test_a_job_that_failed_waits_again_with_its_tries() -> None:
    queue = KeyedPriorityQueue(None, 1)
    queue.put(answer("failing"), NOW)
    job = queue.take(now())
    assert isinstance(job, Job)
    queue.end(job, retry=replace(job, attempt=1), due=LATER)
    assert queue.take(now()) == LATER
    again = queue.take(LATER)
    assert isinstance(again, Job)
    assert again.attempt == 1


def test_of_the_same_job_the_earlier_time_and_the_higher_number_of_tries_count() -> None:
    queue = KeyedPriorityQueue(None, 1)
    queue.put(replace(answer("same"), attempt=2), LATER)
    queue.put(answer("same"), NOW)
    queue.put(answer("same"), LATER)
    assert queue.size == 1
    job = queue.take(now())
    assert isinstance(job, Job)
    assert job.attempt == 2


def test_what_runs_is_known_and_may_wait_once_more() -> None:
    queue = KeyedPriorityQueue(None, 1)
    queue.put(answer("again"), NOW)
    job = queue.take(now())
    assert isinstance(job, Job)
    assert job in queue
    queue.put(job, NOW)
    assert queue.size == 2
    assert queue.take(now()) is None
    queue.end(job)
    assert queue.take(now()) == job


def test_only_one_job_of_a_key_runs_at_a_time() -> None:
    queue = KeyedPriorityQueue(None, 1)
    queue.put(answer("conversation"), NOW)
    queue.put(Job(JobKind.RESUME, "review", "conversation"), NOW)
    assert isinstance(queue.take(now()), Job)
    assert queue.take(now()) is None


def test_who_was_just_served_queues_up_behind_the_others_of_the_same_rank() -> None:
    queue = KeyedPriorityQueue(None, 1)
    for kind in (JobKind.DELIVER, JobKind.RESUME):
        queue.put(Job(kind, "busy", "busy"), NOW)
    queue.put(Job(JobKind.DELIVER, "quiet", "quiet"), NOW + timedelta(microseconds=1))
    assert taken(queue) == ["busy", "quiet", "busy"]


def test_more_is_fetched_when_half_of_the_keys_are_free() -> None:
    queue = KeyedPriorityQueue(4, 1)
    room = []
    for number in range(4):
        room.append(queue.has_room)
        queue.put(answer(str(number)), NOW)
    assert room == [True, True, True, False]
    assert not queue.has_room
    assert KeyedPriorityQueue(None, 1).has_room


def test_a_bounded_queue_that_has_room_has_not_overflowed() -> None:
    queue = KeyedPriorityQueue(2, 1)
    queue.put(answer("one"), NOW)
    queue.put(answer("two"), NOW)
    queue.put(Job(JobKind.DELIVER, "one", "one"), NOW)
    assert not queue.has_overflowed
    queue.put(answer("three"), NOW)
    assert queue.has_overflowed


def test_a_load_that_ends_lets_the_next_one_begin() -> None:
    queue = KeyedPriorityQueue(None, 1)
    for number in range(2):
        queue.put(Job(JobKind.LOAD, str(number), str(number), rank=1), NOW)
    first = queue.take(now())
    assert isinstance(first, Job)
    assert queue.take(now()) is None
    queue.end(first)
    assert isinstance(queue.take(now()), Job)


def test_cleared_nothing_waits() -> None:
    queue = KeyedPriorityQueue(None, 1)
    queue.put(answer("one"), NOW)
    queue.clear()
    assert (queue.size, queue.take(now())) == (0, None)


def test_a_job_is_due_at_its_very_moment() -> None:
    queue = KeyedPriorityQueue(None, 1)
    queue.put(answer("lower", rank=1), NOW)
    queue.put(answer("higher", rank=2), NOW - timedelta(seconds=1))
    job = queue.take(NOW)
    assert isinstance(job, Job)
    assert job.key == "lower"
