"""A reconcile loop works at every event, follows new workspaces, and ends after what it is doing."""

import asyncio

from bot.reconcile_loop import ReconcileLoop
from storage.cluster.events import EventBus
from tests.support.waiting import until_true


class Rounds:
    """Counts the rounds of a loop over some workspaces."""

    def __init__(self, *workspaces: str) -> None:
        self.events = EventBus()
        self.watched = set(workspaces)
        self.done = 0
        self.pause = asyncio.Event()
        self.pause.set()
        self.loop = ReconcileLoop(self.events, self.workspaces, self.reconcile)

    async def workspaces(self) -> frozenset[str]:
        return frozenset(self.watched)

    async def reconcile(self) -> None:
        self.done += 1
        await self.pause.wait()


async def ended(rounds: Rounds, task: asyncio.Task[None]) -> None:
    rounds.loop.close()
    await asyncio.wait_for(task, 1)


async def test_an_event_of_a_watched_workspace_starts_the_next_round_at_once() -> None:
    rounds = Rounds("demo")
    task = asyncio.create_task(rounds.loop.run())
    await until_true(lambda: rounds.done == 2, "listening to the workspace that the first round found")
    rounds.events.publish("demo")
    await until_true(lambda: rounds.done == 3, "a round")
    rounds.events.publish("other")
    await asyncio.sleep(0.05)
    assert rounds.done == 3
    await ended(rounds, task)


async def test_an_event_during_a_round_is_not_missed() -> None:
    rounds = Rounds("demo")
    task = asyncio.create_task(rounds.loop.run())
    await until_true(lambda: rounds.done == 2, "the loop to listen")
    rounds.pause.clear()
    rounds.events.publish("demo")
    await until_true(lambda: rounds.done == 3, "a round")
    rounds.events.publish("demo")
    rounds.pause.set()
    await until_true(lambda: rounds.done == 4, "the round for the event during the round")
    await ended(rounds, task)


async def test_a_closed_loop_finishes_its_round_and_says_so_meanwhile() -> None:
    rounds = Rounds()
    rounds.pause.clear()
    task = asyncio.create_task(rounds.loop.run())
    await until_true(lambda: rounds.done == 1, "a round")
    assert not rounds.loop.is_closing
    rounds.loop.close()
    assert rounds.loop.is_closing
    await asyncio.sleep(0.02)
    assert not task.done()
    rounds.pause.set()
    await asyncio.wait_for(task, 1)
    assert rounds.done == 1
