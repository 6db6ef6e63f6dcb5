"""Make the customer's text safe: clean, short enough, masked; and say when a person must look."""

import asyncio
import re
import unicodedata
from collections.abc import Iterable

from langgraph.runtime import Runtime

from graph.guard.injection import BLOCK, injection_score
from graph.guard.masking import mask
from graph.state import Deps, State, TurnInput
from graph.triage.classifier import Classifier
from storage.records import GuardAction, GuardResult
from storage.settings import GuardSettings

# Bidirectional overrides and isolates, and invisible marks other than the joiners that emoji and scripts need.
UNWANTED = re.compile(
    "[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e001f]"
)
KEPT_CONTROLS = "\n\t"
EMPTY_REPLY = "I could not find any text in your message. Please write your question in words."
TOO_LONG_REPLY = (
    "Your message has {length:,} characters, and I can read at most {limit:,}. Please shorten it or send it in parts."
)
EDGE = r"(?<!\w){term}(?!\w)"


async def guard(state: State, runtime: Runtime[Deps]) -> State:
    """Check the turn's question. Raises UnavailableError when the embedder does."""
    deps = runtime.context
    return {"guard": await examine(state["turn"], deps.settings.guard, deps.classifier)}


async def examine(turn: TurnInput, settings: GuardSettings, classifier: Classifier) -> GuardResult:
    """The question made safe, or why it was answered by rule or held."""
    text = clean(turn.question)
    if not any(character.isprintable() and not character.isspace() for character in text):
        return GuardResult(action=GuardAction.REPLY, text="", reason="It has no text", reply=EMPTY_REPLY)
    if len(text) > settings.max_characters:
        return _too_long(text, settings.max_characters)
    terms = (*settings.blocked_terms, *turn.settings.blocked_terms)
    return await asyncio.to_thread(_inspect, text, terms, classifier)


def clean(text: str) -> str:
    """The text without control characters and direction overrides; line breaks, tabs and emoji stay."""
    unified = text.replace("\r\n", "\n").replace("\r", "\n")
    visible = UNWANTED.sub("", unified)
    return "".join(c for c in visible if c in KEPT_CONTROLS or unicodedata.category(c) not in {"Cc", "Cs"}).strip()


def blocked_term(text: str, terms: Iterable[str]) -> str:
    """The first blocked term that the text has as a whole word, whatever its case and Unicode form; else ""."""
    folded = _folded(text)
    for term in terms:
        wanted = _folded(term).strip()
        if wanted and re.search(EDGE.format(term=r"\s+".join(map(re.escape, wanted.split()))), folded):
            return term
    return ""


def _inspect(text: str, terms: Iterable[str], classifier: Classifier) -> GuardResult:
    """Blocking: masking, and the embedding that the triage of the same turn uses again."""
    masked = mask(text)
    reason = ""
    if term := blocked_term(text, terms):
        reason = f"It contains the blocked term “{term}”"
    # The rules read the original: a masked key may be an encoded order. Models and vectors see the masked text only.
    elif (suspicion := injection_score(text, classifier.scores(masked.text).injection)).score >= BLOCK:
        reason = suspicion.reason
    action = GuardAction.HOLD if reason else GuardAction.PASS
    return GuardResult(action=action, text=masked.text, masked=masked.replaced, reason=reason)


def _too_long(text: str, limit: int) -> GuardResult:
    masked = mask(text[:limit])
    return GuardResult(
        action=GuardAction.REPLY,
        text=masked.text,
        masked=masked.replaced,
        reason=f"It has {len(text):,} characters; the limit is {limit:,}",
        reply=TOO_LONG_REPLY.format(length=len(text), limit=limit),
    )


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()
