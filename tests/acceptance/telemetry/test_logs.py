"""The log of a desk in which everything goes wrong: machines can read it, and customers' words are not in it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.telemetry.troubled_desk import MARK, SECRETS

ROOT = Path(__file__).parents[3]
Line = dict[str, Any]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Everything that the troubled desk has written, to both streams."""
    ended = subprocess.run(  # noqa: S603 - this test's own program
        [
            sys.executable,
            "-W",
            "ignore",
            "-m",
            "tests.acceptance.telemetry.troubled_desk",
            str(tmp_path_factory.mktemp("t") / "d"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=170,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout + ended.stderr


@pytest.fixture(scope="module")
def lines(written: str) -> list[Line]:
    """The same, line by line: each is JSON."""
    return [json.loads(line) for line in written.splitlines()]


def said(lines: list[Line], event: str) -> list[Line]:
    return [line for line in lines if line["event"] == event]


def test_no_word_of_a_customer_and_no_secret_is_written(written: str) -> None:
    assert MARK not in written
    assert not [secret for secret in SECRETS if secret in written]


@pytest.mark.parametrize(
    "event",
    [
        "message accepted",
        "chat model failed",
        "turn answered",
        "job failed",
        "turn given up",
        "delivery try failed",
        "delivery failed",
        "reply delivered",
    ],
)
def test_every_line_of_a_conversation_s_way_names_it(lines: list[Line], event: str) -> None:
    found = said(lines, event)
    assert found
    assert all(len(line["conversation"]) == 32 for line in found)
    # The notice that a person will answer is delivered for the conversation, not for a turn.
    of_a_turn = [] if event.startswith(("delivery", "reply")) else found
    assert all(len(line["turn"]) == 32 for line in of_a_turn)


def test_a_failed_job_tells_where_it_failed(lines: list[Line]) -> None:
    told = said(lines, "job failed")[0]["exception"].splitlines()
    assert told[0] == "RuntimeError"
    assert any(" in search" in place for place in told)


def test_a_failed_request_is_found_by_its_id_and_route(lines: list[Line]) -> None:
    (line,) = said(lines, "request failed")
    assert (line["route"], line["method"]) == ("/api/v1/fail/{word}", "GET")
    assert len(line["request"]) == 32


def test_refused_tokens_are_one_line_each_without_the_token(lines: list[Line]) -> None:
    assert "SLACK_BOT_TOKEN" in said(lines, "slack is off")[0]["reason"]
    assert "DISCORD_BOT_TOKEN" in said(lines, "discord is off")[0]["reason"]


def test_libraries_are_heard_without_their_words(lines: list[Line]) -> None:
    (line,) = [line for line in lines if line["logger"] == "asyncio"]
    assert line["event"] == "words withheld"
    assert line["exception"].startswith("LookupError")
