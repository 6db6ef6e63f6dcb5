"""How long a customer waits for the acknowledgement while the desk has far more to do than it can."""

import asyncio
import time
from collections.abc import Iterator
from statistics import median

from bench.laboratory import WORKSPACE, Laboratory
from bench.questions import questions
from bench.sizes import Sizes
from bench.traffic import Customer

BETWEEN_SECONDS = 0.01
"""Customers do not write in one burst: the desk works on its queue meanwhile."""


async def overload(laboratory: Laboratory, sizes: Sizes) -> dict[str, float]:
    """`accept_loaded_over_idle`: accepting a message beside a queue of `sizes.flood` turns, over the same alone."""
    texts = questions(seed=11)
    newcomers = [await laboratory.customers.arrive(WORKSPACE) for _ in range(sizes.warm_up + 2 * sizes.messages)]
    crowd = [await laboratory.customers.arrive(WORKSPACE) for _ in range(sizes.flood)]
    for customer in newcomers[: sizes.warm_up]:
        await _accepted(customer, texts)
    idle = []
    for customer in newcomers[sizes.warm_up : -sizes.messages]:
        await laboratory.customers.settle()
        idle.append(await _accepted(customer, texts))
    for customer in crowd:
        await customer.write(next(texts))
    loaded = []
    for customer in newcomers[-sizes.messages :]:
        await asyncio.sleep(BETWEEN_SECONDS)
        loaded.append(await _accepted(customer, texts))
    await laboratory.customers.settle()
    return {"accept_ms": 1000 * median(idle), "accept_loaded_over_idle": median(loaded) / median(idle)}


async def _accepted(customer: Customer, texts: Iterator[str]) -> float:
    """Seconds until the message was kept."""
    start = time.perf_counter()
    await customer.write(next(texts))
    return time.perf_counter() - start
