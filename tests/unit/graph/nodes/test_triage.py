"""Triage by the model where there is one, and without it where it fails."""

from typing import TypeVar

from pydantic import BaseModel

from graph.errors import ModelTimeoutError
from graph.llm.prompts.templates import Prompt
from graph.nodes.triage import triage
from tests.unit.graph.nodes.stubs import QUESTION, runtime, state

T = TypeVar("T", bound=BaseModel)


class StubModel:
    """Answers with this, or fails."""

    name = "stub"

    def __init__(self, answer: dict[str, object] | None = None) -> None:
        self.answer = answer

    async def ask(self, prompt: Prompt, schema: type[T]) -> T:
        assert prompt.name == "triage"
        if self.answer is None:
            raise ModelTimeoutError(8)
        return schema.model_validate(self.answer)

    async def check(self) -> None:
        raise NotImplementedError

    async def aclose(self) -> None:
        raise NotImplementedError


ANSWER = {
    "intent": "billing",
    "priority": "high",
    "sentiment": "negative",
    "language": "en-GB",
    "wants_human": True,
    "standalone_question": "Rewritten.",
}


async def test_without_a_model_rules_and_scores_decide() -> None:
    update = await triage(state(), runtime())
    assert update["triage"].intent == "question"
    assert update["triage"].standalone_question == QUESTION
    assert update["failure"] == ""


async def test_a_model_decides_where_there_is_one() -> None:
    update = await triage(state(), runtime(model=StubModel(dict(ANSWER))))
    assert (update["triage"].intent, update["triage"].language) == ("billing", "en")
    assert "failure" not in update


async def test_a_model_that_fails_is_replaced_and_its_failure_is_kept() -> None:
    update = await triage(state(), runtime(model=StubModel()))
    assert update["triage"].intent == "question"
    assert update["failure"] == "The chat model did not answer within 8 s."
