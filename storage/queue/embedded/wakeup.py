"""A single timer: calls back at one moment, the one that was set last."""

import asyncio
from collections.abc import Callable
from datetime import datetime

from storage import clock


class WakeUp:
    """Wakes whoever waits for the next job to become due."""

    def __init__(self, call: Callable[[], None]) -> None:
        self._call = call
        self._timer: asyncio.TimerHandle | None = None

    def set(self, due: datetime) -> None:
        """Call back at this time, and at no other."""
        self.cancel()
        pause = max(0.0, (due - clock.now()).total_seconds())
        self._timer = asyncio.get_running_loop().call_later(pause, self._call)

    def cancel(self) -> None:
        """Do not call back."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
