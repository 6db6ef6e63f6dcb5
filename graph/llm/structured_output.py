"""Structured output: the methods of asking a chat model for JSON of a schema, and what its answers are worth."""

import json
from enum import StrEnum
from typing import Any, TypeVar, assert_never

from langchain_core.messages import AIMessage
from pydantic import BaseModel, ValidationError

T = TypeVar("T", bound=BaseModel)

MAX_ECHO_LENGTH = 4000
"""Characters of an unusable answer that are shown to the model again."""


class StructuredOutputMethod(StrEnum):
    """How a chat model is asked for structure, best first."""

    JSON_SCHEMA = "json_schema"
    FUNCTION_CALLING = "function_calling"
    JSON_MODE = "json_mode"


def request_parameters(method: StructuredOutputMethod, schema: type[BaseModel]) -> dict[str, Any]:
    """The parameters of a chat completion that ask for `schema` by this method.

    Strict structured outputs need every field required and `extra="forbid"`:
    https://platform.openai.com/docs/guides/structured-outputs#supported-schemas
    """
    name, form = schema.__name__, schema.model_json_schema()
    match method:
        case StructuredOutputMethod.JSON_SCHEMA:
            described = {"name": name, "schema": form, "strict": True}
            return {"response_format": {"type": "json_schema", "json_schema": described}}
        case StructuredOutputMethod.FUNCTION_CALLING:
            function = {"name": name, "description": "Give your answer.", "parameters": form}
            return {
                "tools": [{"type": "function", "function": function}],
                "tool_choice": {"type": "function", "function": {"name": name}},
            }
        case StructuredOutputMethod.JSON_MODE:
            return {"response_format": {"type": "json_object"}}
        case _:
            assert_never(method)


def schema_instructions(method: StructuredOutputMethod, schema: type[BaseModel]) -> str:
    """What the system prompt must add: JSON mode does not carry the schema, and OpenAI wants the word JSON in it."""
    if method is not StructuredOutputMethod.JSON_MODE:
        return ""
    return f"\n\nAnswer with one JSON object of this JSON schema and nothing else:\n{_compact_schema(schema)}"


def answer_text(message: AIMessage) -> str:
    """The answer's JSON: the arguments of the forced call, or what the text holds between its outer braces.

    Some servers wrap the JSON in a code block or put their thinking before it.
    """
    if message.tool_calls:
        return json.dumps(message.tool_calls[0]["args"])
    if message.invalid_tool_calls:
        return message.invalid_tool_calls[0]["args"] or ""
    text = message.text
    start, end = text.find("{"), text.rfind("}")
    return text[start : end + 1] if 0 <= start < end else text


def has_required_keys(text: str, schema: type[BaseModel]) -> bool:
    """Whether this is a JSON object with the required keys: then the method works, whatever the values."""
    try:
        answer = json.loads(text)
    except ValueError:
        return False
    required = {field.alias or name for name, field in schema.model_fields.items() if field.is_required()}
    return isinstance(answer, dict) and required <= answer.keys()


def repair_request(error: ValidationError) -> str:
    """What was wrong with an answer, for the model to repair it."""
    problems = [
        f"- {'.'.join(str(part) for part in problem['loc']) or 'the answer'}: {problem['msg']}"
        for problem in error.errors(include_url=False, include_context=False, include_input=False)
    ]
    return "\n".join(["Your answer could not be used:", *problems[:10], "Answer again, complete and corrected."])


def _compact_schema(schema: type[BaseModel]) -> str:
    return json.dumps(schema.model_json_schema(), separators=(",", ":"), ensure_ascii=False)
