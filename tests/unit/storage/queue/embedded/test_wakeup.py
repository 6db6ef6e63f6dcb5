import asyncio
from datetime import timedelta

from storage.clock import now
from storage.queue.embedded.wakeup import WakeUp

SOON = timedelta(milliseconds=20)


async def test_it_calls_back_at_the_moment_that_was_set_last() -> None:
    calls: asyncio.Queue[float] = asyncio.Queue()
    wake_up = WakeUp(lambda: calls.put_nowait(now().timestamp()))
    wake_up.set(now() + timedelta(hours=1))
    due = now() + SOON
    wake_up.set(due)
    assert await calls.get() >= due.timestamp() - 0.005
    await asyncio.sleep(2 * SOON.total_seconds())
    assert calls.empty()


async def test_what_is_due_already_is_called_at_once() -> None:
    called = asyncio.Event()
    WakeUp(called.set).set(now() - timedelta(hours=1))
    async with asyncio.timeout(5):
        await called.wait()


async def test_cancelled_it_is_silent() -> None:
    called = asyncio.Event()
    wake_up = WakeUp(called.set)
    wake_up.set(now() + SOON)
    wake_up.cancel()
    await asyncio.sleep(2 * SOON.total_seconds())
    assert not called.is_set()
