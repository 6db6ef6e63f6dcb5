"""Each rule holds what it should, says why, and lets the rest through."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from graph.policy import (
    RULES,
    Case,
    decide,
    is_audit_sample,
    is_open,
)
from storage.records import (
    BusinessHours,
    Draft,
    GuardAction,
    GuardResult,
    Mode,
    Priority,
    Route,
    Triage,
    WorkspaceSettings,
    new_id,
)

MONDAY_NOON = datetime(2026, 11, 16, 12, 0, tzinfo=UTC)
GOOD = Case(
    turn_id=new_id(),
    channel="web",
    settings=WorkspaceSettings(),
    guard=GuardResult(action=GuardAction.PASS, text="How do I reset?"),
    triage=Triage(intent="account"),
    draft=Draft(text="Like this.", can_answer=True, confidence=0.9),
    bot_turns=0,
    failure="",
    planted_instructions=False,
    version=1,
    at=MONDAY_NOON,
)


def changed(draft: Draft, **changes: object) -> Draft:
    return draft.model_copy(update=changes)


def test_a_sure_and_harmless_draft_is_sent() -> None:
    assert decide(GOOD).route is Route.SEND
    assert decide(GOOD).held_because == ()


HELD = {
    "the threshold": (replace(GOOD, draft=changed(GOOD.draft, confidence=0.64)), "below the threshold of 65%"),
    "nothing found": (replace(GOOD, draft=Draft()), "Nothing in the knowledge"),
    "complaint": (replace(GOOD, triage=Triage(intent="complaint")), "`complaint` always needs a person"),
    "refund": (replace(GOOD, triage=Triage(intent="refund")), "`refund` always needs a person"),
    "priority": (replace(GOOD, triage=Triage(priority=Priority.HIGH)), "`high` always needs a person"),
    "wants human": (replace(GOOD, triage=Triage(wants_human=True)), "asks for a person"),
    "bot turns": (replace(GOOD, bot_turns=10), "10 times in a row"),
    "guard": (replace(GOOD, guard=GuardResult(action=GuardAction.HOLD, text="x", reason="An attack.")), "An attack."),
    "failure": (replace(GOOD, failure="The model did not answer.", draft=Draft()), "The model did not answer."),
    "planted": (replace(GOOD, planted_instructions=True), "gives orders to the assistant"),
    "files": (replace(GOOD, unread_files=True), "a file that a person has to look at"),
    "redraft": (replace(GOOD, version=2), "asked for this redraft"),
    "personal data": (
        replace(
            GOOD,
            guard=GuardResult(action=GuardAction.PASS, text="x", masked={"[EMAIL_1]": "a@b.example"}),
            draft=changed(GOOD.draft, text="We wrote to [EMAIL_1]."),
        ),
        "repeats personal data",
    ),
    "draft mode": (replace(GOOD, settings=WorkspaceSettings(mode=Mode.DRAFT)), "Every reply is reviewed"),
    "hours": (
        replace(GOOD, settings=WorkspaceSettings(business_hours=BusinessHours(opens="13:00", closes="17:00"))),
        "Outside business hours",
    ),
    "audit": (replace(GOOD, settings=WorkspaceSettings(audit_rate=1.0)), "audit sample"),
}


@pytest.mark.parametrize("name", HELD)
def test_a_held_draft_says_why(name: str) -> None:
    case, words = HELD[name]
    verdict = decide(case)
    assert verdict.route is Route.REVIEW
    assert [reason for reason in verdict.held_because if words in reason], verdict.held_because


def test_a_place_with_a_mode_of_its_own_overrules_its_channel() -> None:
    assert decide(replace(GOOD, place_mode=Mode.DRAFT)).route is Route.REVIEW
    draft_everywhere = replace(GOOD, settings=WorkspaceSettings(channel_modes={"web": Mode.DRAFT}))
    assert decide(draft_everywhere).route is Route.REVIEW
    assert decide(replace(draft_everywhere, place_mode=Mode.AUTO)).route is Route.SEND


def test_every_rule_has_a_case_here() -> None:
    spoke = {rule for case, _ in HELD.values() for rule in RULES if rule(case)}
    assert spoke == set(RULES)


@pytest.mark.parametrize("mode", [Mode.OFF, Mode.SHADOW])
def test_where_the_bot_is_off_or_only_watches_people_answer(mode: Mode) -> None:
    assert decide(replace(GOOD, settings=WorkspaceSettings(mode=mode))).route is Route.HANDOFF


def test_a_channel_may_have_its_own_mode() -> None:
    settings = WorkspaceSettings(mode=Mode.AUTO, channel_modes={"slack": Mode.DRAFT})
    assert decide(replace(GOOD, settings=settings)).route is Route.SEND
    assert decide(replace(GOOD, settings=settings, channel="slack")).route is Route.REVIEW


def test_an_honest_reply_of_the_guard_needs_nobody() -> None:
    guard = GuardResult(action=GuardAction.REPLY, text="", reply="Please shorten this.")
    case = replace(GOOD, guard=guard, settings=WorkspaceSettings(mode=Mode.DRAFT))
    assert decide(case).route is Route.SEND


def test_the_threshold_itself_is_enough() -> None:
    assert decide(replace(GOOD, draft=changed(GOOD.draft, confidence=0.65))).route is Route.SEND


def test_the_audit_sample_is_the_same_at_every_run_and_about_as_large_as_asked() -> None:
    ids = [new_id() for _ in range(4000)]
    share = sum(is_audit_sample(turn_id, 0.1) for turn_id in ids) / len(ids)
    assert 0.07 < share < 0.13
    assert [is_audit_sample(turn_id, 0.1) for turn_id in ids] == [is_audit_sample(turn_id, 0.1) for turn_id in ids]
    assert not any(is_audit_sample(turn_id, 0.0) for turn_id in ids)


@pytest.mark.parametrize(
    ("hours", "at", "expected"),
    [
        (BusinessHours(), MONDAY_NOON, True),
        (BusinessHours(), datetime(2026, 11, 15, 12, 0, tzinfo=UTC), False),
        (BusinessHours(timezone="Asia/Tokyo"), MONDAY_NOON, False),
        (BusinessHours(timezone="America/New_York", opens="06:00"), MONDAY_NOON, True),
        (BusinessHours(opens="22:00", closes="06:00"), datetime(2026, 11, 17, 3, 0, tzinfo=UTC), True),
        (BusinessHours(opens="22:00", closes="06:00"), datetime(2026, 11, 16, 3, 0, tzinfo=UTC), False),
        (BusinessHours(timezone="Nowhere/Else"), MONDAY_NOON, True),
    ],
)
def test_business_hours_are_those_of_the_teams_own_clock(hours: BusinessHours, at: datetime, expected: bool) -> None:
    assert is_open(hours, at) is expected
