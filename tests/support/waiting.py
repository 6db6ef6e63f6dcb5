"""Waiting for what other tasks do."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def until(look: Callable[[], Awaitable[T | None]], seconds: float = 20.0) -> T:
    """What `look` gives as soon as that is true; AssertionError after so many seconds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := await look():
            return found
        await asyncio.sleep(0.02)
    raise AssertionError(f"it did not happen within {seconds} s")


async def until_true(check: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
    """Wait until this is so; AssertionError names what did not come."""
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        await asyncio.sleep(0.02)
