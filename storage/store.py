"""Everything that is kept, opened once and passed on as one object."""

import asyncio
import contextlib
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from storage.accounts.members import Members
from storage.accounts.membership import Membership
from storage.accounts.workspaces import Workspaces
from storage.channels.encryption import SecretBox
from storage.channels.identities import Identities
from storage.channels.installations import Installations
from storage.channels.places import Places
from storage.channels.read_cursors import ReadCursors
from storage.channels.review_cards import ReviewCardTable
from storage.cluster.events import EventBus
from storage.conversations.admission.backpressure import BacklogMonitor
from storage.conversations.admission.rate_limit import Shares
from storage.conversations.edits import MessageEdits
from storage.conversations.feedback import Feedback
from storage.conversations.intake import MessageIntake
from storage.conversations.outbox import Outbox
from storage.conversations.reading import Conversations
from storage.conversations.suggested_questions import SuggestedQuestions
from storage.conversations.threads import Threads
from storage.database.data_folder import rows_in_use
from storage.database.engine import Database, open_database
from storage.embeddings.protocol import Embedder
from storage.errors import SettingsError
from storage.knowledge.documents.catalogue import Catalogue
from storage.knowledge.search import Knowledge
from storage.knowledge.vectors import open_vectors
from storage.settings import Settings
from storage.turns.begin import Turns
from storage.turns.completion import TurnCompletion
from storage.turns.reviews import Reviews


@dataclass(frozen=True, slots=True)
class Store:
    """The doors to what is kept, one per concept."""

    database: Database
    workspaces: Workspaces
    members: Members
    arrivals: MessageIntake
    corrections: MessageEdits
    conversations: Conversations
    turns: Turns
    endings: TurnCompletion
    reviews: Reviews
    roster: Membership
    outbox: Outbox
    feedback: Feedback
    knowledge: Knowledge
    catalogue: Catalogue
    signals: EventBus
    threads: Threads
    places: Places
    identities: Identities
    cards: ReviewCardTable
    installations: Installations
    marks: ReadCursors
    frequent: SuggestedQuestions


@asynccontextmanager
async def open_store(settings: Settings, embedder: Embedder) -> AsyncIterator[Store]:
    """Open rows and vectors. Raises SettingsError, SchemaError or UnavailableError with what to do."""
    check_data_dir(settings.data_dir)
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(rows_in_use(settings))
        database = open_database(settings.database_url)
        stack.push_async_callback(database.close)
        await database.check_schema()
        knowledge = Knowledge(database, embedder, await asyncio.to_thread(open_vectors, settings, embedder.model))
        stack.push_async_callback(knowledge.close)
        yield Store(
            database=database,
            workspaces=Workspaces(database, settings),
            members=Members(database, signing_secret(settings), timedelta(hours=settings.web.session_hours)),
            arrivals=MessageIntake(
                database,
                Shares(settings.limits),
                BacklogMonitor(settings.conversation.busy_seconds, settings.jobs.concurrency),
            ),
            corrections=MessageEdits(database),
            conversations=Conversations(database),
            endings=TurnCompletion(database),
            turns=Turns(database, settings.conversation.history_messages),
            reviews=Reviews(database),
            roster=Membership(database),
            outbox=Outbox(database),
            feedback=Feedback(database),
            knowledge=knowledge,
            catalogue=Catalogue(database, knowledge),
            signals=EventBus(),
            threads=Threads(database),
            places=Places(database),
            identities=Identities(database),
            cards=ReviewCardTable(database),
            installations=Installations(database, SecretBox(encryption_key(settings))),
            marks=ReadCursors(database),
            frequent=SuggestedQuestions(database),
        )


async def migrate_database(settings: Settings) -> None:
    """Bring the schema up to date; many processes may try at once."""
    with rows_in_use(settings):
        database = open_database(settings.database_url)
        try:
            await database.upgrade()
        finally:
            await database.close()


def check_data_dir(path: Path) -> None:
    """Raise SettingsError, which says what to do, unless files can be written there."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        probe = path / f".writable-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise SettingsError(
            f"the data folder {path} cannot be written ({error.strerror}): "
            "make it writable, or name another one in `data_dir` or DESKHAND_DATA_DIR"
        ) from error


def signing_secret(settings: Settings) -> str:
    """What signs logins: DESKHAND_SECRET, or a random secret kept in the data folder, readable by its owner only."""
    if given := settings.web.secret.get_secret_value():
        return given
    path = settings.data_dir / "secret"
    if not path.exists():
        _write_secret(path)
    return path.read_text(encoding="utf-8")


def encryption_key(settings: Settings) -> str:
    """What encrypts tokens at rest: DESKHAND_ENCRYPTION_KEY, or what signs logins."""
    return settings.web.encryption_key.get_secret_value() or signing_secret(settings)


def _write_secret(path: Path) -> None:
    """Written whole under another name first: of two processes that start together both read the same secret."""
    draft = path.with_name(f"secret-{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(secrets.token_urlsafe(48))
    with contextlib.suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()
