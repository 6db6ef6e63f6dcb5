"""Repeated notifications: what the library's worker forgets while it looks for jobs is heard once more."""

import asyncio

from storage.queue.procrastinate.connector import REPEAT_SECONDS, RepeatedNotify


async def test_every_notification_is_passed_on_at_once_and_a_burst_is_repeated_once() -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()

    async def on_notification(*, channel: str, payload: str) -> None:
        await heard.put(f"{channel} {payload}")

    repeated = RepeatedNotify(on_notification)
    for number in range(3):
        await repeated(channel="desk", payload=str(number))
    assert [heard.get_nowait() for _ in range(3)] == ["desk 0", "desk 1", "desk 2"]
    assert await heard.get() == "desk 0"
    await repeated(channel="desk", payload="another")
    assert [await heard.get(), await heard.get()] == ["desk another"] * 2
    repeated.close()
    assert heard.empty()


async def test_after_its_end_nothing_is_repeated() -> None:
    heard: list[str] = []

    async def on_notification(*, channel: str, payload: str) -> None:
        heard.append(f"{channel} {payload}")

    repeated = RepeatedNotify(on_notification)
    await repeated(channel="desk", payload="last")
    repeated.close()
    await asyncio.sleep(2 * REPEAT_SECONDS)
    assert heard == ["desk last"]
