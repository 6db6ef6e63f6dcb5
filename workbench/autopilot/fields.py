"""Form binding: a field ties a setting to the components that show it; a form is shown and saved field by field."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from gradio.components import Component

from storage.records import WorkspaceSettings


@dataclass(frozen=True, slots=True)
class FormField:
    """One setting on the form."""

    key: str
    """Its name in `WorkspaceSettings`."""
    components: tuple[Component, ...]
    to_components: Callable[[WorkspaceSettings], tuple[Any, ...]]
    """The components' values, or updates, for these settings."""
    from_components: Callable[..., Any]
    """The setting that the components' values mean. Raises InvalidError with what to mend."""


def _unchanged(value: Any) -> Any:
    return value


def single(
    key: str,
    component: Component,
    to_component: Callable[[Any], Any] = _unchanged,
    from_component: Callable[[Any], Any] = _unchanged,
) -> FormField:
    """A setting that one component shows."""
    return FormField(key, (component,), lambda settings: (to_component(getattr(settings, key)),), from_component)


def components_of(fields: Sequence[FormField]) -> list[Component]:
    """Every component, in the order of `values_of` and `settings_from`."""
    return [component for field in fields for component in field.components]


def values_of(fields: Sequence[FormField], settings: WorkspaceSettings) -> list[Any]:
    """What the components show for these settings."""
    return [value for field in fields for value in field.to_components(settings)]


def settings_from(fields: Sequence[FormField], values: Sequence[Any]) -> dict[str, Any]:
    """The settings by key that the components' values mean. Raises InvalidError with what to mend."""
    remaining: Iterator[Any] = iter(values)
    return {field.key: field.from_components(*islice(remaining, len(field.components))) for field in fields}
