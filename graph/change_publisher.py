"""Publish-subscribe: after a commit, everybody who waits for a conversation or its workspace is woken."""

from storage.cluster.events import EventBus
from storage.queue.jobs import Job, JobKind, Jobs
from storage.records import READ_FROM_ROWS, ChannelName


class ChangePublisher:
    """Tells of changes that are committed; whoever is woken reads the rows."""

    def __init__(self, jobs: Jobs, events: EventBus) -> None:
        self._jobs = jobs
        self._events = events

    def publish(self, workspace_id: str, *conversation_ids: str) -> None:
        """Something changed in the workspace, in these conversations; nothing of it leaves the desk."""
        self._events.publish(*conversation_ids, workspace_id)

    async def publish_and_deliver(
        self, workspace_id: str, conversation_id: str, channel: ChannelName | None = None
    ) -> None:
        """The same, with a job for what the commit put into the outbox.

        Without a `channel` the conversation's is not known here, and there may be something to deliver.
        """
        if channel not in READ_FROM_ROWS:
            await self._jobs.enqueue(Job(JobKind.DELIVER, conversation_id, conversation_id))
        self.publish(workspace_id, conversation_id)
