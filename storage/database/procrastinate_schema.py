"""Procrastinate's tables in our PostgreSQL: made with our migrations, and brought along when the library moves on.

The library ships its whole schema and one SQL file per later change. Which of the files are contained is kept in a
table of its own, so that `deskhand db upgrade` after an update of the library runs exactly the new ones.
"""

from pathlib import Path

from procrastinate.schema import SchemaManager
from sqlalchemy import Connection, bindparam, text

CREATE_RECORD = "CREATE TABLE IF NOT EXISTS procrastinate_migrations (name varchar(200) PRIMARY KEY)"
IS_INSTALLED = text("SELECT to_regclass('procrastinate_jobs') IS NOT NULL")
HAS_RECORD = text("SELECT to_regclass('procrastinate_migrations') IS NOT NULL")
RECORD_CHANGE = text("INSERT INTO procrastinate_migrations VALUES (:name)").bindparams(bindparam("name"))

OWN_CHANGES = {
    # The library looks for the jobs of a lock at every fetch, with an index that begins with the job's id.
    "deskhand.01_lock_index": """
        CREATE INDEX deskhand_jobs_lock_idx ON procrastinate_jobs (lock) WHERE status IN ('todo', 'doing')
    """,
    # The library tells its workers about new jobs only. A job that waited for its lock would otherwise wait for the
    # next poll when the one before it has ended.
    "deskhand.02_lock_is_free": """
        CREATE FUNCTION deskhand_lock_is_free() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            waiting record;
        BEGIN
            SELECT id, queue_name INTO waiting FROM procrastinate_jobs
            WHERE lock = OLD.lock AND status = 'todo' AND (scheduled_at IS NULL OR scheduled_at <= now())
            ORDER BY priority DESC, id LIMIT 1;
            IF FOUND THEN
                PERFORM pg_notify(
                    'procrastinate_queue_v1#' || waiting.queue_name,
                    json_build_object('type', 'job_inserted', 'job_id', waiting.id)::text
                );
            END IF;
            RETURN NULL;
        END;
        $$;
        CREATE TRIGGER deskhand_lock_is_free_after_end AFTER UPDATE OF status ON procrastinate_jobs
            FOR EACH ROW WHEN (OLD.status = 'doing' AND NEW.status <> 'doing' AND OLD.lock IS NOT NULL)
            EXECUTE PROCEDURE deskhand_lock_is_free();
        CREATE TRIGGER deskhand_lock_is_free_after_delete AFTER DELETE ON procrastinate_jobs
            FOR EACH ROW WHEN (OLD.status = 'doing' AND OLD.lock IS NOT NULL)
            EXECUTE PROCEDURE deskhand_lock_is_free();
    """,
    # Rows come and go by the thousand: the planner's picture of a queue must not be a minute's rush behind.
    "deskhand.03_vacuum": """
        ALTER TABLE procrastinate_jobs
            SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
        ALTER TABLE procrastinate_events SET (autovacuum_vacuum_scale_factor = 0.02);
    """,
}
"""What we add to the library's tables, in order; a change is a new entry."""


def is_current(connection: Connection) -> bool:
    """Whether everything that the installed library and this version need is there."""
    return not _missing(connection)


def upgrade(connection: Connection) -> None:
    """Make the tables or bring them up to date, in the caller's transaction."""
    connection.exec_driver_sql(CREATE_RECORD)
    missing = _missing(connection)
    if not connection.execute(IS_INSTALLED).scalar_one():
        _run(connection, SchemaManager.get_schema())
        # The whole schema contains what the library's files change.
        missing = {name: "" if name in _library() else statement for name, statement in missing.items()}
    for name, statement in missing.items():
        _run(connection, statement)
        connection.execute(RECORD_CHANGE, {"name": name})


def _missing(connection: Connection) -> dict[str, str]:
    known = set()
    if connection.execute(HAS_RECORD).scalar_one():
        known = set(connection.execute(text("SELECT name FROM procrastinate_migrations")).scalars())
    return {name: statement for name, statement in (_library() | OWN_CHANGES).items() if name not in known}


def _library() -> dict[str, str]:
    """The library's changes by name, the oldest first."""
    files = sorted(Path(SchemaManager.get_migrations_path()).glob("*.sql"))
    return {file.name: file.read_text(encoding="utf-8") for file in files}


def _run(connection: Connection, statements: str) -> None:
    if statements:
        # Several statements, and signs of percent that are no parameters.
        connection.execution_options(no_parameters=True).exec_driver_sql(statements)
