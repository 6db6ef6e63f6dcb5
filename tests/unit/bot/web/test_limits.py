"""How much one address may ask of the web chat."""

import pytest
from starlette.requests import Request

from bot.web.limits import WebLimits
from storage.errors import TooManyAttemptsError
from storage.settings import WebSettings


def request(address: str) -> Request:
    return Request({"type": "http", "client": (address, 1234), "headers": []})


def test_one_address_has_to_wait_and_another_has_not() -> None:
    limits = WebLimits(WebSettings(messages_per_minute=2))
    for _ in range(2):
        limits.count_message(request("192.0.2.1"))
    with pytest.raises(TooManyAttemptsError) as refused:
        limits.count_message(request("192.0.2.1"))
    assert 1 <= refused.value.retry_after <= 60
    limits.count_message(request("192.0.2.2"))


def test_zero_means_no_limit() -> None:
    limits = WebLimits(WebSettings(conversations_per_minute=0))
    for _ in range(100):
        limits.count_conversation(request("192.0.2.1"))
