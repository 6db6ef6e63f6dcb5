"""What the openai client raises becomes the error that says what to do."""

from datetime import UTC, datetime

import httpx2 as httpx  # the openai client's own
import openai
import pytest

from graph.errors import (
    ModelError,
    ModelRateLimitedError,
    ModelRefusedError,
    ModelRejectedKeyError,
    ModelRejectedRequestError,
    ModelTimeoutError,
    ModelUnavailableError,
)
from graph.llm.openai_errors import model_error_of, retry_after_seconds
from storage import clock

REQUEST = httpx.Request("POST", "https://model.example")


def status_error(status: int, code: str = "", **headers: str) -> openai.APIStatusError:
    response = httpx.Response(status, request=REQUEST, headers=headers)
    return openai.APIStatusError("secret words", response=response, body={"code": code})


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (401, "", ModelRejectedKeyError),
        (403, "", ModelRejectedKeyError),
        (429, "", ModelRateLimitedError),
        (408, "", ModelUnavailableError),
        (409, "", ModelUnavailableError),
        (500, "", ModelUnavailableError),
        (400, "content_filter", ModelRefusedError),
        (400, "", ModelRejectedRequestError),
        (404, "", ModelRejectedRequestError),
    ],
)
def test_a_status_is_translated_without_the_server_s_words(status: int, code: str, expected: type[ModelError]) -> None:
    error = model_error_of(status_error(status, code), 8)
    assert type(error) is expected
    assert "secret" not in error.detail


def test_a_used_up_quota_is_not_worth_waiting_for() -> None:
    assert model_error_of(status_error(429), 8).retryable  # type: ignore[attr-defined]  # of this class
    assert not model_error_of(status_error(429, "insufficient_quota"), 8).retryable  # type: ignore[attr-defined]  # the same


def test_what_did_not_answer_is_unavailable_or_too_slow() -> None:
    assert isinstance(model_error_of(openai.APIConnectionError(request=REQUEST), 8), ModelUnavailableError)
    late = model_error_of(openai.APITimeoutError(REQUEST), 8)
    assert isinstance(late, ModelTimeoutError)
    assert "8 s" in late.detail


def test_retry_after_is_seconds_or_a_date() -> None:
    assert retry_after_seconds("1.5") == 1.5
    with clock.frozen(datetime(2026, 11, 16, 12, 0, tzinfo=UTC)):
        assert retry_after_seconds("Mon, 16 Nov 2026 12:00:30 GMT") == 30
        assert retry_after_seconds("Mon, 16 Nov 2026 11:00:00 GMT") == 0


@pytest.mark.parametrize("header", ["", "-5", "nan", "soon"])
def test_a_senseless_retry_after_is_none(header: str) -> None:
    assert retry_after_seconds(header) is None
