"""Input guardrail: a customer's message made safe, or why it is answered by rule or held for a person."""

import asyncio
from collections.abc import Iterable

from graph.classification import TextClassifier
from graph.guard.blocked_terms import find_blocked_term
from graph.guard.injection import BLOCK_SCORE, injection_score
from graph.guard.masking import mask
from graph.guard.sanitising import has_visible_text, sanitise
from storage.records import GuardAction, GuardResult
from storage.settings import GuardSettings

EMPTY_REPLY = "I could not find any text in your message. Please write your question in words."
TOO_LONG_REPLY = (
    "Your message has {length:,} characters, and I can read at most {limit:,}. Please shorten it or send it in parts."
)


async def inspect_message(
    message: str, settings: GuardSettings, workspace_terms: Iterable[str], classifier: TextClassifier
) -> GuardResult:
    """Sanitised, short enough, masked; with the reason when a person must look. Raises UnavailableError."""
    text = sanitise(message)
    if not has_visible_text(text):
        return GuardResult(action=GuardAction.REPLY, text="", reason="It has no text", reply=EMPTY_REPLY)
    if len(text) > settings.max_characters:
        return _too_long(text, settings.max_characters)
    terms = (*settings.blocked_terms, *workspace_terms)
    return await asyncio.to_thread(_inspect, text, terms, classifier)


def blocked_term_reason(term: str) -> str:
    """Plain words for the agent."""
    return f"It contains the blocked term “{term}”"


def _inspect(text: str, terms: Iterable[str], classifier: TextClassifier) -> GuardResult:
    """Blocking: masking, and the embedding that the triage of the same turn uses again."""
    masked = mask(text)
    reason = ""
    if term := find_blocked_term(text, terms):
        reason = blocked_term_reason(term)
    # The rules read the original: a masked key may be an encoded order. Models and vectors see the masked text only.
    elif (injection := injection_score(text, classifier.scores(masked.text).injection)).score >= BLOCK_SCORE:
        reason = injection.reason
    action = GuardAction.HOLD if reason else GuardAction.PASS
    return GuardResult(action=action, text=masked.text, masked=masked.originals, reason=reason)


def _too_long(text: str, limit: int) -> GuardResult:
    masked = mask(text[:limit])
    return GuardResult(
        action=GuardAction.REPLY,
        text=masked.text,
        masked=masked.originals,
        reason=f"It has {len(text):,} characters; the limit is {limit:,}",
        reply=TOO_LONG_REPLY.format(length=len(text), limit=limit),
    )
