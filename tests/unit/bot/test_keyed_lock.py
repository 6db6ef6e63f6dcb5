"""What has the same key is handled one after the other; other keys do not wait, and no lock outlives its users."""

import asyncio

import pytest

from bot.keyed_lock import KeyedLock


async def test_the_same_key_is_held_in_the_order_of_arrival() -> None:
    lock, done = KeyedLock(), list[int]()

    async def work(number: int) -> None:
        async with lock.hold(1):
            await asyncio.sleep(0.01 if number == 0 else 0)
            done.append(number)

    await asyncio.gather(*map(work, range(4)))
    assert done == [0, 1, 2, 3]


async def test_another_key_does_not_wait() -> None:
    lock = KeyedLock()
    async with lock.hold(1), asyncio.timeout(1), lock.hold(2):
        pass


async def test_a_failure_gives_the_lock_back_and_leaves_nothing_behind() -> None:
    lock = KeyedLock()
    with pytest.raises(ZeroDivisionError):
        async with lock.hold(1):
            raise ZeroDivisionError
    async with asyncio.timeout(1), lock.hold(1):
        assert lock._locks
    assert not lock._locks
    assert not lock._users
