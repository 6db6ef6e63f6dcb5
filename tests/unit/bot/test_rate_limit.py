"""Calls under one key are spaced out, in the order they came."""

import asyncio

import pytest

from bot.errors import ChannelError
from bot.rate_limit import MAX_THROTTLE_KEYS, KeyedThrottle


async def test_a_channel_is_posted_to_at_most_once_in_its_time() -> None:
    throttle, clock = KeyedThrottle(0.2), asyncio.get_running_loop().time
    began = clock()
    for _ in range(3):
        await throttle.wait("C1")
    assert clock() - began >= 0.4
    await throttle.wait("C2")


async def test_who_would_wait_long_is_told_when_to_come_back() -> None:
    throttle = KeyedThrottle(2.0, longest_wait=3.0)
    throttle.pause("C1", 30.0)
    with pytest.raises(ChannelError) as told:
        await throttle.wait("C1")
    assert told.value.retry_after is not None
    assert 29 < told.value.retry_after <= 30


async def test_calls_without_a_key_share_one_row_and_go_in_the_order_they_came() -> None:
    throttle, done = KeyedThrottle(0.05), list[int]()

    async def call(number: int) -> None:
        await throttle.wait()
        done.append(number)

    await asyncio.gather(*map(call, range(4)))
    assert done == [0, 1, 2, 3]
    assert 0 < throttle.delay() <= 0.05


async def test_who_is_refused_takes_nobodys_turn() -> None:
    throttle = KeyedThrottle(2.0, longest_wait=1.0)
    await throttle.wait("C1")
    before = throttle.delay("C1")
    for _ in range(3):
        with pytest.raises(ChannelError):
            await throttle.wait("C1")
    assert throttle.delay("C1") <= before


async def test_keys_whose_moment_has_passed_are_forgotten() -> None:
    throttle = KeyedThrottle(0.0)
    for number in range(MAX_THROTTLE_KEYS + 10):
        await throttle.wait(number)
    throttle.pause("busy", 60.0)
    await throttle.wait("another")
    assert len(throttle._free_at) < MAX_THROTTLE_KEYS
    assert throttle.delay("busy") > 59
