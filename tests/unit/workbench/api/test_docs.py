"""The documentation page."""

from typing import Any

import pytest

from workbench.api.docs import example

API: dict[str, Any] = {
    "components": {
        "schemas": {
            "Pet": {
                "type": "object",
                "properties": {
                    "name": {"type": "string", "description": "What it answers to."},
                    "kind": {"enum": ["cat", "dog"], "type": "string"},
                    "owner": {"anyOf": [{"type": "string"}, {"type": "null"}]},
                    "friends": {"type": "array", "items": {"$ref": "#/components/schemas/Pet"}},
                },
            }
        }
    }
}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "integer"}, 1),
        ({"type": "boolean"}, True),
        ({"type": "string", "format": "date-time"}, "date-time"),
        ({"const": "bearer", "type": "string"}, "bearer"),
        ({"default": 50, "type": "integer"}, 50),
        ({"type": "array", "items": {"type": "string"}}, ["text"]),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, {"…": 1}),
        ({}, "…"),
    ],
)
def test_an_example_is_written_as_a_reader_would(schema: dict[str, Any], value: Any) -> None:
    assert example(schema, API) == value


def test_an_example_of_a_schema_that_holds_itself_ends() -> None:
    pet = example({"$ref": "#/components/schemas/Pet"}, API)
    assert pet["name"] == "What it answers to."
    assert pet["kind"] == "cat | dog"
    assert pet["owner"] == "text"
    assert pet["friends"][0]["friends"]
