"""What `deskhand doctor` finds out about storage: each check says in plain words what is missing."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from storage.database.data_folder import check_data_dir
from storage.database.engine import open_database
from storage.embeddings.opening import load_embedder, model_name
from storage.errors import DeskhandError, SchemaError, UnavailableError
from storage.knowledge.vectors import open_vectors
from storage.settings import Settings
from storage.telemetry.otlp_settings import (
    TraceExporter,
    trace_address,
    trace_exporter,
    trace_target,
)

PATIENCE_SECONDS = 5.0


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
        ("traces", traces_finding),
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
    vectors = open_vectors(settings, model_name(settings))
    vectors.close()
    return f"Chroma at {settings.chroma.url}" if settings.chroma.url else "Chroma in the data folder"


async def traces_finding(_: Settings) -> str:
    """Where spans go; raises when nobody listens there."""
    exporter = trace_exporter(os.environ)
    if exporter is None:
        return "off; set OTEL_EXPORTER_OTLP_ENDPOINT to a collector's address to switch them on"
    target = trace_target(exporter, os.environ)
    if exporter is not TraceExporter.CONSOLE:
        await _reach(*trace_address(exporter, os.environ), target)
    return f"spans go to {target}"


async def _reach(host: str, port: int, target: str) -> None:
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(host, port), PATIENCE_SECONDS)
    except (OSError, TimeoutError) as error:
        raise UnavailableError(f"{target} cannot be reached; the desk runs, but its spans are lost") from error
    writer.close()
