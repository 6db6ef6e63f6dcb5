"""Drafts as rows: every proposal is kept with what it rested on."""

from typing import Any

from sqlalchemy import ColumnElement, RowMapping, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import clock
from storage.database.tables import drafts
from storage.records import (
    Citation,
    Draft,
    Evidence,
    Sentence,
    Triage,
    new_id,
)

KEEP = insert(drafts)


async def keep(
    connection: AsyncConnection,
    workspace_id: str,
    turn_id: str,
    *,
    version: int,
    draft: Draft,
    triage: Triage,
    question: str,
) -> str:
    """Insert a draft and give its id."""
    draft_id = new_id()
    values = draft.model_dump(mode="json")
    await connection.execute(
        KEEP,
        {
            "id": draft_id,
            "workspace_id": workspace_id,
            "turn_id": turn_id,
            "version": version,
            "triage": triage.model_dump(mode="json"),
            "question": question,
            "created_at": clock.now(),
            **values,
        },
    )
    return draft_id


def draft_columns() -> list[ColumnElement[Any]]:
    """A draft's columns under names that don't collide with those of the table it is joined to."""
    return [column.label(f"draft_{column.name}_") for column in drafts.c]


def draft_of(row: RowMapping) -> Draft:
    """The draft in a row that was selected with `draft_columns`."""
    return Draft(
        text=row["draft_text_"],
        sentences=tuple(Sentence.model_validate(item) for item in row["draft_sentences_"]),
        citations=tuple(Citation.model_validate(item) for item in row["draft_citations_"]),
        can_answer=row["draft_can_answer_"],
        confidence=row["draft_confidence_"],
        evidence=Evidence.model_validate(row["draft_evidence_"]),
        follow_ups=tuple(row["draft_follow_ups_"]),
        model=row["draft_model_"],
        prompt_version=row["draft_prompt_version_"],
    )
