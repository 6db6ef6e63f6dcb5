"""A conversation that waits too long for a person: when its members were reminded."""

import sqlalchemy as sa
from alembic import op

import storage.database.tables

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None

WAITING = sa.text("status IN ('pending', 'assigned')")


def upgrade() -> None:
    with op.batch_alter_table('conversations', schema=None) as batch_op:
        batch_op.add_column(sa.Column('reminded_at', storage.database.tables.Utc(timezone=True), nullable=True))
        batch_op.create_index('ix_conversations_waiting', ['waiting_since'], unique=False, sqlite_where=WAITING, postgresql_where=WAITING)


def downgrade() -> None:
    with op.batch_alter_table('conversations', schema=None) as batch_op:
        batch_op.drop_index('ix_conversations_waiting', sqlite_where=WAITING, postgresql_where=WAITING)
        batch_op.drop_column('reminded_at')
