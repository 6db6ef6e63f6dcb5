"""A draft's evidence as HTML: why it was held, how confident the desk is, and the sources it rests on."""

from storage.records import Citation, Draft, Review
from workbench.ui.html import (
    chip,
    esc,
    markdown,
    plain_reason,
    relative_time,
    source_details,
)
from workbench.ui.labels import confidence_label


def held_html(review: Review) -> str:
    """Why a person must look, every reason."""
    reasons = (
        "".join(f"<li>{esc(plain_reason(reason))}</li>" for reason in review.held_because)
        or "<li>Held for review.</li>"
    )
    claimed = ""
    if review.claimed_by:
        claimed = f'<p class="dh-claimed">{esc(review.claimed_by)} is working on this.</p>'
    return f'<div class="dh-held"><b>Held</b> {relative_time(review.created_at)}<ul>{reasons}</ul>{claimed}</div>'


def evidence_html(review: Review) -> str:
    """Confidence with its reasons, the sources, and what else the customer would be offered."""
    draft = review.draft
    return _confidence(draft) + _sources(draft.citations) + _follow_ups(draft) + _triage(review)


def _confidence(draft: Draft) -> str:
    words, tone = confidence_label(draft)
    reasons = "".join(f"<li>{esc(reason)}</li>" for reason in draft.evidence.reasons)
    return (
        f'<section class="dh-confidence {tone}"><h3>{esc(words)} <span>{draft.confidence:.0%}</span></h3>'
        f'<div class="dh-meter"><i style="width:{draft.confidence:.0%}"></i></div>'
        f"{f'<ul>{reasons}</ul>' if reasons else ''}</section>"
    )


def _sources(citations: tuple[Citation, ...]) -> str:
    if not citations:
        nothing = "None: the draft rests on nothing in the knowledge."
        return f'<section><h3>Sources</h3><p class="dh-muted">{nothing}</p></section>'
    items = "".join(
        source_details(citation.title, markdown(citation.text), number)
        for number, citation in enumerate(citations, start=1)
    )
    return f"<section><h3>Sources</h3>{items}</section>"


def _follow_ups(draft: Draft) -> str:
    if not draft.follow_ups:
        return ""
    items = "".join(f"<li>{esc(question)}</li>" for question in draft.follow_ups)
    return f"<section><h3>Offered next</h3><ul>{items}</ul></section>"


def _triage(review: Review) -> str:
    triage = review.triage
    chips = [chip(triage.intent, title="Intent"), chip(f"Mood: {triage.sentiment}"), chip(triage.language.upper())]
    if triage.wants_human:
        chips.append(chip("Asks for a person", "warn"))
    source = "Taken word for word from the knowledge" if review.draft.model == "verbatim" else review.draft.model
    made = f'<span class="dh-muted">{esc(source)}</span>' if source else ""
    return f'<section class="dh-chips">{"".join(chips)}{made}</section>'
