"""A backup becomes the desk's rows: checked and migrated beside them, then put in their place as one act."""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import update

from storage import clock
from storage.database import swap
from storage.database.data_folder import rows_alone
from storage.database.engine import open_database
from storage.database.schema import revisions
from storage.database.tables import deliveries
from storage.errors import SchemaError
from storage.operations.archive import (
    ROWS,
    ArchiveProgress,
    Manifest,
    unpack,
)
from storage.operations.backup import require_embedded
from storage.records import DeliveryStatus
from storage.settings import Settings

STAGING_PREFIX = ".restore-"


@dataclass(frozen=True, slots=True)
class Restored:
    """What came back."""

    manifest: Manifest
    aside: Path | None
    """Where the replaced data is; None if there was none or it was not to be kept."""


async def restore(
    settings: Settings, source: Path, *, keep: bool = True, progress: ArchiveProgress | None = None
) -> Restored:
    """Replace rows, checkpoints and secret by a backup's; vectors must be made anew then.

    Nothing is changed before the whole backup is there, checked and migrated. Raises SettingsError on PostgreSQL,
    InvalidError for what is no whole backup, SchemaError for one of a newer version, UnavailableError while anything
    uses the data folder.
    """
    require_embedded(settings)
    data_dir = settings.data_dir
    with rows_alone(settings):
        swap.finish(data_dir)
        for left in data_dir.glob(f"{STAGING_PREFIX}*"):
            shutil.rmtree(left)
        staged = Path(tempfile.mkdtemp(prefix=STAGING_PREFIX, dir=data_dir))
        try:
            manifest = unpack(source, staged, progress)
            await _prepare(source, manifest, staged)
        except BaseException:
            shutil.rmtree(staged)
            raise
        aside = f"before-restore-{clock.now():%Y%m%dT%H%M%S%fZ}"
        parts = tuple(manifest.parts)
        journal = swap.DataSwap(staged=staged.name, parts=parts, aside=aside, keep=keep)
        swap.begin(data_dir, journal)
        swap.finish(data_dir)
    kept = data_dir / aside
    return Restored(manifest, kept if kept.exists() else None)


async def _prepare(source: Path, manifest: Manifest, staged: Path) -> None:
    """Bring the rows to this version's schema."""
    if manifest.revision not in revisions().known:
        raise SchemaError(
            f"{source} was made by Deskhand {manifest.deskhand} with the newer schema {manifest.revision}: "
            "update Deskhand first"
        )
    database = open_database(f"sqlite+aiosqlite:///{staged / ROWS}")
    try:
        await database.upgrade()
        async with database.write() as connection:
            # They may have been sent since the backup was made: a try above the first is looked up at the channel.
            maybe_sent = update(deliveries).where(deliveries.c.status == DeliveryStatus.PENDING)
            await connection.execute(maybe_sent.values(attempts=deliveries.c.attempts + 1))
    finally:
        await database.close()
