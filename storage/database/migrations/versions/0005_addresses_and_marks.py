"""Knowledge may have public addresses; what was heard of a chat server is remembered."""

import sqlalchemy as sa
from alembic import op

import storage.database.tables

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('chunks', schema=None) as batch_op:
        batch_op.add_column(sa.Column('url', sa.Text(), server_default='', nullable=False))

    op.create_table('marks',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('workspace_id', sa.String(length=64), nullable=False),
    sa.Column('channel', sa.String(length=16), nullable=False),
    sa.Column('team', sa.String(length=64), nullable=False),
    sa.Column('heard_at', storage.database.tables.Utc(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspaces.id'], name=op.f('fk_marks_workspace_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_marks')),
    sa.UniqueConstraint('channel', 'team', name=op.f('uq_marks_channel_team'))
    )

def downgrade() -> None:
    op.drop_table('marks')

    with op.batch_alter_table('chunks', schema=None) as batch_op:
        batch_op.drop_column('url')
