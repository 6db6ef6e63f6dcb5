"""Documents and the chunks that are found in them."""

from sqlalchemy import Column, Index, Integer, LargeBinary, String, Table, Text

from storage.database.tables.base import Json, id_column, metadata, moment, reference, workspace_column

documents = Table(
    "documents",
    metadata,
    id_column(),
    workspace_column(),
    Column("filename", String(300), nullable=False),
    Column("status", String(16), nullable=False),
    Column("entries", Integer, nullable=False, server_default="0"),
    Column("rejected_rows", Json, nullable=False),
    Column("error", Text),
    Column("size", Integer, nullable=False),
    # Kept whole: a load that a crash cut off starts again from here, and readers may improve.
    Column("content", LargeBinary, nullable=False),
    reference("created_by", "members", nullable=True),
    # Percent made searchable so far, while it is loading.
    Column("progress", Integer, nullable=False, server_default="0"),
    moment("created_at"),
    Index(None, "workspace_id", "created_at"),
    # Holds all that the metrics count, so that the contents are not read.
    Index(None, "status", "entries"),
)

chunks = Table(
    "chunks",
    metadata,
    id_column(),
    workspace_column(),
    reference("document_id", "documents"),
    Column("kind", String(16), nullable=False),
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("alternatives", Json, nullable=False),
    Column("tags", Json, nullable=False),
    Column("position", Integer, nullable=False),
    # Where customers can read it; empty: it has no public address.
    Column("url", Text, nullable=False, server_default=""),
    Index(None, "workspace_id"),
    Index(None, "document_id", "position"),
)
