"""How each method asks for structure, and what an answer is worth."""

import json

import pytest
from langchain_core.messages import AIMessage
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from graph.llm.structured_output import (
    StructuredOutputMethod,
    answer_text,
    has_required_keys,
    repair_request,
    request_parameters,
    schema_instructions,
)


class Rating(BaseModel):
    """How good something is."""

    model_config = ConfigDict(extra="forbid")

    score: float = Field(ge=0, le=1)
    label: str


def test_each_method_asks_in_its_own_parameters() -> None:
    by_schema = request_parameters(StructuredOutputMethod.JSON_SCHEMA, Rating)["response_format"]
    assert by_schema["json_schema"]["strict"]
    assert by_schema["json_schema"]["schema"]["required"] == ["score", "label"]
    by_call = request_parameters(StructuredOutputMethod.FUNCTION_CALLING, Rating)
    assert by_call["tool_choice"]["function"]["name"] == by_call["tools"][0]["function"]["name"] == "Rating"
    assert request_parameters(StructuredOutputMethod.JSON_MODE, Rating) == {"response_format": {"type": "json_object"}}


def test_only_json_mode_needs_the_schema_in_words() -> None:
    assert schema_instructions(StructuredOutputMethod.JSON_SCHEMA, Rating) == ""
    assert schema_instructions(StructuredOutputMethod.FUNCTION_CALLING, Rating) == ""
    words = schema_instructions(StructuredOutputMethod.JSON_MODE, Rating)
    assert "JSON" in words
    assert '"score"' in words


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (AIMessage('```json\n{"a": 1}\n```'), '{"a": 1}'),
        (AIMessage('<think>hm</think>{"a": {"b": 2}} done'), '{"a": {"b": 2}}'),
        (AIMessage("no JSON"), "no JSON"),
        (AIMessage("} {"), "} {"),
    ],
)
def test_the_answer_is_what_stands_between_the_outer_braces(message: AIMessage, text: str) -> None:
    assert answer_text(message) == text


def test_the_arguments_of_a_call_are_the_answer_valid_or_not() -> None:
    call = AIMessage("ignored", tool_calls=[{"name": "Rating", "args": {"score": 1}, "id": "1"}])
    assert json.loads(answer_text(call)) == {"score": 1}
    broken = {"name": "Rating", "args": "{broken", "id": "1", "error": None, "type": "invalid_tool_call"}
    assert answer_text(AIMessage("", invalid_tool_calls=[broken])) == "{broken"


@pytest.mark.parametrize(
    ("text", "expected"),
    [('{"score": 7, "label": 3}', True), ('{"score": 7}', False), ("[]", False), ("", False), ("{}", False)],
)
def test_the_method_works_when_the_keys_are_there_whatever_the_values(text: str, expected: bool) -> None:
    assert has_required_keys(text, Rating) is expected


def test_the_repair_names_every_problem_and_repeats_no_input() -> None:
    with pytest.raises(ValidationError) as caught:
        Rating.model_validate_json('{"score": 7, "more": "secret"}')
    request = repair_request(caught.value)
    assert "- score:" in request
    assert "- label:" in request
    assert "- more:" in request
    assert "secret" not in request
