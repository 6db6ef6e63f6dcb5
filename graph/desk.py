"""Facade: the only door to the graph, for asking it and for every act that changes something for a workspace.

Each act is committed by the storage and then published, so that no caller publishes by itself.
"""

import asyncio
from datetime import timedelta

from graph.change_publisher import ChangePublisher
from graph.policy_replay import replay_all
from graph.turn_runner import TurnRunner
from storage.knowledge.chunks import LoadProgress
from storage.queue.jobs import Job, JobKind, Jobs
from storage.records import (
    Decision,
    Document,
    Draft,
    Member,
    Priority,
    Review,
    Triage,
    Verdict,
    Vote,
    WorkspaceSettings,
)
from storage.reporting.past_drafts import ReplayedDraft
from storage.store import Store


class Desk:
    """What bots, pages and commands may ask and do."""

    def __init__(self, runner: TurnRunner, store: Store, jobs: Jobs) -> None:
        self._runner = runner
        self._actions = store.conversations.actions
        self._reviews = store.conversations.reviews
        self._feedback = store.conversations.feedback
        self._workspaces = store.accounts.workspaces
        self._membership = store.accounts.membership
        self._documents = store.knowledge.catalogue
        self._reminders = store.conversations.sla
        self._past_drafts = store.reporting.past_drafts
        self._jobs = jobs
        self._changes = ChangePublisher(jobs, store.cluster.events)

    # Drafts and reviews.

    async def propose(
        self, workspace_id: str, question: str, settings: WorkspaceSettings
    ) -> tuple[Draft, Verdict, Triage]:
        """A draft for a question, and what would happen with it; nothing is kept or sent."""
        return await self._runner.propose(workspace_id, question, settings)

    async def replay_policy(
        self, workspace_id: str, settings: WorkspaceSettings, limit: int
    ) -> tuple[ReplayedDraft, ...]:
        """What would have happened with the latest drafts under these settings."""
        past = await self._past_drafts.latest(workspace_id, limit)
        return await asyncio.to_thread(replay_all, past, settings, self._runner.blocked_terms)

    async def decide(self, member: Member, review_id: str, decision: Decision, *, based_on: int) -> Review:
        """A person's decision: the first on this version wins; the graph resumes as a job.

        Raises NotFoundError, AlreadyDecidedError, StaleError (with the customer's newer text) and InvalidError.
        """
        decision = decision.model_copy(update={"member_id": member.id, "member_name": member.name})
        decided = await self._reviews.decide(member, review_id, decision, based_on=based_on)
        await self._jobs.enqueue(Job(JobKind.RESUME, review_id, decided.conversation_id))
        self._changes.publish(decided.workspace_id, decided.conversation_id)
        return decided.review

    async def claim(self, member: Member, review_id: str) -> None:
        """The others see that the member works on this review. Raises NotFoundError, AlreadyDecidedError."""
        await self._claim(member, review_id, release=False)

    async def release(self, member: Member, review_id: str) -> None:
        """Anybody may take the review. Raises NotFoundError, AlreadyDecidedError."""
        await self._claim(member, review_id, release=True)

    async def _claim(self, member: Member, review_id: str, *, release: bool) -> None:
        review = await self._reviews.claim(member, review_id, release=release)
        self._changes.publish(member.workspace_id, review.conversation_id)

    # Conversations.

    async def take_over(self, member: Member, conversation_id: str) -> None:
        """The member has the conversation; the bot is silent from now on."""
        await self._actions.take_over(member, conversation_id)
        await self._changes.publish_and_deliver(member.workspace_id, conversation_id)

    async def reply(self, member: Member, conversation_id: str, text: str) -> str:
        """Send a reply by hand; gives the message's id."""
        message_id = await self._actions.reply(member, conversation_id, text)
        await self._changes.publish_and_deliver(member.workspace_id, conversation_id)
        return message_id

    async def record_thread_reply(self, member: Member, conversation_id: str, text: str, external_id: str) -> None:
        """The member wrote in the customer's thread themself: they have the conversation, their words are kept."""
        await self._actions.record_thread_reply(member, conversation_id, text, external_id)
        await self._changes.publish_and_deliver(member.workspace_id, conversation_id)

    async def hand_back(self, member: Member, conversation_id: str) -> None:
        """The bot answers again, first of all what nobody has answered."""
        turn_id = await self._actions.hand_back(member, conversation_id)
        if turn_id is not None:
            await self._jobs.enqueue(Job(JobKind.ANSWER, turn_id, conversation_id))
        await self._changes.publish_and_deliver(member.workspace_id, conversation_id)

    async def ask_person(self, workspace_id: str, conversation_id: str) -> None:
        """The customer wants a person: whoever is free gets the conversation, and the customer is told once."""
        notice = (await self._workspaces.read(workspace_id)).settings.waiting_notice
        because = "The customer asked for a person."
        await self._actions.hand_to_person(workspace_id, conversation_id, because=because, notice=notice)
        await self._changes.publish_and_deliver(workspace_id, conversation_id)

    async def resolve(self, workspace_id: str, conversation_id: str, member: Member | None = None) -> None:
        """The matter is settled, says a member or the customer."""
        await self._actions.resolve(member, conversation_id, workspace_id)
        await self._changes.publish_and_deliver(workspace_id, conversation_id)

    async def close(self, workspace_id: str, conversation_id: str, member: Member | None = None) -> None:
        """The conversation ends."""
        await self._actions.close(member, conversation_id, workspace_id)
        await self._changes.publish_and_deliver(workspace_id, conversation_id)

    async def note(self, member: Member, conversation_id: str, text: str) -> None:
        """A note for members only."""
        await self._actions.note(member, conversation_id, text)
        self._changes.publish(member.workspace_id, conversation_id)

    async def assign(self, member: Member, conversation_id: str, assignee_id: str) -> None:
        """Give the conversation to a member."""
        await self._actions.assign(member, conversation_id, assignee_id)
        self._changes.publish(member.workspace_id, conversation_id)

    async def set_priority(self, member: Member, conversation_id: str, priority: Priority) -> None:
        """Say how urgent the conversation is."""
        await self._actions.set_priority(member, conversation_id, priority)
        self._changes.publish(member.workspace_id, conversation_id)

    async def vote(
        self, workspace_id: str, conversation_id: str, message_id: str, vote: Vote, comment: str = ""
    ) -> None:
        """The customer says whether a reply helped; voting again changes the vote. Raises NotFoundError."""
        await self._feedback.vote(workspace_id, conversation_id, message_id, vote, comment)
        self._changes.publish(workspace_id, conversation_id)

    async def remind_overdue(self, after: timedelta) -> None:
        """Tell the members of every customer who has waited for so long for a person; once per wait."""
        for reminded in await self._reminders.remind(after):
            self._changes.publish(reminded.workspace_id, reminded.conversation_id)

    # Members and documents.

    async def remove_member(self, admin: Member, member_id: str) -> int:
        """End a member's logins; gives how many of their conversations wait for anybody now.

        Raises NotAllowedError for the admin themself, NotFoundError outside the workspace.
        """
        released = await self._membership.remove(admin, member_id)
        self._changes.publish(admin.workspace_id, *released)
        return len(released)

    async def add_document(self, admin: Member, filename: str, content: bytes) -> Document:
        """Keep a file; a job makes it findable. Raises InvalidError for a format that is not accepted."""
        document = await self._documents.create(admin.workspace_id, filename, content, created_by=admin.id)
        await self._jobs.enqueue(Job(JobKind.LOAD, document.id, document.id))
        self._changes.publish(admin.workspace_id)
        return document

    async def load_document(self, document_id: str, progress: LoadProgress | None = None) -> None:
        """The job of a document: make it findable, or say why it cannot be read."""
        document = await self._documents.load_document(document_id, progress)
        self._changes.publish(document.workspace_id)

    async def give_up_document(self, job: Job, reason: str) -> None:
        """The last resort of a document whose job failed at every try."""
        await self._documents.give_up(job.id, reason)

    async def delete_document(self, admin: Member, document_id: str) -> None:
        """Forget a document and everything loaded from it. Raises NotFoundError, UnavailableError."""
        await self._documents.delete(admin.workspace_id, document_id)
        self._changes.publish(admin.workspace_id)
