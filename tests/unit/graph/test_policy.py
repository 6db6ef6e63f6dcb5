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
        # The opening minute is open and the closing one is not, by day and over midnight.
        (BusinessHours(), datetime(2026, 11, 16, 9, 0, tzinfo=UTC), True),
        (BusinessHours(), datetime(2026, 11, 16, 16, 59, tzinfo=UTC), True),
        (BusinessHours(), datetime(2026, 11, 16, 17, 0, tzinfo=UTC), False),
        (BusinessHours(opens="22:00", closes="06:00"), datetime(2026, 11, 16, 21, 59, tzinfo=UTC), False),
        (BusinessHours(opens="22:00", closes="06:00"), datetime(2026, 11, 16, 22, 0, tzinfo=UTC), True),
        (BusinessHours(opens="22:00", closes="06:00"), datetime(2026, 11, 17, 5, 59, tzinfo=UTC), True),
        (BusinessHours(opens="22:00", closes="06:00"), datetime(2026, 11, 17, 6, 0, tzinfo=UTC), False),
        # A night belongs to the day on which it begins: Friday's lasts into Saturday, Sunday's does not begin.
        (BusinessHours(opens="22:00", closes="06:00"), datetime(2026, 11, 21, 3, 0, tzinfo=UTC), True),
        (BusinessHours(opens="22:00", closes="06:00"), datetime(2026, 11, 21, 23, 0, tzinfo=UTC), False),
        # Monday's yesterday is Sunday.
        (BusinessHours(days=(6,), opens="22:00", closes="06:00"), datetime(2026, 11, 16, 3, 0, tzinfo=UTC), True),
        # Hours that end as they begin are none.
        (BusinessHours(opens="09:00", closes="09:00"), datetime(2026, 11, 16, 9, 0, tzinfo=UTC), False),
    ],
)
def test_business_hours_are_those_of_the_teams_own_clock(hours: BusinessHours, at: datetime, expected: bool) -> None:
    assert is_open(hours, at) is expected


@pytest.mark.parametrize(("bot_turns", "route"), [(9, Route.SEND), (10, Route.REVIEW), (11, Route.REVIEW)])
def test_the_cap_counts_the_replies_that_went_out_already(bot_turns: int, route: Route) -> None:
    assert decide(replace(GOOD, bot_turns=bot_turns)).route is route


def test_a_reply_of_the_guard_to_a_message_with_files_goes_to_a_person() -> None:
    guard = GuardResult(action=GuardAction.REPLY, text="", reply="Please write words.")
    verdict = decide(replace(GOOD, guard=guard, unread_files=True))
    assert verdict.route is Route.REVIEW
    assert verdict.held_because == ("The customer sent a file that a person has to look at.",)


def test_a_wish_for_a_person_may_be_ignored_by_the_workspace() -> None:
    case = replace(GOOD, triage=Triage(wants_human=True), settings=WorkspaceSettings(hold_wants_human=False))
    assert decide(case).route is Route.SEND


def test_all_rules_that_speak_are_named_in_their_order() -> None:
    case = replace(GOOD, triage=Triage(intent="refund", wants_human=True), version=2)
    assert decide(case).held_because == (
        "The customer asks for a person.",
        "The intent `refund` always needs a person.",
        "A person asked for this redraft.",
    )


def test_nothing_found_is_said_once_when_the_guard_or_a_failure_explains_it() -> None:
    held = GuardResult(action=GuardAction.HOLD, text="x")
    assert decide(replace(GOOD, guard=held, draft=Draft())).held_because == ("The guard stopped this message.",)
    assert decide(replace(GOOD, failure="It is down.", draft=Draft())).held_because == ("It is down.",)


def test_a_draft_of_the_audit_sample_is_marked() -> None:
    assert decide(replace(GOOD, settings=WorkspaceSettings(audit_rate=1.0))).audited
    assert not decide(GOOD).audited
