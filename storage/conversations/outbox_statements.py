"""The statements of the outbox, built once: making such a statement takes longer than running it."""

from sqlalchemy import bindparam, func, select, update

from storage.conversations.messages import reading
from storage.database.tables import conversations, customers, deliveries, messages
from storage.records import Author, DeliveryStatus, Visibility

OLDEST = (
    reading()
    .add_columns(
        deliveries.c.id.label("delivery_id"),
        deliveries.c.attempts,
        deliveries.c.failures,
        deliveries.c.next_attempt_at,
        conversations.c.thread,
        conversations.c.status.label("conversation_status"),
        customers.c.external_id.label("customer_external_id"),
    )
    .join(deliveries, deliveries.c.message_id == messages.c.id)
    .join(conversations, conversations.c.id == messages.c.conversation_id)
    .join(customers, customers.c.id == conversations.c.customer_id)
    .where(
        deliveries.c.conversation_id == bindparam("conversation"),
        deliveries.c.status == DeliveryStatus.PENDING,
    )
    .order_by(deliveries.c.seq)
    .limit(2)
)
"""The oldest pending delivery of a conversation and the one behind it, as channels get them."""

PENDING = update(deliveries).where(
    deliveries.c.id == bindparam("delivery"), deliveries.c.status == DeliveryStatus.PENDING
)
"""Changes a delivery that has not ended."""

AS_SEEN = PENDING.where(deliveries.c.attempts == bindparam("seen_attempts"))
"""Changes a delivery of which no other worker has begun a try since it was looked at."""

TAKE = AS_SEEN.where(deliveries.c.next_attempt_at == bindparam("seen_next_attempt_at"))
"""Changes a delivery that is just as it was looked at: of many workers that saw it, one takes it."""

ANSWERED_BY_AGENT = (
    select(messages.c.id)
    .where(
        messages.c.conversation_id == bindparam("conversation"),
        messages.c.seq > bindparam("seq"),
        messages.c.author == Author.AGENT,
        messages.c.visibility == Visibility.PUBLIC,
    )
    .limit(1)
)
"""Whether a person has written to the customer since this message."""

FIRST_QUESTION = select(func.min(messages.c.seq)).where(
    messages.c.conversation_id == bindparam("conversation"),
    messages.c.turn_id == bindparam("turn"),
    messages.c.author == Author.CUSTOMER,
)
"""Where what a turn answers begins."""
