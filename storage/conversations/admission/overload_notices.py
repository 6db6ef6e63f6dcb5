"""What a customer is told when more comes in than can be answered: through the outbox, in the message's transaction."""

from sqlalchemy import RowMapping, and_, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import clock
from storage.conversations import messages
from storage.database.tables import conversations, places, workspaces
from storage.records import Mode, Visibility, WorkspaceSettings

SETTINGS = (
    select(workspaces.c.settings, places.c.mode)
    .outerjoin(
        places,
        and_(
            places.c.workspace_id == workspaces.c.id,
            places.c.channel == bindparam("channel"),
            places.c.external_id == bindparam("place"),
        ),
    )
    .where(workspaces.c.id == bindparam("workspace_id"))
)
TOLD_BUSY = (
    update(conversations)
    .where(conversations.c.id == bindparam("conversation"))
    .values(busy_notified_at=bindparam("told_at"))
)
SHORT_WAIT_SECONDS = 60


async def tell_paced(connection: AsyncConnection, conversation: RowMapping) -> bool:
    """The customer writes more than the limits let through at once; gives whether they were told."""
    return await _tell(connection, conversation, "paced_notice")


async def tell_busy(connection: AsyncConnection, conversation: RowMapping) -> bool:
    """The desk is late: say so once per wait, unless the customer knows already that it takes time."""
    if _knows(conversation) or not await _tell(connection, conversation, "busy_notice"):
        return False
    await connection.execute(TOLD_BUSY, {"conversation": conversation["id"], "told_at": clock.now()})
    return True


async def tell_refused(connection: AsyncConnection, conversation: RowMapping, retry_after: int) -> None:
    """A message was not kept. This is said in every mode: it would be lost silently otherwise."""
    settings, _ = await _settings(connection, conversation)
    text = settings.refused_notice.replace("{when}", retry_in_words(retry_after))
    await messages.say(connection, conversation, text, visibility=Visibility.PUBLIC)


def retry_in_words(seconds: int) -> str:
    """When so many seconds have passed: "in a minute", "in 5 minutes"."""
    minutes = -(-seconds // 60)
    return "in a minute" if seconds <= SHORT_WAIT_SECONDS else f"in {minutes} minutes"


async def _tell(connection: AsyncConnection, conversation: RowMapping, notice: str) -> bool:
    """Say this notice of the workspace, except where the desk only watches."""
    settings, place_mode = await _settings(connection, conversation)
    if settings.mode_of(conversation["channel"], place_mode) is Mode.SHADOW:
        return False
    await messages.say(connection, conversation, getattr(settings, notice), visibility=Visibility.PUBLIC)
    return True


async def _settings(connection: AsyncConnection, conversation: RowMapping) -> tuple[WorkspaceSettings, Mode | None]:
    keys = {key: conversation[key] for key in ("workspace_id", "channel", "place")}
    row = (await connection.execute(SETTINGS, keys)).one()
    return WorkspaceSettings.model_validate(row[0]), Mode(row[1]) if row[1] else None


def _knows(conversation: RowMapping) -> bool:
    since, told = conversation["waiting_since"], conversation["busy_notified_at"]
    return bool(conversation["waiting_notified"] or (since and told and told >= since))
