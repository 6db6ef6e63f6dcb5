"""What each process says of its connections to the chat platforms."""

import sqlalchemy as sa
from alembic import op

import storage.database.tables

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('channel_states',
    sa.Column('process_id', sa.String(length=32), nullable=False),
    sa.Column('channel', sa.String(length=16), nullable=False),
    sa.Column('is_on', sa.Boolean(), nullable=False),
    sa.Column('connected_since', storage.database.tables.Utc(timezone=True), nullable=True),
    sa.Column('last_event_at', storage.database.tables.Utc(timezone=True), nullable=True),
    sa.Column('last_error', sa.Text(), server_default='', nullable=False),
    sa.Column('last_error_at', storage.database.tables.Utc(timezone=True), nullable=True),
    sa.Column('seen_at', storage.database.tables.Utc(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('process_id', 'channel', name=op.f('pk_channel_states'))
    )


def downgrade() -> None:
    op.drop_table('channel_states')
