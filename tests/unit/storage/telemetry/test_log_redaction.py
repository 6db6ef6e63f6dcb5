"""No words of customers and no secrets in the log, whoever writes the line; a real process writes them here."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from storage.settings import Settings
from storage.telemetry.log_redaction import SecretRedactor, exception_summary
from storage.telemetry.logging import secrets_of

ROOT = Path(__file__).parents[4]
MARK = "zebrafish"
"""The customer's word: in no line, and in no part of one."""

TALKATIVE = """
import asyncio, logging, threading, warnings, sys
import structlog
from storage.telemetry.logging import set_up_logging
from storage.settings import Settings

MARK = "".join(["zebra", "fish"])
set_up_logging(Settings.model_validate({"log": {"format": sys.argv[1], "level": "debug"}}))
ours = structlog.get_logger("graph.desk")
library = logging.getLogger("slack_sdk.web")
library.setLevel(logging.DEBUG)

def fail():
    try:
        raise KeyError(MARK)
    except KeyError as error:
        raise ValueError(f"about {MARK}") from error

ours.info("turn answered", turn="t1")
try:
    fail()
except ValueError as error:
    ours.exception("job failed", turn="t1", error=error)
    library.exception("Failed to run it")
    library.error("Failed: %s after %d tries", error, 3)
    library.error("%(said)s at %(number)d", {"said": MARK, "number": 7})
    library.error("%d of them", MARK)
library.warning(f"Unhandled request {MARK}")
library.warning("We are being rate limited. %s responded with %d", "https://example.com/" + MARK, 429)
library.info("below what is heard")
library.debug("Request options: %s", {"json": MARK})
warnings.warn(f"input_value={MARK}")
thread = threading.Thread(target=fail)
thread.start()
thread.join()

async def forgotten():
    task = asyncio.get_running_loop().create_task(asyncio.sleep(0, fail), name=MARK)
    async def failing():
        fail()
    lost = asyncio.create_task(failing())
    await asyncio.sleep(0.01)
    del lost

asyncio.run(forgotten())
fail()
"""


def spoken(form: str) -> str:
    ended = subprocess.run(  # noqa: S603 - this test's own program
        [sys.executable, "-c", TALKATIVE, form], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    assert ended.returncode == 1, ended.stderr
    return ended.stdout + ended.stderr


@pytest.fixture(scope="module")
def lines() -> list[dict[str, Any]]:
    """Every line of a process in which everything goes wrong, as JSON."""
    return [json.loads(line) for line in spoken("json").splitlines()]


@pytest.mark.parametrize("form", ["json", "text"])
def test_no_line_repeats_the_words_of_an_exception_or_a_payload(form: str) -> None:
    said = spoken(form)
    assert "job failed" in said
    assert MARK not in said


def test_an_exception_tells_its_kinds_and_places(lines: list[dict[str, Any]]) -> None:
    (line,) = [line for line in lines if line["event"] == "job failed"]
    assert (line["logger"], line["level"], line["turn"], line["error"]) == ("graph.desk", "error", "t1", "ValueError")
    told = line["exception"].splitlines()
    assert [kind for kind in told if not kind.startswith(" ")] == ["ValueError", "KeyError"]
    assert any(place.endswith(" in fail") for place in told)


def test_a_library_says_what_stands_in_its_source_and_numbers(lines: list[dict[str, Any]]) -> None:
    said = [line["event"] for line in lines if line["logger"] == "slack_sdk.web"]
    assert said == [
        "Failed to run it",
        "Failed: ValueError after 3 tries",
        "… at 7",
        "%d of them",
        "words withheld",
        "We are being rate limited. … responded with 429",
    ]


def test_what_nobody_caught_is_a_line_too(lines: list[dict[str, Any]]) -> None:
    events = [line["event"] for line in lines]
    assert "a thread stopped" in events
    assert events[-1] == "the process stops"
    assert any(line["logger"] == "asyncio" and "ValueError" in line["exception"] for line in lines)


@pytest.mark.parametrize(
    "secret",
    [
        "xoxb-1234-5678-abcdef",
        "xapp-1-A012-345-abc",
        "sk-proj-abcdefghijklmnop1234",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
        "MTIzNDU2Nzg5MDEyMzQ1Njc4.GabcDE.abcdefghijklmnopqrstuvwxyz0123456789",
        "desk:s3cret-word",
        "correct horse battery",
    ],
)
def test_secrets_are_taken_out_of_a_line(secret: str) -> None:
    redact = SecretRedactor(["correct horse battery"])
    line = redact(f'why: "postgresql://{secret}@db/desk said no to {secret if ":" not in secret else ""}"')
    assert secret not in line
    assert "said no" in line


def test_every_secret_of_the_settings_is_known() -> None:
    settings = Settings.model_validate(
        {
            "database": {"url": "postgresql://desk:databaseword@db/desk"},
            "slack": {"bot_token": "slackword", "client_secret": "clientword"},
            "web": {"secret": "signingword"},
        }
    )
    assert secrets_of(settings) == {"databaseword", "slackword", "clientword", "signingword"}


def test_an_exception_in_brief_has_numbers_and_no_words() -> None:
    error = RuntimeError(MARK)
    error.status, error.code = 400, 50035  # type: ignore[attr-defined]  # as discord.py's have
    assert exception_summary(error) == "RuntimeError 400 50035"
