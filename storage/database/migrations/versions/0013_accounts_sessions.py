"""One account per e-mail, and logins as rows.

The members' passwords become their account's. Where one e-mail has several passwords, none is trusted: nobody proved
the address, so a stranger may have taken it first. Such an account has no password until `deskhand member reset`.
Nobody becomes an operator by a migration: `deskhand member operator` says who is. The members' own columns stay for
the version before.
"""

import sqlalchemy as sa
from alembic import op

import storage.database.tables

revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None

ACCOUNTS = '''
INSERT INTO accounts (id, email, name, password_hash, created_at)
SELECT MIN(id), email, MIN(name),
    CASE WHEN COUNT(DISTINCT CASE WHEN removed_at IS NULL THEN password_hash END) = 1
        THEN MIN(CASE WHEN removed_at IS NULL THEN password_hash END) END,
    MIN(created_at)
FROM members GROUP BY email
'''
MEMBERS = 'UPDATE members SET account_id = (SELECT accounts.id FROM accounts WHERE accounts.email = members.email)'


def upgrade() -> None:
    moment = storage.database.tables.Utc(timezone=True)
    op.create_table('accounts',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('email', sa.String(length=320), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('password_hash', sa.String(length=200), nullable=True),
    sa.Column('is_operator', sa.Boolean(), server_default=sa.false(), nullable=False),
    sa.Column('must_change_password', sa.Boolean(), server_default=sa.false(), nullable=False),
    sa.Column('created_at', moment, nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_accounts')),
    sa.UniqueConstraint('email', name=op.f('uq_accounts_email'))
    )
    with op.batch_alter_table('members', schema=None) as batch_op:
        batch_op.add_column(sa.Column('account_id', sa.String(length=32), nullable=True))
        batch_op.create_index(batch_op.f('ix_members_account_id'), ['account_id'], unique=False)
        batch_op.create_foreign_key(
            batch_op.f('fk_members_account_id'), 'accounts', ['account_id'], ['id'], ondelete='CASCADE'
        )
    op.create_table('sessions',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('account_id', sa.String(length=32), nullable=False),
    sa.Column('member_id', sa.String(length=32), nullable=False),
    sa.Column('user_agent', sa.String(length=200), server_default='', nullable=False),
    sa.Column('address', sa.String(length=64), server_default='', nullable=False),
    sa.Column('created_at', moment, nullable=False),
    sa.Column('last_seen_at', moment, nullable=False),
    sa.Column('expires_at', moment, nullable=False),
    sa.Column('ended_at', moment, nullable=True),
    sa.ForeignKeyConstraint(
        ['account_id'], ['accounts.id'], name=op.f('fk_sessions_account_id'), ondelete='CASCADE'
    ),
    sa.ForeignKeyConstraint(['member_id'], ['members.id'], name=op.f('fk_sessions_member_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sessions'))
    )
    op.create_index(op.f('ix_sessions_account_id'), 'sessions', ['account_id'])
    op.create_index(op.f('ix_sessions_member_id'), 'sessions', ['member_id'])
    op.create_index(op.f('ix_sessions_expires_at'), 'sessions', ['expires_at'])
    op.execute(sa.text(ACCOUNTS))
    op.execute(sa.text(MEMBERS))


def downgrade() -> None:
    op.drop_table('sessions')
    with op.batch_alter_table('members', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_members_account_id'), type_='foreignkey')
        batch_op.drop_index(batch_op.f('ix_members_account_id'))
        batch_op.drop_column('account_id')
    op.drop_table('accounts')
