"""Policy as a rule table: outside the model, one function a rule, each saying in plain words why it held a draft."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from storage.records import (
    BusinessHours,
    ChannelName,
    Draft,
    GuardAction,
    GuardResult,
    Mode,
    Route,
    Triage,
    Verdict,
    WorkspaceSettings,
)


@dataclass(frozen=True, slots=True)
class Case:
    """Everything the rules look at."""

    turn_id: str
    channel: ChannelName
    settings: WorkspaceSettings
    guard: GuardResult
    triage: Triage
    draft: Draft
    bot_turns: int
    """Automatic replies since a person last wrote."""
    failure: str
    """Why no draft could be made; empty if one was."""
    planted_instructions: bool
    """A source of the chat model's draft gives orders to the assistant."""
    version: int
    """Above 1: a person asked for this draft."""
    at: datetime
    place_mode: Mode | None = None
    """The mode of the place within the channel, where it has its own."""
    unread_files: bool = False
    """The customer sent files that only a person can look at."""

    @property
    def mode(self) -> Mode:
        """What the autopilot may do here."""
        return self.settings.mode_of(self.channel, self.place_mode)


Rule = Callable[[Case], str | None]


def decide(case: Case) -> Verdict:
    """Send, review or hand off; with every rule that spoke, in the order of the rules."""
    mode = case.mode
    if mode is Mode.OFF:
        return Verdict(route=Route.HANDOFF, held_because=("The autopilot is off here: people answer.",))
    if mode is Mode.SHADOW:
        return Verdict(route=Route.HANDOFF, held_because=("The autopilot only watches here: people answer.",))
    if case.guard.action is GuardAction.REPLY and not case.unread_files:
        return Verdict(route=Route.SEND)
    reasons = tuple(reason for rule in RULES if (reason := rule(case)))
    if reasons:
        return Verdict(route=Route.REVIEW, held_because=reasons)
    if is_audit_sample(case.turn_id, case.settings.audit_rate):
        return Verdict(route=Route.REVIEW, held_because=("Drawn for the audit sample.",), audited=True)
    return Verdict(route=Route.SEND)


def is_audit_sample(turn_id: str, rate: float) -> bool:
    """Whether this turn is in the audit sample: by its random id, so that running it again draws the same."""
    return int(turn_id[:8], 16) / 0x1_0000_0000 < rate


def _stopped_by_guard(case: Case) -> str | None:
    return case.guard.reason or "The guard stopped this message." if case.guard.action is GuardAction.HOLD else None


def _draft_failed(case: Case) -> str | None:
    return case.failure or None


def _has_unread_files(case: Case) -> str | None:
    return "The customer sent a file that a person has to look at." if case.unread_files else None


def _found_nothing(case: Case) -> str | None:
    if case.draft.can_answer or case.failure or case.guard.action is GuardAction.HOLD:
        return None
    return "Nothing in the knowledge answers this."


def _below_threshold(case: Case) -> str | None:
    if not case.draft.can_answer or case.draft.confidence >= case.settings.threshold:
        return None
    return f"Confidence {case.draft.confidence:.0%} is below the threshold of {case.settings.threshold:.0%}."


def _wants_human(case: Case) -> str | None:
    return "The customer asks for a person." if case.settings.hold_wants_human and case.triage.wants_human else None


def _held_intent(case: Case) -> str | None:
    intent = case.triage.intent
    return f"The intent `{intent}` always needs a person." if intent in case.settings.hold_intents else None


def _held_priority(case: Case) -> str | None:
    priority = case.triage.priority
    return f"Priority `{priority}` always needs a person." if priority in case.settings.hold_priorities else None


def _bot_turn_cap(case: Case) -> str | None:
    if case.bot_turns < case.settings.max_bot_turns:
        return None
    return f"The bot has replied {case.bot_turns} times in a row without a person."


def _repeats_personal_data(case: Case) -> str | None:
    repeated = [placeholder for placeholder in case.guard.masked if placeholder in case.draft.text]
    return f"The draft repeats personal data: {', '.join(repeated)}." if repeated else None


def _planted_instructions(case: Case) -> str | None:
    return "A source of this draft gives orders to the assistant: check it." if case.planted_instructions else None


def _is_redraft(case: Case) -> str | None:
    return "A person asked for this redraft." if case.version > 1 else None


def _in_draft_mode(case: Case) -> str | None:
    return "Every reply is reviewed here." if case.mode is Mode.DRAFT else None


def _outside_business_hours(case: Case) -> str | None:
    hours = case.settings.business_hours
    return "Outside business hours." if hours is not None and not is_open(hours, case.at) else None


RULES: tuple[Rule, ...] = (
    _stopped_by_guard,
    _draft_failed,
    _wants_human,
    _has_unread_files,
    _found_nothing,
    _below_threshold,
    _held_intent,
    _held_priority,
    _bot_turn_cap,
    _repeats_personal_data,
    _planted_instructions,
    _is_redraft,
    _in_draft_mode,
    _outside_business_hours,
)


def is_open(hours: BusinessHours, at: datetime) -> bool:
    """Whether this moment is within the hours; hours that end before they begin span midnight."""
    local = at.astimezone(_zone(hours.timezone))
    opens, closes = time.fromisoformat(hours.opens), time.fromisoformat(hours.closes)
    today = local.weekday() in hours.days
    if opens <= closes:
        return today and opens <= local.time() < closes
    yesterday = (local.weekday() - 1) % 7 in hours.days
    return (today and local.time() >= opens) or (yesterday and local.time() < closes)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")
