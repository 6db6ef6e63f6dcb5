"""The autopilot's form: every setting with its components, how it is shown and how it is read."""

from collections.abc import Callable, Sequence
from datetime import time
from typing import Any
from zoneinfo import available_timezones

import gradio as gr
from gradio.components import Component

from storage.errors import InvalidError
from storage.records import BusinessHours, Mode, Priority, WorkspaceSettings
from storage.records.labels import CHANNEL_NAMES
from workbench.autopilot.fields import FormField, settings_from, single
from workbench.autopilot.lists import as_lines, parse_blocked_terms, parse_intents

MODE_CHOICES = [
    ("Off: the bot is silent, people answer everything", "off"),
    ("Shadow: it drafts silently for comparison, people answer", "shadow"),
    ("Draft: it drafts every reply, a person decides each", "draft"),
    ("Auto: it sends what it is sure of, people get the rest", "auto"),
]
SAME_AS_WORKSPACE = ("as above", "")
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MIN_TARGET, MAX_TARGET = 0.1, 50
"""Percent."""
WAITING_NOTICE = {"waiting_notice": "What a waiting customer is told, once per wait"}
OVERLOAD_NOTICES = {
    "busy_notice": "What a customer is told who writes while the desk is late, once per wait",
    "paced_notice": "What a customer is told who writes faster than allowed, once per burst",
    "refused_notice": "What a customer is told whose message was not taken",
}
NOTICES = WAITING_NOTICE | OVERLOAD_NOTICES


def build_form() -> list[FormField]:
    """The components, each tied to its setting."""
    with gr.Row():
        with gr.Column(min_width=340):
            fields = [_mode(), _channel_modes(), _threshold(), _target_error()]
        with gr.Column(min_width=340):
            fields += [_held_intents(), _held_priorities(), _wants_human(), _max_bot_turns()]
    with gr.Row():
        with gr.Column(min_width=340):
            fields += [_audit_rate(), *_notices()]
        with gr.Column(min_width=340):
            fields += [_business_hours()]
    with gr.Row():
        fields += [_intents(), _blocked_terms()]
    return fields


def changes_of(fields: Sequence[FormField], values: Sequence[Any]) -> dict[str, Any]:
    """The settings that the form's values mean. Raises InvalidError with what to mend."""
    changes = settings_from(fields, values)
    # An intent that was taken off the list cannot be held any more.
    changes["hold_intents"] = tuple(intent for intent in changes["hold_intents"] if intent in changes["intents"])
    return changes


def _mode() -> FormField:
    label = "How far the bot may go in this workspace."
    return single("mode", gr.Radio(MODE_CHOICES, label="Mode", info=label, elem_id="dh-mode"), str)


def _channel_modes() -> FormField:
    choices = [SAME_AS_WORKSPACE, *((mode.value.capitalize(), mode.value) for mode in Mode)]
    with gr.Row():
        pickers = [gr.Dropdown(choices, label=f"In {name}", min_width=90) for name in CHANNEL_NAMES.values()]

    def show(settings: WorkspaceSettings) -> tuple[str, ...]:
        modes = settings.channel_modes
        return tuple(modes[channel].value if channel in modes else "" for channel in CHANNEL_NAMES)

    def read(*modes: str) -> dict[str, str]:
        return {channel: mode for channel, mode in zip(CHANNEL_NAMES, modes, strict=True) if mode}

    return FormField("channel_modes", tuple(pickers), show, read)


def _threshold() -> FormField:
    slider = gr.Slider(
        0, 100, step=1, label="Least confidence to send alone, %", info="Drafts below it wait for a person."
    )
    return single("threshold", slider, _percent(), _fraction)


def _target_error() -> FormField:
    number = gr.Number(
        label="Wrong automatic replies that you accept, %",
        minimum=MIN_TARGET,
        maximum=MAX_TARGET,
        step=0.1,
        info="Keep it with the least confidence above: a higher one lets fewer wrong replies out.",
        elem_id="dh-target",
    )

    def read(percent: Any) -> float:
        if not isinstance(percent, int | float) or not MIN_TARGET <= percent <= MAX_TARGET:
            raise InvalidError(f"Wrong automatic replies that you accept: between {MIN_TARGET} and {MAX_TARGET} %.")
        return _fraction(percent)

    return single("target_error", number, _percent(digits=2), read)


def _held_intents() -> FormField:
    group = gr.CheckboxGroup(
        list(WorkspaceSettings().intents), label="Intents that always need a person", elem_id="dh-held"
    )

    def show(settings: WorkspaceSettings) -> tuple[Component]:
        choices = list(dict.fromkeys((*settings.intents, *settings.hold_intents)))
        return (gr.CheckboxGroup(choices=choices, value=list(settings.hold_intents)),)

    return FormField("hold_intents", (group,), show, tuple)


