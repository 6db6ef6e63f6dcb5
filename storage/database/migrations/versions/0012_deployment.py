"""What is decided for the whole deployment: its home workspace.

The only workspace there is becomes the home workspace: whoever runs the desk made it. Of several none is guessed:
`deskhand workspace home` says which.
"""

import sqlalchemy as sa
from alembic import op

import storage.database.tables

revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None

ONLY_WORKSPACE = '''
INSERT INTO deployment (key, value, changed_at)
SELECT 'home_workspace', MIN(id), CURRENT_TIMESTAMP FROM workspaces HAVING COUNT(*) = 1
'''


def upgrade() -> None:
    op.create_table('deployment',
    sa.Column('key', sa.String(length=64), nullable=False),
    sa.Column('value', sa.Text(), nullable=False),
    sa.Column('changed_at', storage.database.tables.Utc(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('key', name=op.f('pk_deployment'))
    )
    op.execute(sa.text(ONLY_WORKSPACE))


def downgrade() -> None:
    op.drop_table('deployment')
