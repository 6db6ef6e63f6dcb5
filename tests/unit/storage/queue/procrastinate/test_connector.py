"""The echo of notifications: what the library's worker forgets while it looks for jobs is heard once more."""

import asyncio

from storage.queue.procrastinate.connector import ECHO_SECONDS, Echo


async def test_every_notification_is_passed_on_at_once_and_a_burst_is_echoed_once() -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()

    async def on_notification(*, channel: str, payload: str) -> None:
        await heard.put(f"{channel} {payload}")

    echo = Echo(on_notification)
    for number in range(3):
        await echo(channel="desk", payload=str(number))
    assert [heard.get_nowait() for _ in range(3)] == ["desk 0", "desk 1", "desk 2"]
    assert await heard.get() == "desk 0"
    await echo(channel="desk", payload="another")
    assert [await heard.get(), await heard.get()] == ["desk another"] * 2
    echo.close()
    assert heard.empty()


async def test_a_closed_echo_is_silent() -> None:
    heard: list[str] = []

    async def on_notification(*, channel: str, payload: str) -> None:
        heard.append(f"{channel} {payload}")

    echo = Echo(on_notification)
    await echo(channel="desk", payload="last")
    echo.close()
    await asyncio.sleep(2 * ECHO_SECONDS)
    assert heard == ["desk last"]
