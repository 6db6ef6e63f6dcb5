"""Customers who write through intake and see when the web channel delivers."""

import asyncio
import time

from bot.web import WebChannel
from deskhand import Process
from storage.outbox import Outgoing
from storage.records import Incoming, new_id
from storage.signals import Signals

PATIENCE_SECONDS = 60.0


class ListeningChannel(WebChannel):
    """The web channel, and when it delivered to whom."""

    def __init__(self, signals: Signals) -> None:
        super().__init__(signals)
        self._waiting: dict[str, asyncio.Future[float]] = {}

    def expect(self, conversation_id: str) -> asyncio.Future[float]:
        """Done at the next reply to this conversation, with the moment of it."""
        waiting = self._waiting[conversation_id] = asyncio.get_running_loop().create_future()
        return waiting

    async def send(self, outgoing: Outgoing) -> str:
        """Deliver, and tell who waits for it."""
        external_id = await super().send(outgoing)
        waiting = self._waiting.pop(outgoing.conversation_id, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(time.perf_counter())
        return external_id


class Customers:
    """Any number of customers of one desk."""

    def __init__(self, process: Process, channel: ListeningChannel) -> None:
        self._process = process
        self._channel = channel

    async def arrive(self, workspace_id: str) -> "Customer":
        """A new customer whose conversation is open and empty, as when the chat page was opened."""
        thread = new_id()
        conversation_id = await self._process.intake.open(_incoming(workspace_id, thread, ""))
        return Customer(self._process, self._channel, workspace_id, thread, conversation_id)

    async def settle(self) -> None:
        """Return when the desk has nothing left to do."""
        await self._process.jobs.idle()


class Customer:
    """One customer in one conversation."""

    def __init__(
        self, process: Process, channel: ListeningChannel, workspace_id: str, thread: str, conversation_id: str
    ) -> None:
        self._process = process
        self._channel = channel
        self._workspace_id = workspace_id
        self._thread = thread
        self.conversation_id = conversation_id

    async def ask(self, text: str) -> float:
        """Seconds from handing the message to intake until its reply was delivered."""
        delivered = self._channel.expect(self.conversation_id)
        start = time.perf_counter()
        await self.write(text)
        return await asyncio.wait_for(delivered, PATIENCE_SECONDS) - start

    async def write(self, text: str) -> None:
        """Write and wait for nothing."""
        await self._process.intake.accept(_incoming(self._workspace_id, self._thread, text))


def _incoming(workspace_id: str, thread: str, text: str) -> Incoming:
    return Incoming(workspace_id, "web", new_id(), thread, f"customer of {thread}", text)
