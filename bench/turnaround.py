"""How long one message takes, how many go through at once, and the floor of the same minutes."""

import asyncio
import itertools
import time
from collections.abc import Iterator
from statistics import median

import httpx

from bench.laboratory import WORKSPACE, Laboratory
from bench.questions import questions
from bench.sizes import Sizes
from bench.web import opened_chat, serving

CONVERSATIONS = 32


async def turnaround(laboratory: Laboratory, sizes: Sizes) -> dict[str, float]:
    """`floor_ms` and `turnaround_over_floor`: floor and turn alternate, each pair seconds apart at the most."""
    texts = questions(seed=1)
    floors: list[float] = []
    turns: list[float] = []
    for number in range(sizes.warm_up + sizes.messages):
        floor = laboratory.floor.seconds(next(texts))
        customer = await laboratory.customers.arrive(WORKSPACE)
        turn = await customer.ask(next(texts))
        await laboratory.customers.settle()
        if number >= sizes.warm_up:
            floors.append(floor)
            turns.append(turn)
    return {
        "floor_ms": 1000 * median(floors),
        "turnaround_over_floor": median(turns) / median(floors),
    }


async def http_turnaround(laboratory: Laboratory, sizes: Sizes) -> dict[str, float]:
    """`http_turnaround_over_floor`: the customer's own call over a loopback socket, the reply in its answer."""
    texts = questions(seed=2)
    floors: list[float] = []
    turns: list[float] = []
    async with serving(laboratory.process) as base_url, httpx.AsyncClient(base_url=base_url, timeout=60) as client:
        for number in range(sizes.warm_up + sizes.messages // 2):
            floor = laboratory.floor.seconds(next(texts))
            post = await opened_chat(client, WORKSPACE)
            start = time.perf_counter()
            await post(next(texts))
            turn = time.perf_counter() - start
            await laboratory.customers.settle()
            if number >= sizes.warm_up:
                floors.append(floor)
                turns.append(turn)
    return {"http_turnaround_over_floor": median(turns) / median(floors)}


async def throughput(laboratory: Laboratory, sizes: Sizes) -> dict[str, float]:
    """`throughput_times_floor`: 32 customers, each writing on when answered; floors before and after every burst."""
    texts = questions(seed=3)
    await _burst(laboratory, texts, 1)
    rates: list[float] = []
    products: list[float] = []
    for _ in range(sizes.bursts):
        before = [laboratory.floor.seconds(next(texts)) for _ in range(sizes.floors_per_burst)]
        rate = await _burst(laboratory, texts, sizes.messages_per_burst)
        after = [laboratory.floor.seconds(next(texts)) for _ in range(sizes.floors_per_burst)]
        rates.append(rate)
        products.append(rate * median(before + after))
    return {"throughput_times_floor": median(products), "messages_per_second": median(rates)}


async def _burst(laboratory: Laboratory, texts: Iterator[str], messages: int) -> float:
    """Messages per second."""
    customers = [await laboratory.customers.arrive(WORKSPACE) for _ in range(CONVERSATIONS)]
    await laboratory.customers.settle()
    asked = [list(itertools.islice(texts, messages)) for _ in customers]

    async def talk(number: int) -> None:
        for text in asked[number]:
            await customers[number].ask(text)

    start = time.perf_counter()
    await asyncio.gather(*map(talk, range(CONVERSATIONS)))
    seconds = time.perf_counter() - start
    await laboratory.customers.settle()
    return CONVERSATIONS * messages / seconds
