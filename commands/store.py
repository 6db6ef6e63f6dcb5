"""Store access for commands that need nothing else of the desk."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from storage.database.data_folder import check_data_dir
from storage.settings import Settings

if TYPE_CHECKING:
    from storage.store import Store


async def with_store(settings: Settings, work: "Callable[[Store], Awaitable[None]]") -> None:
    """Do something with the store alone, beside a desk that may be running."""
    # Here and not above: rows and vectors take seconds to import, which `--help` need not wait for.
    from storage.embeddings.lazy import LazyEmbedder  # noqa: PLC0415
    from storage.opening import migrate_database, open_store  # noqa: PLC0415

    check_data_dir(settings.data_dir)
    await migrate_database(settings)
    async with open_store(settings, LazyEmbedder(settings)) as store:
        await work(store)
