"""Growth tests: what reads text from outside takes time in proportion to its length, whatever the text is made of."""

import time
from collections.abc import Callable

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.installations import SlackTeam
from bot.slack.mrkdwn import escape_mrkdwn, to_mrkdwn
from bot.slack.routing import plain_text
from bot.text import neutralise_mentions, split
from bot.web.markdown import to_html
from graph import lexical_signals
from graph.drafting.llm import PASSAGE_LABEL
from graph.guard.blocked_terms import find_blocked_term
from graph.guard.injection import has_planted_instructions
from graph.guard.masking import mask
from graph.guard.sanitising import sanitise
from graph.triage import human_request, intent_lexicon, question_rewriting, small_talk
from storage.knowledge.documents.passages import read_markdown, read_text
from storage.knowledge.terms import terms

LENGTH, FACTOR = 1_500, 4
BOUND = 9.0
"""Between 4, what linear code takes for four times the text, and 16, what quadratic code does."""
FLOOR = 0.004
"""Seconds below which a measurement says nothing of growth; quadratic code over 1,500 characters takes longer."""

CHARACTERS = ".1-a@[]`|*_#~<>(){}=/:,;!?&+%\\$\"' \n\t\r\u00a0\u200b\u0301好😀é"
SPACED = (
    "a ",
    "1 ",
    ". ",
    "\n ",
    "ok, ",
    "hi ",
    "why ",
    "talk to ",
    "call me ",
    "is ",
    "not ",
    "password ",
    "show your ",
    "aa ",
)
MARKED = ("**a ", "[a](", "![", "<@", "<@a|", "<http", "<https://a|", "|a", "- ", "\n- ", "\n> ", "```\n", "&a")
MIXED = ("a.", "a@", "a'", "1-", "1.", ".\n", "\n\n", "hi.", "[P1", "P1,", "eyJa.")
UNITS = (*CHARACTERS, *SPACED, *MARKED, *MIXED)

TEAM = SlackTeam(id="T1", workspace_id="w1", bot_user="UBOT", bot_id="BBOT", client=AsyncWebClient())


def _guard(text: str) -> object:
    return mask(text), find_blocked_term(text, ["free money", "buy now"]), sanitise(text)


def _triage(text: str) -> object:
    return (
        human_request.requests_human(text),
        human_request.mentions_people(text),
        *(
            reads(text)
            for reads in (
                intent_lexicon.wants_money_back,
                intent_lexicon.is_outraged,
                intent_lexicon.is_alarming,
                intent_lexicon.asks_how,
                intent_lexicon.is_glad,
                intent_lexicon.is_troubled,
                small_talk.is_small_talk,
                small_talk.is_greeting,
                question_rewriting.depends_on_history,
            )
        ),
    )


def _evidence(text: str) -> object:
    return (
        lexical_signals.negated_actions(text),
        lexical_signals.completed_actions(text),
        lexical_signals.reports_problem(text),
        terms(text),
        PASSAGE_LABEL.sub("", text),
    )


def _chunks(text: str) -> object:
    return read_text("a.txt", f"begin {text}".encode()), read_markdown("a.md", f"begin {text}".encode())


def _slack(text: str) -> object:
    return plain_text(TEAM, text), to_mrkdwn(text), escape_mrkdwn(text)


def _web(text: str) -> object:
    return to_html.__wrapped__(text), split(text, 500), neutralise_mentions(text)


READERS: dict[str, Callable[[str], object]] = {
    "guard": _guard,
    "injection": has_planted_instructions,
    "triage": _triage,
    "evidence": _evidence,
    "chunking": _chunks,
    "mrkdwn": _slack,
    "markdown": _web,
}


@pytest.mark.parametrize("reader", READERS)
def test_reading_takes_time_in_proportion_to_the_text(reader: str) -> None:
    read = READERS[reader]
    read("warm up")
    offenders = [
        f"{unit!r}: {growth:.1f}"
        for unit in UNITS
        # The last letter keeps a pattern that ends in `$` from matching at once.
        for end in ("", "x")
        if (growth := _growth(read, unit, end)) > BOUND
    ]
    assert not offenders, f"{FACTOR} times the text took so many times as long: {offenders}"


def _growth(read: Callable[[str], object], unit: str, end: str) -> float:
    """How many times as long the reader takes for four times the text; measured again where it seems too much."""
    growth = 0.0
    for _ in range(3):
        short, long = (_seconds(read, _repeated(unit, length) + end) for length in (LENGTH, LENGTH * FACTOR))
        growth = long / max(short, FLOOR)
        if growth <= BOUND:
            break
    return growth


def _repeated(unit: str, length: int) -> str:
    return (unit * (length // len(unit) + 1))[:length]


def _seconds(read: Callable[[str], object], text: str) -> float:
    begun = time.thread_time()
    read(text)
    return time.thread_time() - begun
