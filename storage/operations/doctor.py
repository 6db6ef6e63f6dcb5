"""What `deskhand doctor` finds out about storage: each check says in plain words what is missing."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from storage.accounts.accounts import Accounts
from storage.accounts.deployment import Deployment
from storage.accounts.passwords import Passwords
from storage.database.data_folder import check_data_dir
from storage.database.engine import Database, open_database
from storage.database.secrets import check_secret
from storage.embeddings.opening import load_embedder, model_name
from storage.errors import DeskhandError, SchemaError, SettingsError, UnavailableError
from storage.knowledge.vectors import open_vectors
from storage.settings import Settings
from storage.telemetry.otlp_settings import (
    TraceExporter,
    trace_address,
    trace_exporter,
    trace_target,
)

NO_HOME = "none: nobody has /chat and the deployment's own tokens; choose one with `deskhand workspace home`"
NO_OPERATOR = "none: nobody decides for all workspaces; `deskhand member operator EMAIL` makes somebody one"
RESET = "`deskhand member reset EMAIL --workspace ID` sets a new one"
CONNECT_TIMEOUT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result of one check."""

    name: str
    good: bool
    detail: str
    """What is there, or what to do."""


Check = Callable[[Settings], Awaitable[str]]


async def run_checks(settings: Settings) -> list[CheckResult]:
    """Run every check of this layer; one that fails does not stop the others."""
    checks: tuple[tuple[str, Check], ...] = (
        ("data folder", _check_data_dir),
        ("secret", _check_secret),
        ("database", _check_database),
        ("home workspace", _check_home_workspace),
        ("operators", _check_operators),
        ("passwords", _check_passwords),
        ("embedding model", _check_embedder),
        ("vectors", _check_vectors),
        ("traces", check_traces),
    )
    return [await _run(name, check, settings) for name, check in checks]


async def _run(name: str, check: Check, settings: Settings) -> CheckResult:
    try:
        return CheckResult(name, good=True, detail=await check(settings))
    except DeskhandError as error:
        return CheckResult(name, good=False, detail=error.detail)


async def _check_data_dir(settings: Settings) -> str:
    check_data_dir(settings.data_dir)
    return f"{settings.data_dir} can be written"


async def _check_secret(settings: Settings) -> str:
    given = settings.web.secret.get_secret_value()
    if not given:
        return "made at random and kept in the data folder"
    check_secret(given)
    return "DESKHAND_SECRET is long enough"


async def _check_database(settings: Settings) -> str:
    database = open_database(settings.database_url)
    kind = "SQLite" if database.is_sqlite else "PostgreSQL"
    try:
        await database.check_schema()
    except SchemaError:
        return f"{kind} answers; the next start migrates it"
    finally:
        await database.close()
    return f"{kind} answers; its schema is current"


async def _check_home_workspace(settings: Settings) -> str:
    async def check(database: Database) -> str:
        home = await Deployment(database).home_workspace()
        return f"`{home}` has /chat and the deployment's own tokens" if home else NO_HOME

    return await _check_rows(settings, check)


async def _check_operators(settings: Settings) -> str:
    async def check(database: Database) -> str:
        return ", ".join(await Accounts(database, Passwords()).operators()) or NO_OPERATOR

    return await _check_rows(settings, check)


async def _check_passwords(settings: Settings) -> str:
    """Raises SettingsError with the accounts that nobody can log in to."""

    async def check(database: Database) -> str:
        if without := await Accounts(database, Passwords()).without_password():
            raise SettingsError(f"{', '.join(without)}: several passwords were known, and none is trusted; {RESET}")
        return "every member has one"

    return await _check_rows(settings, check)


async def _check_rows(settings: Settings, check: Callable[[Database], Awaitable[str]]) -> str:
    database = open_database(settings.database_url)
    try:
        await database.check_schema()
        return await check(database)
    except SchemaError:
        return "the next start migrates the database"
    finally:
        await database.close()


async def _check_embedder(settings: Settings) -> str:
    embedder = load_embedder(settings)
    (vector,) = embedder.embed(["Does this work?"])
    return f"{embedder.model} gives {len(vector)} numbers per text"


async def _check_vectors(settings: Settings) -> str:
    vectors = open_vectors(settings, model_name(settings))
    vectors.close()
    return f"Chroma at {settings.chroma.url}" if settings.chroma.url else "Chroma in the data folder"


async def check_traces(_: Settings) -> str:
    """Where spans go; raises when nobody listens there."""
    exporter = trace_exporter(os.environ)
    if exporter is None:
        return "off; set OTEL_EXPORTER_OTLP_ENDPOINT to a collector's address to switch them on"
    target = trace_target(exporter, os.environ)
    if exporter is not TraceExporter.CONSOLE:
        await _check_reachable(*trace_address(exporter, os.environ), target)
    return f"spans go to {target}"


async def _check_reachable(host: str, port: int, target: str) -> None:
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(host, port), CONNECT_TIMEOUT_SECONDS)
    except (OSError, TimeoutError) as error:
        raise UnavailableError(f"{target} cannot be reached; the desk runs, but its spans are lost") from error
    writer.close()
