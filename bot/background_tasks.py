"""Background tasks: small work that is started, not waited for, and never silently lost."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

log = structlog.get_logger(__name__)


class BackgroundTasks:
    """Runs them; a failing one is logged and harms nobody."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    def spawn(self, work: Coroutine[Any, Any, object], name: str) -> None:
        """Start it."""
        task = asyncio.create_task(self._run(work, name), name=name)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def close(self, seconds: float = 2.0) -> None:
        """Let what is running finish for a moment, then stop it."""
        if not self._running:
            return
        _, late = await asyncio.wait(self._running, timeout=seconds)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def _run(self, work: Coroutine[Any, Any, object], name: str) -> None:
        try:
            await work
        except Exception:
            log.warning("background task failed", task=name, exc_info=True)
