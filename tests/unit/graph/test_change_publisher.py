"""After a commit everybody who waits is woken, and what goes out has its job."""

from contextlib import ExitStack
from datetime import datetime

import pytest

from graph.change_publisher import ChangePublisher
from storage.cluster.events import EventBus
from storage.queue.jobs import Job, JobKind
from storage.records import ChannelName


class JobList:
    """Keeps what is enqueued."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []

    async def enqueue(self, job: Job, *, due: datetime | None = None) -> None:
        assert due is None
        self.jobs.append(job)


def test_who_waits_for_the_workspace_or_a_conversation_is_woken_and_nobody_else() -> None:
    events = EventBus()
    with ExitStack() as stack:
        news = {key: stack.enter_context(events.listen(key)) for key in ("w", "a", "b", "other")}
        ChangePublisher(JobList(), events).publish("w", "a", "b")
        assert {key for key, event in news.items() if event.is_set()} == {"w", "a", "b"}


@pytest.mark.parametrize("channel", ["slack", "discord", None])
async def test_what_may_go_out_is_delivered_before_it_is_told(channel: ChannelName | None) -> None:
    jobs, events = JobList(), EventBus()
    with events.listen("a") as news:
        await ChangePublisher(jobs, events).publish_and_deliver("w", "a", channel)
        assert news.is_set()
    assert [(job.kind, job.id) for job in jobs.jobs] == [(JobKind.DELIVER, "a")]


async def test_customers_who_read_the_rows_need_no_delivery() -> None:
    jobs, events = JobList(), EventBus()
    with events.listen("a") as news:
        await ChangePublisher(jobs, events).publish_and_deliver("w", "a", "web")
        assert news.is_set()
    assert jobs.jobs == []
