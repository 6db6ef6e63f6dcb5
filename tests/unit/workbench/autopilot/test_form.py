"""The autopilot's form gives back what it showed, and refuses what would leave customers in the dark."""

from typing import Any

import pytest

from storage.errors import InvalidError
from storage.records import WorkspaceSettings
from workbench.autopilot.form import NOTICES, changes, shown

OWN = WorkspaceSettings(
    busy_notice="Busy, but yours is kept.",
    paced_notice="Slowly, please.",
    refused_notice="Not taken.",
    blocked_terms=("casino",),
)


def filled(settings: WorkspaceSettings) -> list[Any]:
    """What the browser sends back; a component that changes its choices sends its value."""
    return [getattr(value, "value", value) for value in shown(settings)]


def test_what_is_saved_unchanged_stays_as_it_was() -> None:
    assert WorkspaceSettings.model_validate({**OWN.model_dump(), **changes(filled(OWN))}) == OWN


@pytest.mark.parametrize("name", NOTICES)
def test_no_notice_may_be_empty(name: str) -> None:
    values = filled(OWN)
    values[values.index(getattr(OWN, name))] = "  "
    with pytest.raises(InvalidError, match="silence"):
        changes(values)
