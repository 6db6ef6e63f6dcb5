"""Templates are filled once, and their version names their wording."""

import pytest

from graph.llm.prompts.templates import (
    DIVIDER,
    TEMPLATE_NAMES,
    prompt_version,
    render,
    template,
)


@pytest.mark.parametrize("name", TEMPLATE_NAMES)
def test_every_template_has_instructions_and_fields_and_says_what_the_marks_mean(name: str) -> None:
    system, divider, user = template(name).partition(DIVIDER)
    assert divider
    assert "$" in user
    assert "$" not in system
    assert "<data CODE>" in system


def test_the_version_is_stable_and_goes_into_every_prompt() -> None:
    prompt = render("summary", summary="a", history="b")
    assert prompt.version == prompt_version()
    assert len(prompt.version) == 12


def test_a_field_without_a_value_is_an_error() -> None:
    with pytest.raises(KeyError):
        render("summary", summary="a")


def test_a_value_is_never_read_as_a_template_again() -> None:
    assert "costs $summary or ${history}" in render("summary", summary="x", history="costs $summary or ${history}").user
