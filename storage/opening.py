"""Opening the store: rows and vectors, wired once for a process and closed in order at its end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

from storage.accounts.accounts import Accounts
from storage.accounts.canned_replies import CannedReplies
from storage.accounts.customers import Customers
from storage.accounts.deployment import Deployment
from storage.accounts.devices import Devices
from storage.accounts.invitations import Invitations
from storage.accounts.login_limits import LoginLimits
from storage.accounts.members import Members
from storage.accounts.membership import Membership
from storage.accounts.passwords import Passwords
from storage.accounts.sessions import LoginSessions
from storage.accounts.tokens import Tokens
from storage.accounts.workspaces import Workspaces
from storage.channels.encryption import SecretBox
from storage.channels.identities import Identities
from storage.channels.installations import Installations
from storage.channels.places import Places
from storage.channels.read_cursors import ReadCursors
from storage.channels.review_cards import ReviewCardTable
from storage.conversations.actions import ConversationActions, release_work_of
from storage.conversations.admission.backpressure import BacklogMonitor
from storage.conversations.admission.control import AdmissionControl
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
from storage.database.data_folder import check_data_dir, rows_in_use
from storage.database.engine import Database, open_database
from storage.database.secrets import encryption_key, signing_secret
from storage.embeddings.protocol import Embedder
from storage.knowledge.documents.catalogue import Catalogue
from storage.knowledge.search import Knowledge
from storage.knowledge.vectors import open_vectors
from storage.records import ChannelName
from storage.reporting.activity import Activity
from storage.reporting.analytics import Analytics
from storage.reporting.monitoring import Monitoring
from storage.reporting.past_drafts import PastDrafts
from storage.settings import Settings
from storage.store import (
    AccountStore,
    ChannelStore,
    ClusterStore,
    ConversationStore,
    KnowledgeStore,
    ReportStore,
    Store,
)
from storage.turns.begin import Turns
from storage.turns.completion import TurnCompletion
from storage.turns.reviews import Reviews


@asynccontextmanager
async def open_store(settings: Settings, embedder: Embedder) -> AsyncIterator[Store]:
    """Open rows and vectors. Raises SettingsError, SchemaError or UnavailableError with what to do."""
    check_data_dir(settings.data_dir)
    async with AsyncExitStack() as stack:
        stack.enter_context(rows_in_use(settings))
        database = open_database(settings.database_url)
        stack.push_async_callback(database.close)
        await database.check_schema()
        knowledge = Knowledge(database, embedder, await asyncio.to_thread(open_vectors, settings, embedder.model))
        stack.push_async_callback(knowledge.close)
        yield Store(
            conversations=_conversations(database, settings),
            accounts=_accounts(database, settings),
            channels=ChannelStore(
                installations=_installations(database, settings),
                places=Places(database),
                identities=Identities(database),
                review_cards=ReviewCardTable(database),
                read_cursors=ReadCursors(database),
            ),
            knowledge=KnowledgeStore(index=knowledge, catalogue=Catalogue(database, knowledge)),
            cluster=ClusterStore(settings, database, knowledge),
            reporting=ReportStore(Analytics(database), Monitoring(database), Activity(database), PastDrafts(database)),
        )


def _accounts(database: Database, settings: Settings) -> AccountStore:
    passwords = Passwords()
    accounts, session_lasts = Accounts(database, passwords), timedelta(hours=settings.web.session_hours)
    secret = signing_secret(settings)

    def limits(kind: str) -> LoginLimits:
        return LoginLimits(database, Devices(secret, kind), settings.web.login_attempts, kind)

    return AccountStore(
        deployment=Deployment(database),
        invitations=Invitations(database),
        workspaces=Workspaces(database, settings),
        canned_replies=CannedReplies(database),
        accounts=accounts,
        member_logins=limits("member"),
        customer_logins=limits("customer"),
        sessions=LoginSessions(database, session_lasts),
        members=Members(database, accounts),
        membership=Membership(database, release_work_of),
        customers=Customers(database, passwords),
        tokens=Tokens(database, secret, session_lasts),
    )


def _installations(database: Database, settings: Settings) -> Installations:
    own_workspaces: dict[ChannelName, str] = {
        "slack": settings.slack.workspace,
        "discord": settings.discord.workspace,
    }
    return Installations(database, SecretBox(encryption_key(settings)), own_workspaces)


def _conversations(database: Database, settings: Settings) -> ConversationStore:
    backlog = BacklogMonitor(settings.conversation.busy_seconds, settings.jobs.concurrency)
    return ConversationStore(
        intake=MessageIntake(database, AdmissionControl(settings.limits), backlog),
        edits=MessageEdits(database),
        reading=Conversations(database),
        actions=ConversationActions(database),
        summaries=Summaries(database),
        messages=Messages(database),
        customer_view=CustomerView(database),
        threads=Threads(database),
        turns=Turns(database, settings.conversation.history_messages),
        completion=TurnCompletion(database),
        reviews=Reviews(database),
        outbox=Outbox(database),
        feedback=Feedback(database),
        suggested_questions=SuggestedQuestions(database),
        sla=SlaReminders(database),
        retention=Retention(database),
    )


def open_index(settings: Settings, embedder: Embedder) -> Knowledge:
    """The knowledge alone, for a tool that only searches in it and lives as long as its process."""
    return Knowledge(open_database(settings.database_url), embedder, open_vectors(settings, embedder.model))


async def migrate_database(settings: Settings) -> None:
    """Bring the schema up to date; many processes may try at once."""
    with rows_in_use(settings):
        database = open_database(settings.database_url)
        try:
            await database.upgrade()
        finally:
            await database.close()
