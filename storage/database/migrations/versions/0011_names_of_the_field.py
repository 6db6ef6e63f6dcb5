"""Tables and columns by the names of the field; every row stays.

Columns are renamed where they are: SQLite changes its indexes along, and no large table is copied. SQLite cannot rename
constraints: the three small tables with unique ones are copied for their sake, and of primary and foreign keys nothing
looks up the names. Processes of an earlier version do not know the new names: stop them first.
"""

import sqlalchemy as sa
from alembic import op

revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None

TABLES = {
    'cards': 'review_cards',
    'channel_states': 'channel_statuses',
    'early_changes': 'early_edits',
    'marks': 'read_cursors',
    'shares': 'admission_counters',
}
COLUMNS = {
    'admission_counters': {
        'minute_at': 'minute_tat',
        'hour_at': 'hour_tat',
        'told_until': 'wait_notified_until',
        'refused_until': 'refusal_notified_until',
    },
    'channel_statuses': {'seen_at': 'heartbeat_at'},
    'conversations': {
        'told_waiting': 'waiting_notified',
        'told_busy_at': 'busy_notified_at',
        'reminded_at': 'sla_reminded_at',
    },
    'deliveries': {'next_at': 'next_attempt_at'},
    'documents': {'refused': 'rejected_rows'},
    'installations': {'sealed': 'encrypted_secrets'},
    'read_cursors': {'heard_at': 'read_until'},
    'review_cards': {'shows': 'shown_status'},
}
CONSTRAINTS = {
    'admission_counters': {
        'pk_shares': 'pk_admission_counters',
        'fk_shares_workspace_id': 'fk_admission_counters_workspace_id',
    },
    'channel_statuses': {'pk_channel_states': 'pk_channel_statuses'},
    'early_edits': {
        'pk_early_changes': 'pk_early_edits',
        'fk_early_changes_workspace_id': 'fk_early_edits_workspace_id',
    },
    'read_cursors': {
        'pk_marks': 'pk_read_cursors',
        'fk_marks_workspace_id': 'fk_read_cursors_workspace_id',
    },
    'review_cards': {
        'pk_cards': 'pk_review_cards',
        'fk_cards_workspace_id': 'fk_review_cards_workspace_id',
        'fk_cards_review_id': 'fk_review_cards_review_id',
    },
}
UNIQUE = (
    ('early_edits', 'early_changes', ['workspace_id', 'channel', 'external_id']),
    ('read_cursors', 'marks', ['channel', 'team']),
    ('review_cards', 'cards', ['review_id', 'channel', 'place']),
)
"""Table, what it was called, and the columns of its unique constraint."""
OLD_INDEX, NEW_INDEX = 'ix_cards_channel_shows', 'ix_review_cards_channel_shown_status'


def upgrade() -> None:
    for old, new in TABLES.items():
        op.rename_table(old, new)
    for table, renamed in COLUMNS.items():
        for old, new in renamed.items():
            rename_column(table, old, new)
    for table, constraints in CONSTRAINTS.items():
        for old, new in constraints.items():
            rename_constraint(table, old, new)
    for table, before, columns in UNIQUE:
        rename_unique(table, unique_name(before, columns), unique_name(table, columns), columns)
    op.drop_index(OLD_INDEX, table_name='review_cards')
    op.create_index(NEW_INDEX, 'review_cards', ['channel', 'shown_status'])


def downgrade() -> None:
    op.drop_index(NEW_INDEX, table_name='review_cards')
    op.create_index(OLD_INDEX, 'review_cards', ['channel', 'shown_status'])
    for table, before, columns in UNIQUE:
        rename_unique(table, unique_name(table, columns), unique_name(before, columns), columns)
    for table, constraints in CONSTRAINTS.items():
        for old, new in constraints.items():
            rename_constraint(table, new, old)
    for table, renamed in COLUMNS.items():
        for old, new in renamed.items():
            rename_column(table, new, old)
    for old, new in TABLES.items():
        op.rename_table(new, old)


def rename_column(table: str, old: str, new: str) -> None:
    """Both databases know this statement; Alembic would copy SQLite's table instead."""
    op.execute(sa.text(f'ALTER TABLE {table} RENAME COLUMN {old} TO {new}'))


def unique_name(table: str, columns: list[str]) -> str:
    return f"uq_{table}_{'_'.join(columns)}"


def rename_unique(table: str, old: str, new: str, columns: list[str]) -> None:
    if is_postgres():
        rename_constraint(table, old, new)
        return
    with op.batch_alter_table(table) as batch_op:
        batch_op.drop_constraint(old, type_='unique')
        batch_op.create_unique_constraint(new, columns)


def is_postgres() -> bool:
    return op.get_bind().dialect.name == 'postgresql'


def rename_constraint(table: str, old: str, new: str) -> None:
    if is_postgres():
        op.execute(sa.text(f'ALTER TABLE {table} RENAME CONSTRAINT {old} TO {new}'))
