"""Facade over storage: everything that is kept, as one object of five groups and the reports about them."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from prometheus_client import CollectorRegistry

from storage.accounts.accounts import Accounts
from storage.accounts.canned_replies import CannedReplies
from storage.accounts.customers import Customers
from storage.accounts.deployment import Deployment
from storage.accounts.invitations import Invitations
from storage.accounts.login_limits import LoginLimits
from storage.accounts.members import Members
from storage.accounts.membership import Membership
from storage.accounts.sessions import LoginSessions
from storage.accounts.tokens import Tokens
from storage.accounts.workspaces import Workspaces
from storage.channels.identities import Identities
from storage.channels.installations import Installations
from storage.channels.places import Places
from storage.channels.read_cursors import ReadCursors
from storage.channels.review_cards import ReviewCardTable
from storage.cluster.channel_status import shared_channel_status
from storage.cluster.events import EventBus
from storage.conversations.actions import ConversationActions
from storage.conversations.customer_view import CustomerView
from storage.conversations.edits import MessageEdits
from storage.conversations.feedback import Feedback
from storage.conversations.intake import MessageIntake
from storage.conversations.messages import Messages
from storage.conversations.outbox import Outbox
from storage.conversations.reading import Conversations
from storage.conversations.suggested_questions import SuggestedQuestions
from storage.conversations.summaries import Summaries
from storage.conversations.threads import Threads
from storage.conversations.upkeep.retention import Retention
from storage.conversations.upkeep.sla import SlaReminders
from storage.database.engine import Database
from storage.knowledge.documents.catalogue import Catalogue
from storage.knowledge.search import Knowledge
from storage.queue.jobs import JobQueue
from storage.queue.opening import embedded_jobs, open_jobs
from storage.records import ChannelState
from storage.reporting.activity import Activity
from storage.reporting.analytics import Analytics
from storage.reporting.monitoring import Monitoring
from storage.reporting.past_drafts import PastDrafts
from storage.settings import Settings
from storage.telemetry.health import Health
from storage.telemetry.metrics import Metrics
from storage.turns.begin import Turns
from storage.turns.completion import TurnCompletion
from storage.turns.reviews import Reviews


@dataclass(frozen=True, slots=True)
class ConversationStore:
    """A message's way from its arrival to the reply's delivery."""

    intake: MessageIntake
    """Accepts what customers write, and queues their turns."""
    edits: MessageEdits
    """Messages that were changed or deleted at the platform."""
    reading: Conversations
    """Conversations one by one and in pages."""
    actions: ConversationActions
    """What people do with a conversation."""
    summaries: Summaries
    """The rolling summaries of long conversations."""
    messages: Messages
    """Their texts, as members read them."""
    customer_view: CustomerView
    """Their texts, as the customer reads them."""
    threads: Threads
    """Which conversation a channel's thread is."""
    turns: Turns
    """Begins turns: what a run of the graph needs to know."""
    completion: TurnCompletion
    """Ends turns: reply, delivery, status, draft and audit event in one transaction."""
    reviews: Reviews
    """Drafts that wait for a person, and the decisions about them."""
    outbox: Outbox
    """Replies on their way to the channels."""
    feedback: Feedback
    """The customers' votes."""
    suggested_questions: SuggestedQuestions
    """What a customer who has not written yet may ask."""
    sla: SlaReminders
    """Reminds of customers who wait too long for a person."""
    retention: Retention
    """Forgets what nobody needs any more."""


@dataclass(frozen=True, slots=True)
class AccountStore:
    """Who there is: workspaces and the people in them."""

    deployment: Deployment
    invitations: Invitations
    """What is decided for all of them: the home workspace."""
    workspaces: Workspaces
    """The tenants and their settings."""
    canned_replies: CannedReplies
    """Texts that agents put into a reply with one click."""
    accounts: Accounts
    """One login per e-mail: passwords, and who operates the desk."""
    member_logins: LoginLimits
    """How many wrong passwords there may be for members."""
    customer_logins: LoginLimits
    """The same for customers."""
    sessions: LoginSessions
    """Open logins, to be listed and ended."""
    members: Members
    """Agents and admins with a login."""
    membership: Membership
    """Roles that change, and members who leave."""
    customers: Customers
    """Customers with a login in the web chat."""
    tokens: Tokens
    """Bearer tokens of members, customers and single conversations."""


@dataclass(frozen=True, slots=True)
class ChannelStore:
    """What the desk knows of the chat platforms."""

    installations: Installations
    """Which Slack team or Discord guild belongs to which workspace, with its tokens."""
    places: Places
    """Where in a channel people are served, and where the staff sits."""
    identities: Identities
    """Which member a platform's user is."""
    review_cards: ReviewCardTable
    """Reviews that are shown in the staff's places."""
    read_cursors: ReadCursors
    """Up to when each chat server was read."""


@dataclass(frozen=True, slots=True)
class KnowledgeStore:
    """What the desk can answer from."""

    index: Knowledge
    """Finds chunks by meaning and by words, and keeps their vectors."""
    catalogue: Catalogue
    """The documents that were loaded."""


@dataclass(frozen=True, slots=True)
class ReportStore:
    """What members read about their workspace as a whole; nothing here changes a row."""

    analytics: Analytics
    """Numbers over a span of days."""
    monitoring: Monitoring
    """What waits now, and how the latest turns went."""
    activity: Activity
    """The latest events, and replies that did not arrive."""
    past_drafts: PastDrafts
    """Drafts as policy saw them, to try other settings on."""


class ClusterStore:
    """This process among the others: events, jobs, the state of the channels, its own health and metrics."""

    def __init__(self, settings: Settings, database: Database, index: Knowledge) -> None:
        self._settings = settings
        self._database = database
        self._index = index
        self.events = EventBus()
        """Wakes who waits for news of a conversation or a workspace."""

    def open_jobs(self) -> AbstractAsyncContextManager[JobQueue]:
        """The queue that fits the database: of this process on SQLite, shared on PostgreSQL."""
        return open_jobs(self._settings, self._database)

    def embedded_jobs(self) -> JobQueue:
        """A queue of this process alone, whatever the database."""
        return embedded_jobs(self._settings, self._database)

    def shared_channel_status(
        self, mine: Callable[[], tuple[ChannelState, ...]], hear: Callable[[tuple[ChannelState, ...]], None]
    ) -> AbstractAsyncContextManager[None]:
        """While the block lasts, the processes on this database know how each other's channels are."""
        return shared_channel_status(self._database, mine, hear)

    def health(self, works: Callable[[], bool] | None = None) -> Health:
        """Whether this process can do its work; `works` says whether it takes jobs (None: it is not to take any)."""
        return Health(self._database, self._index.check, works)

    def metrics(self, registry: CollectorRegistry) -> Metrics:
        """What Prometheus reads of this process and of the rows; once per registry."""
        return Metrics(registry, self._database)


@dataclass(frozen=True, slots=True)
class Store:
    """The way to everything that is kept, in five groups, and to the reports about them."""

    conversations: ConversationStore
    accounts: AccountStore
    channels: ChannelStore
    knowledge: KnowledgeStore
    cluster: ClusterStore
    reporting: ReportStore
