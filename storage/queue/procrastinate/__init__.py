"""The shared job queue on PostgreSQL by Procrastinate; docs/procrastinate.md says what each file works around."""
