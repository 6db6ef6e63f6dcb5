"""Members can be removed; documents tell how far they are loaded."""

import sqlalchemy as sa
from alembic import op

import storage.database.tables

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('members', schema=None) as batch_op:
        batch_op.add_column(sa.Column('removed_at', storage.database.tables.Utc(timezone=True), nullable=True))

    with op.batch_alter_table('documents', schema=None) as batch_op:
        batch_op.add_column(sa.Column('progress', sa.Integer(), server_default='0', nullable=False))


def downgrade() -> None:
    with op.batch_alter_table('documents', schema=None) as batch_op:
        batch_op.drop_column('progress')

    with op.batch_alter_table('members', schema=None) as batch_op:
        batch_op.drop_column('removed_at')
