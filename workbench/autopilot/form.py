"""The autopilot's form: components in one fixed order, and settings to values and back."""

from collections.abc import Sequence
from datetime import time
from typing import Any
from zoneinfo import available_timezones

import gradio as gr

from storage.errors import InvalidError
from storage.records import BusinessHours, Mode, Priority, WorkspaceSettings
from storage.records.labels import CHANNEL_NAMES
from workbench.autopilot.lists import intents_in, lines_of, terms_in

MODE_CHOICES = [
    ("Off: the bot is silent, people answer everything", "off"),
    ("Shadow: it drafts silently for comparison, people answer", "shadow"),
    ("Draft: it drafts every reply, a person decides each", "draft"),
    ("Auto: it sends what it is sure of, people get the rest", "auto"),
]
AS_WORKSPACE = "as above"
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
LEAST_TARGET, MOST_TARGET = 0.1, 50
OPTIONS = WorkspaceSettings().intents
NOTICES = {
    "waiting_notice": "What a waiting customer is told, once per wait",
    "busy_notice": "What a customer is told who writes while the desk is late, once per wait",
    "paced_notice": "What a customer is told who writes faster than allowed, once per burst",
    "refused_notice": "What a customer is told whose message was not taken",
}


def build_form() -> list[Any]:
    """The components, in the order of `shown` and `changes`."""
    with gr.Row():
        with gr.Column(min_width=340):
            what = _what()
        with gr.Column(min_width=340):
            held = _held()
    with gr.Row():
        with gr.Column(min_width=340):
            told = _told()
        with gr.Column(min_width=340):
            hours = _hours()
    with gr.Row():
        words = _words()
    return [*what, *held, *told, *words, *hours]


def _what() -> list[Any]:
    mode = gr.Radio(MODE_CHOICES, label="Mode", info="How far the bot may go in this workspace.", elem_id="dh-mode")
    with gr.Row():
        choices = [(AS_WORKSPACE, ""), *((mode.value.capitalize(), mode.value) for mode in Mode)]
        channels = [gr.Dropdown(choices, label=f"In {name}", min_width=90) for name in CHANNEL_NAMES.values()]
    threshold = gr.Slider(
        0, 100, step=1, label="Least confidence to send alone, %", info="Drafts below it wait for a person."
    )
    target = gr.Number(
        label="Wrong automatic replies that you accept, %",
        minimum=LEAST_TARGET,
        maximum=MOST_TARGET,
        step=0.1,
        info="Keep it with the least confidence above: a higher one lets fewer wrong replies out.",
        elem_id="dh-target",
    )
    return [mode, *channels, threshold, target]


def _held() -> list[Any]:
    return [
        gr.CheckboxGroup(list(OPTIONS), label="Intents that always need a person", elem_id="dh-held"),
        gr.CheckboxGroup([str(priority) for priority in Priority], label="Priorities that always need a person"),
        gr.Checkbox(label="Hold when the customer asks for a person"),
        gr.Number(
            label="Automatic replies in a row",
            precision=0,
            minimum=1,
            info="After so many without a person, a person must look.",
        ),
    ]


def _told() -> list[Any]:
    audit = gr.Slider(
        0,
        100,
        step=1,
        label="Audit sample, %",
        info="This share of the replies that could go out alone is reviewed anyway, to keep the numbers honest.",
    )
    notices = [gr.Textbox(label=NOTICES["waiting_notice"], lines=2, max_length=500)]
    with gr.Accordion("When too much comes in", open=False):
        rest = list(NOTICES)[1:]
        notices += [gr.Textbox(label=NOTICES[name], lines=2, max_length=500, elem_id=f"dh-{name}") for name in rest]
    return [audit, *notices]


def _words() -> list[Any]:
    return [
        gr.Textbox(
            label="Intents, one a line",
            lines=8,
            max_lines=14,
            max_length=2000,
            min_width=340,
            info="What a message can be about. Intents of your own need a chat model; without one the nearest of the "
            "built-in ones is taken.",
            elem_id="dh-intents",
        ),
        gr.Textbox(
            label="Blocked terms, one a line",
            lines=8,
            max_lines=14,
            max_length=25_000,
            min_width=340,
            info="A message with one of these words or phrases is held for a person, and no model sees it.",
            elem_id="dh-blocked",
        ),
    ]


