"""The autopilot's form gives back what it showed, and refuses what would leave customers in the dark."""

from typing import Any

import gradio as gr
import pytest

from storage.errors import InvalidError
from storage.records import BusinessHours, WorkspaceSettings
from workbench.autopilot.fields import FormField, components_of, values_of
from workbench.autopilot.form import NOTICES, build_form, changes_of

OWN = WorkspaceSettings(
    busy_notice="Busy, but yours is kept.",
    paced_notice="Slowly, please.",
    refused_notice="Not taken.",
    blocked_terms=("casino",),
)


@pytest.fixture
async def fields() -> list[FormField]:
    with gr.Blocks():
        return build_form()


def filled(fields: list[FormField], settings: WorkspaceSettings, **written: Any) -> list[Any]:
    """What the browser sends back, with `written` typed over what single components showed.

    A component that changes its choices sends its value.
    """
    values: list[Any] = []
    for field in fields:
        shown = [getattr(value, "value", value) for value in field.to_components(settings)]
        values += [written[field.key]] if field.key in written else shown
    return values


def hours(fields: list[FormField], **written: Any) -> list[Any]:
    """The form for a workspace with business hours, some of their components typed over."""
    values = filled(fields, WorkspaceSettings(business_hours=BusinessHours()))
    at = components_of(fields).index(next(field for field in fields if field.key == "business_hours").components[0])
    for name, value in written.items():
        values[at + ("limited", "days", "opens", "closes", "timezone").index(name)] = value
    return values


def test_every_component_gets_one_value(fields: list[FormField]) -> None:
    assert len(values_of(fields, OWN)) == len(components_of(fields))


def test_every_field_is_a_setting_and_stands_once(fields: list[FormField]) -> None:
    keys = [field.key for field in fields]
    assert len(set(keys)) == len(keys)
    assert set(keys) <= set(WorkspaceSettings.model_fields)


def test_what_is_saved_unchanged_stays_as_it_was(fields: list[FormField]) -> None:
    assert WorkspaceSettings.model_validate({**OWN.model_dump(), **changes_of(fields, filled(fields, OWN))}) == OWN


def test_the_form_gives_back_the_settings_it_was_filled_with(fields: list[FormField]) -> None:
    settings = WorkspaceSettings(
        threshold=0.7,
        target_error=0.005,
        audit_rate=0.05,
        intents=("shipping", "lost parcel", "refund", "other"),
        hold_intents=("refund",),
        blocked_terms=("Casino", "crypto giveaway"),
        business_hours=BusinessHours(timezone="Europe/Berlin", days=(0, 5)),
    )
    kept = {**settings.model_dump(), **changes_of(fields, filled(fields, settings))}
    assert WorkspaceSettings.model_validate(kept) == settings


@pytest.mark.parametrize("name", NOTICES)
def test_no_notice_may_be_empty(fields: list[FormField], name: str) -> None:
    with pytest.raises(InvalidError, match="silence"):
        changes_of(fields, filled(fields, OWN, **{name: "  "}))


def test_an_intent_that_is_gone_holds_nothing_any_more(fields: list[FormField]) -> None:
    changed = changes_of(fields, filled(fields, WorkspaceSettings(), intents="Shipping\n\n other \nshipping"))
    assert changed["intents"] == ("shipping", "other")
    assert changed["hold_intents"] == ()


@pytest.mark.parametrize(
    ("key", "written", "told"),
    [
        ("intents", "shipping", "keep “other”"),
        ("intents", "other\n7 days", "“7 days” cannot be one"),
        ("intents", "other\n<b>x</b>", "cannot be one"),
        ("intents", "other\n" + "\n".join(f"intent{n}" for n in range(30)), "31 are too many"),
        ("blocked_terms", "x" * 101, "longer than 100"),
        ("blocked_terms", "!!!", "no letter or digit"),
        ("blocked_terms", "\n".join(map(str, range(201))), "201 are too many"),
        ("target_error", 0, "between 0.1 and 50 %"),
        ("target_error", None, "between 0.1 and 50 %"),
        ("target_error", 51, "between 0.1 and 50 %"),
        ("max_bot_turns", 0, "at least 1"),
    ],
)
def test_lists_and_shares_that_cannot_be_are_refused_with_what_to_mend(
    fields: list[FormField], key: str, written: object, told: str
) -> None:
    with pytest.raises(InvalidError, match=told):
        changes_of(fields, filled(fields, WorkspaceSettings(), **{key: written}))


def test_the_form_says_what_to_mend(fields: list[FormField]) -> None:
    with pytest.raises(InvalidError, match="write it like 09:00"):
        changes_of(fields, hours(fields, opens="nine"))
    with pytest.raises(InvalidError, match="at least one day"):
        changes_of(fields, hours(fields, days=[]))
    assert changes_of(fields, hours(fields, limited=False, opens="nine"))["business_hours"] is None
