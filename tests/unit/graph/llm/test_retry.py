"""Requests are tried again as the endpoint asks, and never beyond the deadline."""

import asyncio
from dataclasses import replace

import pytest

from graph.errors import ModelRefusedError, ModelUnavailableError
from graph.llm.retry import MAX_FIRST_PAUSE, DeadlineRetry


class Endpoint:
    """Fails with these errors, then answers."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.requests = 0

    async def __call__(self) -> str:
        self.requests += 1
        if self.errors:
            raise self.errors.pop(0)
        return "answer"


def retry(retries: int = 2) -> DeadlineRetry:
    return replace(DeadlineRetry.within(10, retries), first_pause=0.001)


async def test_an_endpoint_that_stumbles_is_asked_again() -> None:
    endpoint = Endpoint(ModelUnavailableError(), ModelUnavailableError())
    assert await retry().run(endpoint) == "answer"
    assert endpoint.requests == 3


async def test_after_the_last_retry_its_error_is_raised() -> None:
    last = ModelUnavailableError("last")
    endpoint = Endpoint(ModelUnavailableError(), ModelUnavailableError(), last)
    with pytest.raises(ModelUnavailableError) as caught:
        await retry().run(endpoint)
    assert caught.value is last
    assert endpoint.requests == 3


@pytest.mark.parametrize("error", [ModelUnavailableError(retryable=False), ModelRefusedError()])
async def test_what_does_not_get_better_is_not_tried_again(error: Exception) -> None:
    endpoint = Endpoint(error)
    with pytest.raises(type(error)):
        await retry().run(endpoint)
    assert endpoint.requests == 1


async def test_a_pause_that_would_end_after_the_deadline_is_not_begun() -> None:
    endpoint = Endpoint(ModelUnavailableError(retry_after=60))
    started = asyncio.get_running_loop().time()
    with pytest.raises(ModelUnavailableError):
        await retry().run(endpoint)
    assert asyncio.get_running_loop().time() - started < 5
    assert endpoint.requests == 1


@pytest.mark.parametrize(("status", "requests"), [(500, 2), (503, 3)])
async def test_while_probing_one_retry_tells_an_unknown_feature_from_a_stumble(status: int, requests: int) -> None:
    endpoint = Endpoint(*(ModelUnavailableError(http_status=status) for _ in range(5)))
    with pytest.raises(ModelUnavailableError):
        await replace(retry(), probing=True).run(endpoint)
    assert endpoint.requests == requests


async def test_a_short_deadline_makes_short_pauses() -> None:
    assert DeadlineRetry.within(6, 1).first_pause == pytest.approx(0.1)
    assert DeadlineRetry.within(600, 1).first_pause == MAX_FIRST_PAUSE
