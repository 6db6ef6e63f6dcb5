"""Rules over embedding similarity: triage without a chat model, where words confirm or veto what the scores suggest."""

import asyncio
from collections.abc import Mapping, Sequence

from graph.classification import TextClassifier, TextScores
from graph.triage.human_request import mentions_people, requests_human
from graph.triage.intent_lexicon import (
    asks_how,
    is_alarming,
    is_glad,
    is_outraged,
    is_troubled,
    wants_money_back,
)
from graph.triage.language import detect_language
from graph.triage.question_rewriting import standalone_question
from graph.triage.small_talk import is_greeting, is_small_talk
from storage.records import Author, Line, Priority, Sentiment, Triage, WorkspaceSettings

# Thresholds: a wish that the words confirm needs a low score; the score alone must be high.
CONFIRMED_PERSON, UNCONFIRMED_PERSON = 0.1, 0.75
CONFIRMED_REFUND = 0.2
CONFIRMED_COMPLAINT, UNCONFIRMED_COMPLAINT = 0.25, 0.7
CONFIRMED_URGENCY, UNCONFIRMED_URGENCY = 0.3, 0.75
LOW_URGENCY = 0.6

UNCONFIRMED_INTENTS = ("question", "technical", "billing", "account", "other")
"""Intents that the scores alone may choose: no policy holds them for a person."""
FALLBACKS: Mapping[str, tuple[str, ...]] = {
    "refund": ("complaint", "billing"),
    "complaint": ("refund",),
    "technical": ("question",),
    "billing": ("account", "question"),
    "account": ("billing", "question"),
    "greeting": ("other", "question"),
    "question": ("other",),
    "other": ("question",),
}
"""What stands in for an intent that the workspace does not have; then `other`, then its last one."""


async def embedded_triage(
    text: str, history: Sequence[Line], settings: WorkspaceSettings, classifier: TextClassifier
) -> Triage:
    """Triage the masked text of a turn. `standalone_question` is empty when the customer asks nothing.

    Raises UnavailableError when the embedder does.
    """
    if classifier.is_cached(text):  # the guard has asked: what is left takes less time than a thread
        return _triage(text, history, settings, classifier)
    return await asyncio.to_thread(_triage, text, history, settings, classifier)


def _triage(text: str, history: Sequence[Line], settings: WorkspaceSettings, classifier: TextClassifier) -> Triage:
    scores = classifier.scores(text)
    intent = intent_of(text, scores)
    return Triage(
        intent=available_intent(intent, settings.intents),
        priority=_priority(text, scores),
        sentiment=_sentiment(text, intent),
        language=_language(text, history),
        wants_human=wants_human(text, scores),
        standalone_question=standalone_question(text, history),
    )


def intent_of(text: str, scores: TextScores) -> str:
    """One of a new workspace's intents; `refund` and `complaint`, which hold a draft, need words or a high score."""
    if is_greeting(text):
        return "greeting"
    if is_small_talk(text):
        return "other"
    if wants_money_back(text) and scores.intents["refund"] >= CONFIRMED_REFUND:
        return "refund"
    if _is_complaint(text, scores):
        return "complaint"
    return max(UNCONFIRMED_INTENTS, key=lambda intent: scores.intents[intent])


def wants_human(text: str, scores: TextScores) -> bool:
    """Whether the customer asks for a person."""
    if requests_human(text):
        return scores.wants_human >= CONFIRMED_PERSON
    return scores.wants_human >= UNCONFIRMED_PERSON and not mentions_people(text)


def available_intent(intent: str, intents: Sequence[str]) -> str:
    """The intent, or what comes nearest to it among the workspace's."""
    known = set(intents)
    for candidate in (intent, *FALLBACKS.get(intent, ()), "other"):
        if candidate in known:
            return candidate
    return intents[-1] if intents else "other"


def _is_complaint(text: str, scores: TextScores) -> bool:
    if asks_how(text):
        return is_outraged(text) and scores.intents["complaint"] >= UNCONFIRMED_COMPLAINT
    return scores.intents["complaint"] >= (CONFIRMED_COMPLAINT if is_outraged(text) else UNCONFIRMED_COMPLAINT)


def _priority(text: str, scores: TextScores) -> Priority:
    needed = CONFIRMED_URGENCY if is_alarming(text) and not asks_how(text) else UNCONFIRMED_URGENCY
    if scores.high_urgency >= needed:
        return Priority.HIGH
    if is_greeting(text) or is_small_talk(text) or scores.low_urgency >= LOW_URGENCY:
        return Priority.LOW
    return Priority.MEDIUM


def _sentiment(text: str, intent: str) -> Sentiment:
    if intent == "complaint" or is_outraged(text):
        return Sentiment.NEGATIVE
    if is_troubled(text):
        return Sentiment.NEUTRAL if is_glad(text) else Sentiment.NEGATIVE
    return Sentiment.POSITIVE if is_glad(text) else Sentiment.NEUTRAL


def _language(text: str, history: Sequence[Line]) -> str:
    """The text's own language, or the conversation's when the text says too little."""
    if own := detect_language(text, fallback=""):
        return own
    said = " ".join(line.text for line in history if line.author is Author.CUSTOMER)[-500:]
    return detect_language(said)
