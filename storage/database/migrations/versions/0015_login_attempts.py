"""Attempts to log in are counted in rows."""

import sqlalchemy as sa
from alembic import op

import storage.database.tables

revision = '0015'
down_revision = '0014'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('login_attempts',
    sa.Column('key', sa.String(length=64), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('ends_at', storage.database.tables.Utc(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('key', name=op.f('pk_login_attempts'))
    )
    op.create_index(op.f('ix_login_attempts_ends_at'), 'login_attempts', ['ends_at'])


def downgrade() -> None:
    op.drop_table('login_attempts')
