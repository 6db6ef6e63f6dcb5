"""What `deskhand doctor` finds out about storage: each check says in plain words what is missing."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from storage.database import open_database
from storage.embedder import load_embedder
from storage.errors import DeskhandError, SchemaError
from storage.settings import Settings
from storage.store import check_data_dir
from storage.vectors import open_vectors


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check."""

    name: str
    good: bool
    detail: str
    """What is there, or what to do."""


Check = Callable[[Settings], Awaitable[str]]


async def examine(settings: Settings) -> list[Finding]:
    """Run every check of this layer; one that fails does not stop the others."""
    checks: tuple[tuple[str, Check], ...] = (
        ("data folder", _data_dir),
        ("database", _database),
        ("embedding model", _embedder),
        ("vectors", _vectors),
    )
    return [await _finding(name, check, settings) for name, check in checks]


async def _finding(name: str, check: Check, settings: Settings) -> Finding:
    try:
        return Finding(name, good=True, detail=await check(settings))
    except DeskhandError as error:
        return Finding(name, good=False, detail=error.detail)


async def _data_dir(settings: Settings) -> str:
    check_data_dir(settings.data_dir)
    return f"{settings.data_dir} can be written"


async def _database(settings: Settings) -> str:
    database = open_database(settings.database_url)
    kind = "SQLite" if database.is_sqlite else "PostgreSQL"
    try:
        await database.check_schema()
    except SchemaError:
        return f"{kind} answers; the next start migrates it"
    finally:
        await database.close()
    return f"{kind} answers; its schema is current"


async def _embedder(settings: Settings) -> str:
    embedder = load_embedder(settings)
    (vector,) = embedder.embed(["Does this work?"])
    return f"{embedder.model} gives {len(vector)} numbers per text"


async def _vectors(settings: Settings) -> str:
    vectors = open_vectors(settings, settings.embeddings.model)
    vectors.close()
    return f"Chroma at {settings.chroma.url}" if settings.chroma.url else "Chroma in the data folder"
