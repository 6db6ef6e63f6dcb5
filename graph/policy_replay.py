"""Backtesting: what policy would have made of a past draft under other settings."""

from collections.abc import Iterable, Sequence

from graph.drafting.authors import GUARD, NOT_GENERATED
from graph.guard.blocked_terms import find_blocked_term
from graph.guard.injection import cites_planted_instructions
from graph.guard.inspection import blocked_term_reason
from graph.guard.masking import mask
from graph.guard.sanitising import sanitise
from graph.policy import Case, decide
from storage.records import GuardAction, GuardResult, Verdict, WorkspaceSettings
from storage.reporting.past_drafts import PastDraft, ReplayedDraft


def replay_all(
    drafts: Sequence[PastDraft], settings: WorkspaceSettings, desk_terms: Iterable[str] = ()
) -> tuple[ReplayedDraft, ...]:
    """Replay each draft; blocking, some milliseconds each."""
    terms = tuple(desk_terms)
    return tuple(ReplayedDraft(past, replay(past, settings, terms)) for past in drafts)


def replay(past: PastDraft, settings: WorkspaceSettings, desk_terms: Iterable[str] = ()) -> Verdict:
    """What policy makes of the draft under these settings, at the moment at which it was made.

    `desk_terms` are the terms that the whole deployment blocks. What the guard takes for an injection is not judged
    again: such a message got no draft that could go out.
    """
    return decide(
        Case(
            turn_id=past.turn_id,
            channel=past.channel,
            settings=settings,
            guard=_guard_result(past, (*desk_terms, *settings.blocked_terms)),
            triage=past.triage,
            draft=past.draft,
            bot_turns=past.bot_turns,
            failure=model_failure_in(past.held_because),
            planted_instructions=past.draft.model not in NOT_GENERATED and cites_planted_instructions(past.draft),
            version=1,
            at=past.created_at,
            place_mode=past.place_mode,
            unread_files=past.unread_files,
        )
    )


def model_failure_in(reasons: Iterable[str]) -> str:
    """The sentence of the chat model's failure among the reasons, or "".

    A failure is kept nowhere else; its sentences speak of the chat model, and no other reason does.
    """
    return next((reason for reason in reasons if "chat model" in reason), "")


def _guard_result(past: PastDraft, terms: Iterable[str]) -> GuardResult:
    text = sanitise(past.question)
    masked = mask(text)
    if past.draft.model == GUARD:
        return GuardResult(action=GuardAction.REPLY, text=masked.text, masked=masked.originals)
    if term := find_blocked_term(text, terms):
        return GuardResult(action=GuardAction.HOLD, text=masked.text, reason=blocked_term_reason(term))
    return GuardResult(action=GuardAction.PASS, text=masked.text, masked=masked.originals)
