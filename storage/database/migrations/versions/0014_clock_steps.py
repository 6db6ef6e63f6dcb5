"""When limits were last counted and due times were set: a moment ahead of the clock says that it was set back."""

import sqlalchemy as sa
from alembic import op

import storage.database.tables

revision = '0014'
down_revision = '0013'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('admission_counters', schema=None) as batch_op:
        batch_op.add_column(sa.Column('counted_at', sa.Float(), server_default='0', nullable=False))
    with op.batch_alter_table('turns', schema=None) as batch_op:
        batch_op.add_column(sa.Column('due_set_at', storage.database.tables.Utc(timezone=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table('turns', schema=None) as batch_op:
        batch_op.drop_column('due_set_at')
    with op.batch_alter_table('admission_counters', schema=None) as batch_op:
        batch_op.drop_column('counted_at')
