"""Turns with a checkpoint: the few that wait, and those that a crash left marked, to be found every minute."""

import sqlalchemy as sa
from alembic import op

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None

WHERE = {'sqlite_where': sa.text('checkpointed = 1'), 'postgresql_where': sa.text('checkpointed')}


def upgrade() -> None:
    with op.batch_alter_table('turns', schema=None) as batch_op:
        batch_op.create_index('ix_turns_checkpointed', ['status'], unique=False, **WHERE)


def downgrade() -> None:
    with op.batch_alter_table('turns', schema=None) as batch_op:
        batch_op.drop_index('ix_turns_checkpointed', **WHERE)
