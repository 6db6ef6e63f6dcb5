"""Schema as code: the one metadata, and the columns that many tables have."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, Column, DateTime, Dialect, ForeignKey, MetaData, String, TypeDecorator
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Utc(TypeDecorator[datetime]):
    """An aware UTC time; SQLite keeps it without a zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Refuse naive times: they mean different moments on different machines."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive time cannot be stored")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Put the zone back that SQLite drops."""
        return value if value is None or value.tzinfo else value.replace(tzinfo=UTC)


Json = JSON().with_variant(JSONB(), "postgresql")


def id_column() -> Column[Any]:
    """32 hexadecimal digits, made here (storage.records.new_id)."""
    return Column("id", String(32), primary_key=True)


def workspace_column() -> Column[Any]:
    """The workspace that the row belongs to, and goes with."""
    return Column("workspace_id", String(64), ForeignKey("workspaces.id", ondelete="CASCADE"), nullable=False)


def reference(name: str, target: str, *, nullable: bool = False) -> Column[Any]:
    """The id of a row of another table, with which this one goes."""
    return Column(name, String(32), ForeignKey(f"{target}.id", ondelete="CASCADE"), nullable=nullable)


def moment(name: str, *, nullable: bool = False) -> Column[Any]:
    """A time in UTC."""
    return Column(name, Utc, nullable=nullable)
