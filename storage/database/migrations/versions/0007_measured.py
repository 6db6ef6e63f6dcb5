"""Indexes for what the metrics count."""

from alembic import op

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index('ix_deliveries_finished_at', 'deliveries', ['finished_at'])
    op.create_index('ix_documents_status_entries', 'documents', ['status', 'entries'])


def downgrade() -> None:
    op.drop_index('ix_documents_status_entries', table_name='documents')
    op.drop_index('ix_deliveries_finished_at', table_name='deliveries')
