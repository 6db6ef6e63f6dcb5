"""Both columns of DESIGN section 5: real databases, a real Chroma server, the real embedding model, a real store."""

from tests.support.passwords import quick_passwords
from tests.support.store_fixtures import (
    admin,
    agent,
    chroma_url,
    database,
    database_url,
    embedder,
    new_postgres_url,
    own_chroma_server,
    postgres_url,
    settings,
    store,
)

__all__ = [
    "admin",
    "agent",
    "chroma_url",
    "database",
    "database_url",
    "embedder",
    "new_postgres_url",
    "own_chroma_server",
    "postgres_url",
    "quick_passwords",
    "settings",
    "store",
]
