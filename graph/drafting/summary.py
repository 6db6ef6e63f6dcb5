"""Rolling summary: what a prompt says of a long conversation instead of its older messages."""

from collections.abc import Iterator, Sequence
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

from graph.llm.prompts.dialogue import MAX_LINE_LENGTH, dialogue, fenced
from graph.llm.prompts.templates import render
from graph.llm.protocol import ChatModel
from storage.records import Line

MAX_SUMMARY_LENGTH = 2000
"""Characters: the summary goes into every later prompt of the conversation."""
BATCH_LENGTH = 12_000
"""Characters of messages that one request folds into the summary."""


def _within_limit(text: str) -> str:
    if len(text) > MAX_SUMMARY_LENGTH:
        raise ValueError(f"{len(text)} characters, at most {MAX_SUMMARY_LENGTH} are allowed")
    return text.strip()


class SummaryAnswer(BaseModel):
    """What the chat model fills in."""

    model_config = ConfigDict(extra="forbid", title="Summary")

    summary: Annotated[str, AfterValidator(_within_limit)]


async def summarise(previous_summary: str, lines: Sequence[Line], model: ChatModel) -> str:
    """The summary so far with `lines` (oldest first) folded in: at most 2,000 characters, personal data masked.

    The prompt's size does not depend on the length of the conversation. Raises ModelError; the caller keeps the
    previous summary then.
    """
    summary = previous_summary
    for batch in _batches(lines):
        prompt = render("summary", summary=fenced(summary, {}), history=dialogue(batch, {}))
        answer = await model.ask(prompt, SummaryAnswer)
        summary = answer.summary
    return summary


def _batches(lines: Sequence[Line]) -> Iterator[list[Line]]:
    batch: list[Line] = []
    size = 0
    for line in lines:
        length = min(len(line.text), MAX_LINE_LENGTH)
        if batch and size + length > BATCH_LENGTH:
            yield batch
            batch, size = [], 0
        batch.append(line)
        size += length
    if batch:
        yield batch