def _held_priorities() -> FormField:
    group = gr.CheckboxGroup([str(priority) for priority in Priority], label="Priorities that always need a person")
    return single("hold_priorities", group, lambda priorities: [priority.value for priority in priorities], tuple)


def _wants_human() -> FormField:
    box = gr.Checkbox(label="Hold when the customer asks for a person")
    return single("hold_wants_human", box, from_component=bool)


def _max_bot_turns() -> FormField:
    number = gr.Number(
        label="Automatic replies in a row",
        precision=0,
        minimum=1,
        info="After so many without a person, a person must look.",
    )

    def read(most: Any) -> int:
        if not most or int(most) < 1:
            raise InvalidError("Automatic replies in a row: at least 1.")
        return int(most)

    return single("max_bot_turns", number, from_component=read)


def _audit_rate() -> FormField:
    slider = gr.Slider(
        0,
        100,
        step=1,
        label="Audit sample, %",
        info="This share of the replies that could go out alone is reviewed anyway, to keep the numbers honest.",
    )
    return single("audit_rate", slider, _percent(), _fraction)


def _notices() -> list[FormField]:
    fields = [_notice(key) for key in WAITING_NOTICE]
    with gr.Accordion("When too much comes in", open=False):
        fields += [_notice(key, elem_id=f"dh-{key}") for key in OVERLOAD_NOTICES]
    return fields


def _notice(key: str, *, elem_id: str | None = None) -> FormField:
    label = NOTICES[key]

    def read(text: Any) -> str:
        stripped = str(text or "").strip()
        if not stripped:
            raise InvalidError(f"{label}: write it, silence would leave them stranded.")
        return stripped

    return single(key, gr.Textbox(label=label, lines=2, max_length=500, elem_id=elem_id), from_component=read)


def _intents() -> FormField:
    lines = gr.Textbox(
        label="Intents, one a line",
        lines=8,
        max_lines=14,
        max_length=2000,
        min_width=340,
        info="What a message can be about. Intents of your own need a chat model; without one the nearest of the "
        "built-in ones is taken.",
        elem_id="dh-intents",
    )
    return single("intents", lines, as_lines, lambda text: parse_intents(str(text or "")))


def _blocked_terms() -> FormField:
    lines = gr.Textbox(
        label="Blocked terms, one a line",
        lines=8,
        max_lines=14,
        max_length=25_000,
        min_width=340,
        info="A message with one of these words or phrases is held for a person, and no model sees it.",
        elem_id="dh-blocked",
    )
    return single("blocked_terms", lines, as_lines, lambda text: parse_blocked_terms(str(text or "")))


def _business_hours() -> FormField:
    limited = gr.Checkbox(label="Business hours: outside them, every draft waits for a person")
    days = gr.CheckboxGroup(list(DAYS), label="Open on")
    with gr.Row():
        opens = gr.Textbox(label="From", placeholder="09:00", min_width=70)
        closes = gr.Textbox(label="To", placeholder="17:00", min_width=70)
        timezone = gr.Dropdown(sorted(available_timezones()), label="Time zone", min_width=140)

    def show(settings: WorkspaceSettings) -> tuple[Any, ...]:
        hours = settings.business_hours or BusinessHours()
        is_limited = settings.business_hours is not None
        return is_limited, [DAYS[day] for day in hours.days], hours.opens, hours.closes, hours.timezone

    return FormField("business_hours", (limited, days, opens, closes, timezone), show, _read_business_hours)


def _read_business_hours(
    limited: bool, days: list[str], opens: Any, closes: Any, timezone: Any
) -> dict[str, Any] | None:
    if not limited:
        return None
    if not days:
        raise InvalidError("Business hours: tick at least one day.")
    return {
        "timezone": timezone or "UTC",
        "days": tuple(sorted(DAYS.index(day) for day in days)),
        "opens": _read_time(opens),
        "closes": _read_time(closes),
    }


def _read_time(text: Any) -> str:
    try:
        return time.fromisoformat(str(text).strip()).strftime("%H:%M")
    except ValueError as error:
        raise InvalidError(f"Business hours: {text!r} is no time; write it like 09:00.") from error


def _percent(digits: int | None = None) -> Callable[[float], float]:
    return lambda fraction: round(fraction * 100, digits)


def _fraction(percent: Any) -> float:
    return float(percent) / 100