def _hours() -> list[Any]:
    limited = gr.Checkbox(label="Business hours: outside them, every draft waits for a person")
    days = gr.CheckboxGroup(list(DAYS), label="Open on")
    with gr.Row():
        opens = gr.Textbox(label="From", placeholder="09:00", min_width=70)
        closes = gr.Textbox(label="To", placeholder="17:00", min_width=70)
        timezone = gr.Dropdown(sorted(available_timezones()), label="Time zone", min_width=140)
    return [limited, days, opens, closes, timezone]


def shown(settings: WorkspaceSettings) -> list[Any]:
    """The values of the components for these settings."""
    hours = settings.business_hours or BusinessHours()
    options = list(dict.fromkeys((*settings.intents, *settings.hold_intents)))
    return [
        settings.mode.value,
        *(settings.channel_modes[name].value if name in settings.channel_modes else "" for name in CHANNEL_NAMES),
        round(settings.threshold * 100),
        round(settings.target_error * 100, 2),
        gr.CheckboxGroup(choices=options, value=list(settings.hold_intents)),
        [priority.value for priority in settings.hold_priorities],
        settings.hold_wants_human,
        settings.max_bot_turns,
        round(settings.audit_rate * 100),
        *(getattr(settings, name) for name in NOTICES),
        lines_of(settings.intents),
        lines_of(settings.blocked_terms),
        settings.business_hours is not None,
        [DAYS[day] for day in hours.days],
        hours.opens,
        hours.closes,
        hours.timezone,
    ]


def changes(values: Sequence[Any]) -> dict[str, Any]:
    """The settings that these values mean. Raises InvalidError with what to mend."""
    mode, *rest = values
    modes, rest = rest[: len(CHANNEL_NAMES)], rest[len(CHANNEL_NAMES) :]
    threshold, target, held, priorities, wants_human, most, audit, *rest = rest
    notices, rest = _notices(rest[: len(NOTICES)]), rest[len(NOTICES) :]
    intents, terms, limited, *hours = rest
    known = intents_in(str(intents or ""))
    if not most or int(most) < 1:
        raise InvalidError("Automatic replies in a row: at least 1.")
    return {
        "mode": mode,
        "channel_modes": {name: value for name, value in zip(CHANNEL_NAMES, modes, strict=True) if value},
        "threshold": float(threshold) / 100,
        "target_error": _target(target),
        "intents": known,
        "blocked_terms": terms_in(str(terms or "")),
        "hold_intents": tuple(intent for intent in held if intent in known),
        "hold_priorities": tuple(priorities),
        "hold_wants_human": bool(wants_human),
        "max_bot_turns": int(most),
        "audit_rate": float(audit) / 100,
        **notices,
        "business_hours": _business_hours(hours) if limited else None,
    }


def _notices(values: Sequence[Any]) -> dict[str, str]:
    notices = {name: str(value or "").strip() for name, value in zip(NOTICES, values, strict=True)}
    for name, text in notices.items():
        if not text:
            raise InvalidError(f"{NOTICES[name]}: write it, silence would leave them stranded.")
    return notices


def _target(percent: Any) -> float:
    if not isinstance(percent, int | float) or not LEAST_TARGET <= percent <= MOST_TARGET:
        raise InvalidError(f"Wrong automatic replies that you accept: between {LEAST_TARGET} and {MOST_TARGET} %.")
    return float(percent) / 100


def _business_hours(values: Sequence[Any]) -> dict[str, Any]:
    days, opens, closes, timezone = values
    if not days:
        raise InvalidError("Business hours: tick at least one day.")
    return {
        "timezone": timezone or "UTC",
        "days": tuple(sorted(DAYS.index(day) for day in days)),
        "opens": _clock(opens),
        "closes": _clock(closes),
    }


def _clock(text: Any) -> str:
    try:
        return time.fromisoformat(str(text).strip()).strftime("%H:%M")
    except ValueError as error:
        raise InvalidError(f"Business hours: {text!r} is no time; write it like 09:00.") from error
