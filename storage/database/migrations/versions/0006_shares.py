"""Each customer's and each workspace's share of the desk; queued turns have a rank; busy notices are remembered."""

import sqlalchemy as sa
from alembic import op

import storage.database.tables

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None

QUEUED = sa.text("status = 'queued'")


def upgrade() -> None:
    op.create_table('shares',
    sa.Column('workspace_id', sa.String(length=64), nullable=False),
    sa.Column('subject', sa.String(length=32), nullable=False),
    sa.Column('minute_at', sa.Float(), nullable=False),
    sa.Column('hour_at', sa.Float(), nullable=False),
    sa.Column('told_until', sa.Float(), server_default='0', nullable=False),
    sa.Column('refused_until', sa.Float(), server_default='0', nullable=False),
    sa.Column('rank', sa.BigInteger(), server_default='0', nullable=False),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspaces.id'], name=op.f('fk_shares_workspace_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('workspace_id', 'subject', name=op.f('pk_shares'))
    )
    with op.batch_alter_table('conversations', schema=None) as batch_op:
        batch_op.add_column(sa.Column('told_busy_at', storage.database.tables.Utc(timezone=True), nullable=True))

    with op.batch_alter_table('turns', schema=None) as batch_op:
        batch_op.add_column(sa.Column('rank', sa.BigInteger(), server_default='0', nullable=False))

    op.create_index('ix_turns_queued_rank', 'turns', ['rank', 'due_at'], sqlite_where=QUEUED, postgresql_where=QUEUED)
    op.create_index('ix_turns_queued_due', 'turns', ['due_at'], sqlite_where=QUEUED, postgresql_where=QUEUED)


def downgrade() -> None:
    op.drop_index('ix_turns_queued_due', table_name='turns')
    op.drop_index('ix_turns_queued_rank', table_name='turns')
    with op.batch_alter_table('turns', schema=None) as batch_op:
        batch_op.drop_column('rank')

    with op.batch_alter_table('conversations', schema=None) as batch_op:
        batch_op.drop_column('told_busy_at')

    op.drop_table('shares')
