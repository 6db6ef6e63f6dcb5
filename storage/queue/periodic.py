"""Periodic tasks: what is done at fixed times, once per cluster whatever the number of processes."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

log = structlog.get_logger(__name__)

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR


@dataclass(frozen=True, slots=True)
class PeriodicTask:
    """Work to be done at fixed times."""

    name: str
    every: int
    """Seconds between the times: a divisor of a minute, of an hour in minutes, or of a day in hours."""
    run: Callable[[], Awaitable[object]]
    """Harmless when it is cut off or done twice; what it raises is logged, and the next time comes as usual."""

    def __post_init__(self) -> None:
        """Refuse an interval that no cron expression has."""
        self.cron()

    def cron(self) -> str:
        """The times as a cron expression whose sixth field is the seconds."""
        if 0 < self.every < MINUTE and MINUTE % self.every == 0:
            return f"* * * * * */{self.every}"
        minutes, hours = self.every // MINUTE, self.every // HOUR
        if MINUTE <= self.every < HOUR and self.every % MINUTE == 0 and MINUTE % minutes == 0:
            return f"*/{minutes} * * * *"
        if HOUR <= self.every <= DAY and self.every % HOUR == 0 and DAY // HOUR % hours == 0:
            return f"0 */{hours} * * *" if self.every < DAY else "0 0 * * *"
        raise ValueError(f"{self.name}: {self.every} seconds do not divide a minute, an hour or a day evenly")

    async def run_once(self) -> None:
        """Run it now; a failure is logged."""
        try:
            await self.run()
        except Exception:
            log.exception("periodic task failed", task=self.name)

    async def repeat(self) -> None:
        """Run it now and then at its interval, in this process, until cancelled."""
        while True:
            await self.run_once()
            await asyncio.sleep(self.every)
