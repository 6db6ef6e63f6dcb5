"""The statements of a turn's way, built once: making such a statement takes longer than running it."""

from sqlalchemy import and_, bindparam, select, update

from storage.database.tables import (
    conversations,
    messages,
    places,
    turns,
    workspaces,
)
from storage.records import Author, Visibility

TURN = select(turns).where(turns.c.id == bindparam("turn_id"))

JOINED = (
    select(
        turns,
        conversations.c.channel,
        conversations.c.status.label("conversation_status"),
        conversations.c.answered_seq,
        conversations.c.customer_seq,
        conversations.c.summary,
        conversations.c.summary_seq,
        conversations.c.bot_turns,
        workspaces.c.settings,
        places.c.mode.label("place_mode"),
    )
    .join(conversations, conversations.c.id == turns.c.conversation_id)
    .join(workspaces, workspaces.c.id == turns.c.workspace_id)
    .outerjoin(
        places,
        and_(
            places.c.workspace_id == conversations.c.workspace_id,
            places.c.channel == conversations.c.channel,
            places.c.external_id == conversations.c.place,
        ),
    )
    .where(turns.c.id == bindparam("turn_id"))
)
"""A turn with what its run needs to know about its conversation and workspace."""

CHECKPOINTED = select(turns.c.id, turns.c.status).where(
    turns.c.conversation_id == bindparam("conversation_id"),
    turns.c.id != bindparam("turn_id"),
    turns.c.checkpointed,
)
"""The conversation's other turns of which the checkpoint store holds something."""

TEXTS = (
    select(messages)
    .where(
        messages.c.conversation_id == bindparam("conversation_id"),
        messages.c.seq > bindparam("after"),
        messages.c.seq <= bindparam("upto"),
        messages.c.visibility == Visibility.PUBLIC,
        messages.c.author != Author.SYSTEM,
    )
    .order_by(messages.c.seq)
)
"""What customer, bot and agents said."""

CHANGE_TURN = update(turns).where(turns.c.id == bindparam("this_turn"))

CLAIM = (
    update(messages)
    .where(
        messages.c.conversation_id == bindparam("this_conversation"),
        messages.c.author == Author.CUSTOMER,
        messages.c.turn_id.is_(None),
        messages.c.seq <= bindparam("upto"),
    )
    .values(turn_id=bindparam("this_turn"))
)
"""Ties each customer message to the one turn that ended it."""
