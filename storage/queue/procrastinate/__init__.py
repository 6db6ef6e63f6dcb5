"""The shared job queue on PostgreSQL by Procrastinate."""
