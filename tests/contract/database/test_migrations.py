"""Migrations: an older database becomes this version's with every row, and is then what the code believes it to be."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Engine, MetaData, Table, create_engine, select

from storage.database import tables
from storage.database.engine import open_database
from storage.database.schema import MIGRATIONS
from tests.support.databases import copied_database
from tests.support.settings import settings_for

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
BEFORE_NAMES: dict[str, dict[str, Any]] = {
    "workspaces": {"id": "w", "name": "W", "settings": {}, "created_at": NOON},
    "customers": {"id": "c", "workspace_id": "w", "channel": "web", "external_id": "c", "created_at": NOON},
    "conversations": {
        "id": "v",
        "workspace_id": "w",
        "channel": "web",
        "thread": "t",
        "customer_id": "c",
        "status": "assigned",
        "priority": "low",
        "told_waiting": True,
        "told_busy_at": NOON,
        "reminded_at": NOON,
        "created_at": NOON,
        "updated_at": NOON,
    },
    "shares": {
        "workspace_id": "w",
        "subject": "c",
        "minute_at": 1.5,
        "hour_at": 2.5,
        "told_until": 3.5,
        "refused_until": 4.5,
        "rank": 7,
    },
    "marks": {"id": "m", "workspace_id": "w", "channel": "discord", "team": "1", "heard_at": NOON},
    "early_changes": {
        "id": "e",
        "workspace_id": "w",
        "channel": "slack",
        "external_id": "x",
        "text": "later",
        "created_at": NOON,
    },
    "channel_states": {"process_id": "p", "channel": "slack", "is_on": True, "seen_at": NOON},
    "installations": {
        "id": "i",
        "workspace_id": "w",
        "channel": "slack",
        "team": "T",
        "sealed": "secret",
        "created_at": NOON,
    },
    "documents": {
        "id": "d",
        "workspace_id": "w",
        "filename": "faq.csv",
        "status": "ready",
        "refused": [{"row": 2, "reason": "no answer"}],
        "size": 1,
        "content": b"x",
        "created_at": NOON,
    },
}
"""Rows at revision 0010, the last before tables and columns got the field's names."""


@pytest.fixture(params=["sqlite", "postgres"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A database without any table."""
    url = settings_for(tmp_path).database_url.replace("+aiosqlite", "")
    if request.param == "postgres":
        plain = copied_database(
            request.getfixturevalue("postgres_url"), f"test_{tmp_path.name[-40:].lower()}", "template1"
        )
        url = plain.replace("postgresql://", "postgresql+psycopg://", 1)
    (tmp_path / "data").mkdir()
    engine = create_engine(url)
    yield engine
    engine.dispose()


def migrate(connection: Connection, revision: str, *, down: bool = False) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    (command.downgrade if down else command.upgrade)(config, revision)


def add(connection: Connection, name: str, values: dict[str, Any]) -> None:
    """By the database's own columns: the code knows this version's only."""
    connection.execute(Table(name, MetaData(), autoload_with=connection).insert().values(values))


def row_of(connection: Connection, table: Table) -> dict[str, Any]:
    return dict(connection.execute(select(table)).mappings().one())


async def test_every_row_stays_when_tables_and_columns_get_the_names_of_the_field(empty: Engine) -> None:
    with empty.begin() as connection:
        migrate(connection, "0010")
        for name, values in BEFORE_NAMES.items():
            add(connection, name, values)
    database = open_database(empty.url.render_as_string(hide_password=False).replace("sqlite:", "sqlite+aiosqlite:"))
    await database.upgrade()
    await database.check_schema()
    await database.close()
    with empty.begin() as connection:
        conversation = row_of(connection, tables.conversations)
        assert (conversation["waiting_notified"], conversation["status"]) == (True, "assigned")
        assert conversation["busy_notified_at"] == conversation["sla_reminded_at"] == NOON
        counter = row_of(connection, tables.admission_counters)
        assert list(counter.values()) == ["w", "c", 1.5, 2.5, 3.5, 4.5, 7, 0.0], "the last: never counted"
        assert row_of(connection, tables.read_cursors)["read_until"] == NOON
        assert row_of(connection, tables.early_edits)["text"] == "later"
        assert row_of(connection, tables.channel_statuses)["heartbeat_at"] == NOON
        assert row_of(connection, tables.installations)["encrypted_secrets"] == "secret"
        home = row_of(connection, tables.deployment)
        assert (home["key"], home["value"]) == ("home_workspace", "w"), "the only one there is"
        assert row_of(connection, tables.documents)["rejected_rows"] == [{"row": 2, "reason": "no answer"}]


def test_of_several_workspaces_none_becomes_the_home_by_a_migration(empty: Engine) -> None:
    with empty.begin() as connection:
        migrate(connection, "0011")
        for workspace_id in ("a", "demo"):
            add(connection, "workspaces", {"id": workspace_id, "name": "W", "settings": {}, "created_at": NOON})
        migrate(connection, "0012")
        assert connection.execute(select(tables.deployment)).all() == []


def member(member_id: str, workspace_id: str, email: str, password_hash: str, **more: Any) -> dict[str, Any]:
    row = {"id": member_id, "workspace_id": workspace_id, "email": email, "name": member_id, "role": "admin"}
    return {**row, "password_hash": password_hash, "created_at": NOON, **more}


def test_an_address_with_several_passwords_keeps_none_of_them(empty: Engine) -> None:
    with empty.begin() as connection:
        migrate(connection, "0012")
        for workspace_id in ("one", "two"):
            add(connection, "workspaces", {"id": workspace_id, "name": "W", "settings": {}, "created_at": NOON})
        add(connection, "members", member("a1", "one", "taken@x.example", "theirs"))
        add(connection, "members", member("a2", "two", "taken@x.example", "a stranger's"))
        add(connection, "members", member("b1", "one", "alone@x.example", "mine"))
        add(connection, "members", member("c1", "one", "moved@x.example", "old", removed_at=NOON))
        add(connection, "members", member("c2", "two", "moved@x.example", "new"))
        migrate(connection, "0013")
        query = select(tables.members.c.id, tables.accounts.c.password_hash, tables.accounts.c.is_operator)
        joined = query.join(tables.accounts, tables.accounts.c.id == tables.members.c.account_id)
        found = {row.id: (row.password_hash, row.is_operator) for row in connection.execute(joined)}
        trusted = {"a1": None, "a2": None, "b1": "mine", "c1": "new", "c2": "new"}
        assert found == {member_id: (password, False) for member_id, password in trusted.items()}
        migrate(connection, "0012", down=True)
        migrate(connection, "0013")


def test_the_way_back_brings_the_old_names_with_the_rows(empty: Engine) -> None:
    with empty.begin() as connection:
        migrate(connection, "0010")
        for name, values in BEFORE_NAMES.items():
            add(connection, name, values)
        migrate(connection, "head")
        migrate(connection, "0010", down=True)
        for name, values in BEFORE_NAMES.items():
            kept = row_of(connection, Table(name, MetaData(), autoload_with=connection))
            assert {column for column in values if column not in kept} == set()


def test_migrations_end_at_the_tables_that_the_code_describes(empty: Engine) -> None:
    with empty.begin() as connection:
        migrate(connection, "head")
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, tables.metadata) == []
