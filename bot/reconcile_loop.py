"""Reconcile loop: what a platform shows is brought in step with the rows at every event, and at intervals anyway."""

from collections.abc import Awaitable, Callable

from storage.cluster.events import EventBus, wait_for_event

RECONCILE_SECONDS = 5.0


class ReconcileLoop:
    """Ended by `close`, not by cancelling: a query that is cut off leaves its connection behind."""

    def __init__(
        self,
        events: EventBus,
        workspaces: Callable[[], Awaitable[frozenset[str]]],
        reconcile: Callable[[], Awaitable[None]],
    ) -> None:
        """`workspaces`: whose events start the next round."""
        self._events = events
        self._workspaces = workspaces
        self._reconcile = reconcile
        self._closing = False
        self._key = f"reconcile loop {id(self)}"

    @property
    def is_closing(self) -> bool:
        """Whether a long round had better stop in between."""
        return self._closing

    def close(self) -> None:
        """Let `run` end after what it is doing."""
        self._closing = True
        self._events.publish(self._key)

    async def run(self) -> None:
        """Reconcile again and again until closed."""
        known: frozenset[str] = frozenset()
        while not self._closing:
            # Listening before reading: no event is missed in between.
            with self._events.listen(self._key, *known) as news:
                workspaces = await self._workspaces()
                await self._reconcile()
                if workspaces == known and not self._closing:
                    await wait_for_event(news, RECONCILE_SECONDS)
            known = workspaces
