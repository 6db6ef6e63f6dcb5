"""Triage by structured output of the chat model."""

import re
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, create_model

from graph.llm.prompts.dialogue import dialogue, fenced
from graph.llm.prompts.templates import render
from graph.llm.protocol import ChatModel
from graph.state import TurnInput
from storage.records import GuardResult, Priority, Sentiment, Triage

SMALL_TALK_INTENTS = ("greeting", "other")
LANGUAGE = re.compile(r"([a-z]{2})([-_].*)?$")


def _language_code(code: str) -> str:
    """The ISO 639-1 code of a language tag: `en` of `en-GB`."""
    match = LANGUAGE.match(code.strip().lower())
    if match is None:
        raise ValueError("use a two-letter ISO 639-1 code")
    return match.group(1)


class TriageAnswer(BaseModel):
    """What the chat model fills in; `intent` is narrowed to the workspace's list."""

    model_config = ConfigDict(extra="forbid")

    intent: str
    priority: Literal["low", "medium", "high"]
    sentiment: Literal["negative", "neutral", "positive"]
    language: Annotated[str, AfterValidator(_language_code)]
    wants_human: bool
    standalone_question: str


async def model_triage(turn: TurnInput, guard: GuardResult, model: ChatModel) -> Triage:
    """What kind of message this is, as the chat model sees it; the intent is one of the workspace's.

    Only masked text reaches the model. Small talk has no standalone question. Raises ModelError.
    """
    intents = turn.settings.intents or (Triage().intent,)
    prompt = render(
        "triage",
        intents=", ".join(intents),
        summary=fenced(turn.summary, guard.masked),
        history=dialogue(turn.history, guard.masked),
        question=fenced(guard.text, guard.masked),
    )
    answer = await model.ask(prompt, triage_schema(intents))
    return Triage(
        intent=answer.intent,
        priority=Priority(answer.priority),
        sentiment=Sentiment(answer.sentiment),
        language=answer.language,
        wants_human=answer.wants_human,
        standalone_question=answer.standalone_question.strip() or _fallback_question(answer, guard.text),
    )


def _fallback_question(answer: TriageAnswer, text: str) -> str:
    """Empty for small talk, which gets a stock reply; the message itself when there is more to it."""
    small_talk = answer.intent in SMALL_TALK_INTENTS and answer.sentiment != "negative" and not answer.wants_human
    return "" if small_talk else text


@lru_cache(maxsize=64)
def triage_schema(intents: tuple[str, ...]) -> type[TriageAnswer]:
    """The answer's schema with these intents and no other."""
    one_of: Any = Literal[intents]
    return create_model("Triage", __base__=TriageAnswer, intent=(one_of, ...))
