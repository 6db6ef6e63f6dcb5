"""Schema migrations by Alembic, and Procrastinate's own tables: what the database is at, and bringing it up to date."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from storage.database import procrastinate_schema
from storage.errors import SchemaError

MIGRATIONS = Path(__file__).parent / "migrations"
ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(7215301)"
"""Two processes that start together migrate one after the other; on SQLite the write lock does that alone."""


@dataclass(frozen=True, slots=True)
class Revisions:
    """The revisions of this version."""

    newest: str
    known: frozenset[str]


@cache
def revisions() -> Revisions:
    """This version's newest revision, and all that it knows."""
    scripts = ScriptDirectory(str(MIGRATIONS))
    known = frozenset(script.revision for script in scripts.walk_revisions())
    return Revisions(scripts.get_current_head() or "", known)


def check(connection: Connection) -> None:
    """Raise SchemaError, which says what to do, unless the database is at this version's newest revision."""
    current, ours = MigrationContext.configure(connection).get_current_revision(), revisions()
    if current and current not in ours.known:
        raise SchemaError(
            f"the database is at revision {current}, which this version does not know: "
            "a newer version has used it; update Deskhand, or restore a backup from before"
        )
    if current != ours.newest:
        raise SchemaError(
            f"the database is at revision {current or 'none'}, this version needs {ours.newest}: "
            "run `deskhand db upgrade`"
        )
    if connection.dialect.name == "postgresql" and not procrastinate_schema.is_current(connection):
        raise SchemaError("the queue's tables are older than this version needs: run `deskhand db upgrade`")


def upgrade(connection: Connection) -> None:
    """Migrate to the newest revision, in the caller's transaction."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(ONE_AT_A_TIME)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    if connection.dialect.name == "postgresql":
        procrastinate_schema.upgrade(connection)
