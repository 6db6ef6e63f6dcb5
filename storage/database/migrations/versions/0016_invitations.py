"""Links by which somebody founds a workspace, good for one use."""

import sqlalchemy as sa
from alembic import op

import storage.database.tables

revision = '0016'
down_revision = '0015'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('invitations',
    sa.Column('token_hash', sa.String(length=64), nullable=False),
    sa.Column('created_at', storage.database.tables.Utc(timezone=True), nullable=False),
    sa.Column('expires_at', storage.database.tables.Utc(timezone=True), nullable=False),
    sa.Column('used_at', storage.database.tables.Utc(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('token_hash', name=op.f('pk_invitations'))
    )


def downgrade() -> None:
    op.drop_table('invitations')
