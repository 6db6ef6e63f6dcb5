"""Work that is looked after again at every news, and now and then anyway."""

from collections.abc import Awaitable, Callable

from storage.cluster.events import EventBus, wait_for_event

LOOK_SECONDS = 5.0


class ReconcileLoop:
    """Ended by `close`, not by cancelling: a query that is cut off leaves its connection behind."""

    def __init__(
        self,
        signals: EventBus,
        workspaces: Callable[[], Awaitable[frozenset[str]]],
        look: Callable[[], Awaitable[None]],
    ) -> None:
        self._signals = signals
        self._workspaces = workspaces
        self._look = look
        self._closing = False
        self._key = f"rounds {id(self)}"

    def close(self) -> None:
        """Let `run` end after what it is doing."""
        self._closing = True
        self._signals.publish(self._key)

    async def run(self) -> None:
        """Look again and again until closed."""
        known: frozenset[str] = frozenset()
        while not self._closing:
            # Listening before reading: no news is missed in between.
            with self._signals.listen(self._key, *known) as news:
                workspaces = await self._workspaces()
                await self._look()
                if workspaces == known and not self._closing:
                    await wait_for_event(news, LOOK_SECONDS)
            known = workspaces
