"""Grounded generation: a draft by the chat model whose sentences cite retrieved passages, or nothing."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, create_model, model_validator

from graph.drafting.verbatim import FOLLOW_UP_LIMIT
from graph.guard.masking import MASK_PLACEHOLDER, mask
from graph.llm.prompts.dialogue import as_data, dialogue, fenced
from graph.llm.prompts.templates import Prompt, prompt_version, render
from graph.llm.protocol import ChatModel
from graph.state import State
from storage.records import (
    Draft,
    Hit,
    Sentence,
)

PASSAGE_LABEL = re.compile(r"(?<!\s)\s*[\[(]P\d+(?:\s*[,;]\s*P\d+)*[\])]")
"""Labels that a model writes into its text although they have a field of their own."""
UNSPACED_LANGUAGES = frozenset({"ja", "th", "zh"})


def _customer_text(text: str) -> str:
    """The sentence without labels; one that repeats a placeholder is not fit to be sent."""
    if MASK_PLACEHOLDER.search(text):
        raise ValueError("placeholders in brackets must not be repeated")
    return PASSAGE_LABEL.sub("", text).strip()


class DraftedSentence(BaseModel):
    """One sentence and the labels of its passages; `passages` is narrowed to the labels that were offered."""

    model_config = ConfigDict(extra="forbid")

    text: Annotated[str, AfterValidator(_customer_text)]
    passages: list[str]


class DraftAnswer(BaseModel):
    """What the chat model fills in."""

    model_config = ConfigDict(extra="forbid")

    can_answer: bool
    sentences: list[DraftedSentence]
    follow_ups: list[str]

    @model_validator(mode="after")
    def _requires_cited_sentence(self) -> Self:
        if self.can_answer and not any(sentence.text and sentence.passages for sentence in self.sentences):
            raise ValueError("can_answer is true, but no sentence names the passages it rests on")
        return self


async def model_draft(state: State, model: ChatModel) -> Draft:
    """The chat model's reply to the turn, every cited chunk one of the hits; the confidence is left 0.

    Not answerable from the hits: an empty draft with the hits as citations. Without hits the model is not asked.
    A redraft follows the reviewers' guidance and differs from the rejected text. Raises ModelError.
    """
    hits = state.get("hits", ())
    if not hits:
        return Draft(model=model.name, prompt_version=prompt_version())
    prompt = _prompt(state, hits)
    answer = await model.ask(prompt, draft_schema(len(hits)))
    if answer.can_answer:
        draft = _draft_of(answer, hits, state["triage"].language)
    else:
        draft = Draft(citations=tuple(hit.citation() for hit in hits))
    return draft.model_copy(update={"model": model.name, "prompt_version": prompt.version})


@lru_cache(maxsize=64)
def draft_schema(passages: int) -> type[DraftAnswer]:
    """The answer's schema when the labels P1 to Pn were offered: another label is invalid."""
    one_of: Any = Literal[tuple(_label(index) for index in range(passages))]
    sentence: Any = create_model("Sentence", __base__=DraftedSentence, passages=(list[one_of], ...))
    return create_model("Draft", __base__=DraftAnswer, sentences=(list[sentence], ...))


def _label(index: int) -> str:
    """Short labels cost few tokens, and models copy them without mistakes."""
    return f"P{index + 1}"


def _prompt(state: State, hits: Sequence[Hit]) -> Prompt:
    turn, guard, triage = state["turn"], state["guard"], state["triage"]
    return render(
        "draft",
        language=triage.language,
        summary=fenced(turn.summary, guard.masked),
        history=dialogue(turn.history, guard.masked),
        passages="\n\n".join(_passage(index, hit) for index, hit in enumerate(hits)),
        redraft=_redraft_instructions(state.get("guidance", ()), state.get("rejected_text", ""), guard.masked),
        standalone=fenced(triage.standalone_question, guard.masked),
        question=fenced(guard.text, guard.masked),
    )


def _passage(index: int, hit: Hit) -> str:
    """What a document says may be anything, its title too, so both are fenced."""
    words = as_data(f"{hit.chunk.title}\n{hit.chunk.text}")
    return f"Passage {_label(index)}:\n{words}"


def _redraft_instructions(guidance: Sequence[str], rejected_text: str, masked: Mapping[str, str]) -> str:
    """What reviewers said; agents see personal data unmasked and may have copied some."""
    if not guidance and not rejected_text:
        return "This is the first draft."
    wishes = "\n".join(f"- {mask(wish, masked).text}" for wish in guidance) or "- (none given)"
    return (
        f"A reviewer of our team rejected this draft; write a different one:\n{fenced(rejected_text, masked)}\n"
        f"Guidance of our reviewers, oldest first:\n{wishes}"
    )


def _draft_of(answer: DraftAnswer, hits: Sequence[Hit], language: str) -> Draft:
    by_label = {_label(index): hit for index, hit in enumerate(hits)}
    said = [sentence for sentence in answer.sentences if sentence.text]
    cited = {label: by_label[label] for sentence in said for label in sentence.passages}
    gap = "" if language in UNSPACED_LANGUAGES else " "
    return Draft(
        text=gap.join(sentence.text for sentence in said),
        sentences=tuple(_sentence_of(sentence, by_label) for sentence in said),
        citations=tuple(hit.citation() for hit in cited.values()),
        can_answer=True,
        follow_ups=_follow_ups(answer.follow_ups),
    )


def _sentence_of(sentence: DraftedSentence, by_label: Mapping[str, Hit]) -> Sentence:
    chunk_ids = dict.fromkeys(by_label[label].chunk.id for label in sentence.passages)
    return Sentence(text=sentence.text, chunk_ids=tuple(chunk_ids))


def _follow_ups(suggestions: Sequence[str]) -> tuple[str, ...]:
    fit = (text.strip() for text in suggestions if not MASK_PLACEHOLDER.search(text))
    return tuple(dict.fromkeys(text for text in fit if text))[:FOLLOW_UP_LIMIT]
