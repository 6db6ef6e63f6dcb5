"""Batched writes: many rows a few at a time, so that customers' messages get in between on SQLite's one writer."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Delete, Select, Update

from storage.database.engine import Database

BATCH = 200
"""Rows; some milliseconds of the writer's time."""


async def change_in_batches(
    database: Database, which: Select[Any], change: Update | Delete, key: ColumnElement[Any]
) -> int:
    """Apply `change` to the rows whose `key` the query gives, until it gives none; gives how many.

    Looking for them holds nobody up. `change` must see to it that its rows are not found again, and says itself what
    they must still be like.
    """
    changed = 0
    while keys := await _next(database, which):
        async with database.write() as connection:
            changed += (await connection.execute(change.where(key.in_(keys)))).rowcount
    return changed


async def _next(database: Database, which: Select[Any]) -> Sequence[Any]:
    async with database.read() as connection:
        return [row[0] for row in await connection.execute(which.limit(BATCH))]
