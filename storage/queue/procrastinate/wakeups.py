"""Timers that wake the workers when a job becomes due, because PostgreSQL tells nobody of passing time."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

import structlog
from procrastinate.exceptions import ConnectorException

from storage import clock

log = structlog.get_logger(__name__)

HORIZON_SECONDS = 60.0
"""What is due later is left to the workers' polling."""
PER_SECOND = 50
"""Timers of one queue within a fiftieth of a second are one: so there are never more than some thousands."""
MARGIN_SECONDS = 0.005
"""So that the job is surely due when the timer fires."""

Wake = Callable[[str], Awaitable[None]]


class DueTimers:
    """Fires once for each time in this process; a lost timer costs no more than the pause of the polling."""

    def __init__(self, wake: Wake) -> None:
        self._wake = wake
        self._timers: dict[tuple[str, int], asyncio.TimerHandle] = {}
        self._waking: set[asyncio.Task[None]] = set()

    @property
    def count(self) -> int:
        """Timers that have not fired yet."""
        return len(self._timers)

    def set(self, queue: str, due: datetime) -> None:
        """Wake the queue's workers at that time."""
        key = (queue, int(due.timestamp() * PER_SECOND) + 1)
        pause = key[1] / PER_SECOND - clock.now().timestamp() + MARGIN_SECONDS
        if pause <= HORIZON_SECONDS and key not in self._timers:
            self._timers[key] = asyncio.get_running_loop().call_later(pause, self._fire, key)

    async def close(self) -> None:
        """Cancel them all."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        if self._waking:
            await asyncio.wait(self._waking)

    def _fire(self, key: tuple[str, int]) -> None:
        del self._timers[key]
        task = asyncio.create_task(self._try(key[0]))
        self._waking.add(task)
        task.add_done_callback(self._waking.discard)

    async def _try(self, queue: str) -> None:
        try:
            await self._wake(queue)
        except ConnectorException:
            log.warning("workers not woken", queue=queue)
