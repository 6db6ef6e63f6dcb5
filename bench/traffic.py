"""Customers who write through intake and see when their reply is there."""

import asyncio
import time

from sqlalchemy import bindparam, func, select

from commands.process.composition import Process
from storage.cluster.events import wait_for_event
from storage.database.tables import deliveries
from storage.records import DeliveryStatus, Incoming, new_id
from tests.support.rows import database_of

PATIENCE_SECONDS = 60.0
LOOK_SECONDS = 1.0
"""A customer looks at the rows so often even if no news comes."""
DELIVERED = select(func.count()).where(
    deliveries.c.conversation_id == bindparam("conversation"), deliveries.c.status == DeliveryStatus.SENT
)


class Customers:
    """Any number of customers of one desk."""

    def __init__(self, process: Process) -> None:
        self._process = process

    async def arrive(self, workspace_id: str) -> "Customer":
        """A new customer whose conversation is open and empty, as when the chat page was opened."""
        thread = new_id()
        conversation_id = await self._process.intake.open(_incoming(workspace_id, thread, ""))
        return Customer(self._process, workspace_id, thread, conversation_id)

    async def settle(self) -> None:
        """Return when the desk has nothing left to do."""
        await self._process.jobs.idle()


class Customer:
    """One customer in one conversation."""

    def __init__(self, process: Process, workspace_id: str, thread: str, conversation_id: str) -> None:
        self._process = process
        self._workspace_id = workspace_id
        self._thread = thread
        self._replies = 0
        self.conversation_id = conversation_id

    async def ask(self, text: str) -> float:
        """Seconds from handing the message to intake until its reply was delivered and read from the rows."""
        with self._process.store.cluster.events.listen(self.conversation_id) as news:
            start = time.perf_counter()
            await self.write(text)
            news.clear()  # the news of the message itself
            self._replies += 1
            async with asyncio.timeout(PATIENCE_SECONDS):
                while True:
                    await wait_for_event(news, LOOK_SECONDS)
                    news.clear()
                    if await delivered(self._process, self.conversation_id) >= self._replies:
                        return time.perf_counter() - start

    async def write(self, text: str) -> None:
        """Write and wait for nothing."""
        await self._process.intake.accept(_incoming(self._workspace_id, self._thread, text))


async def delivered(process: Process, conversation_id: str) -> int:
    """How many replies of a conversation its customer has."""
    async with database_of(process.store).read() as connection:
        return int((await connection.execute(DELIVERED, {"conversation": conversation_id})).scalar_one())


def _incoming(workspace_id: str, thread: str, text: str) -> Incoming:
    return Incoming(workspace_id, "web", new_id(), thread, f"customer of {thread}", text)
