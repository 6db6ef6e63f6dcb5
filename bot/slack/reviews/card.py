"""What reviewers see: a review as a card, its dialogs, and what became of it."""

import json
from typing import Any

from bot.slack.blocks import (
    Block,
    button,
    buttons,
    context,
    section,
    sections,
    source_link,
)
from bot.slack.mrkdwn import escape_mrkdwn
from bot.text import split
from storage.records import DecisionKind, Review, ReviewStatus
from storage.records.labels import CHANNEL_PHRASES, DECISION_LABELS

MAX_INPUT = 3000
"""Characters that Slack takes in a text input (docs.slack.dev/reference/block-kit/block-elements)."""
MAX_QUESTION, MAX_REMINDER = 1500, 500
AS_MARKDOWN = "The customer gets exactly this. Markdown works: **bold**, lists, links."
UNSEEN = "The customer does not see this."


def card_blocks(review: Review, overtaken: str = "") -> list[Block]:
    """The whole card: with buttons while the review waits, with who did what afterwards."""
    blocks = [asked(review)]
    if review.draft.text.strip():
        title = "*Draft*" if review.version == 1 else f"*Draft, version {review.version}*"
        blocks += [section(title), *sections(review.draft.text)[:6]]
    else:
        blocks.append(section("_There is no draft: edit to write the reply, or take over._"))
    blocks.append(context(*_evidence(review)))
    return [*blocks, *(_waiting(review) if review.status is ReviewStatus.PENDING else _over(review, overtaken))]


def asked(review: Review, most: int = MAX_QUESTION) -> Block:
    """Who asks where, in their own words."""
    words = (split(review.question, most) or ["(no text)"])[0]
    quote = "\n".join(f"> {line}" for line in escape_mrkdwn(words).splitlines())
    who = escape_mrkdwn(review.customer_name or "A customer")
    return section(f"*{who}* asks {CHANNEL_PHRASES[review.channel]}:\n{quote}")


def card_text(review: Review) -> str:
    """What the notification of a card says."""
    return f"Review: {escape_mrkdwn(review.customer_name or 'A customer')} asks: {escape_mrkdwn(review.question[:150])}"


def edit_modal(review: Review, version: int) -> Block:
    """The draft to be changed and sent."""
    return _modal(
        "card_edited",
        "Edit the reply",
        "Send",
        review,
        version,
        label="Reply",
        hint=AS_MARKDOWN,
        initial=review.draft.text[:MAX_INPUT],
    )


def reject_modal(review: Review, version: int) -> Block:
    """What the next draft should do."""
    return _modal(
        "card_rejected",
        "Ask for a new draft",
        "Reject",
        review,
        version,
        label="What should the next draft do?",
        hint=UNSEEN,
    )


def submitted(view: dict[str, Any]) -> tuple[str, int, str]:
    """(review, version, text) of a submitted dialog."""
    kept = json.loads(view["private_metadata"])
    text = view["state"]["values"]["words"]["text"].get("value") or ""
    return kept["review"], kept["version"], text


def value_of(review: Review) -> str:
    """What a card's buttons carry: the version that the reviewer saw."""
    return f"{review.id}:{review.version}"


def _modal(
    callback: str, title: str, submit: str, review: Review, version: int, *, label: str, hint: str, initial: str = ""
) -> Block:
    words: Block = {"type": "plain_text_input", "action_id": "text", "multiline": True, "max_length": MAX_INPUT}
    if initial:
        words["initial_value"] = initial
    return {
        "type": "modal",
        "callback_id": callback,
        "private_metadata": json.dumps({"review": review.id, "version": version}),
        "title": {"type": "plain_text", "text": title},
        "submit": {"type": "plain_text", "text": submit},
        "close": {"type": "plain_text", "text": "Cancel"},
        "blocks": [
            asked(review, MAX_REMINDER),
            {
                "type": "input",
                "block_id": "words",
                "label": {"type": "plain_text", "text": label},
                "hint": {"type": "plain_text", "text": hint},
                "element": words,
            },
        ],
    }


def _evidence(review: Review) -> list[str]:
    lines = [f"Held: {escape_mrkdwn(' '.join(review.held_because) or 'a person has to look')}"]
    if review.draft.can_answer:
        reasons = "; ".join(review.draft.evidence.reasons[:3])
        lines.append(escape_mrkdwn(f"Confidence {review.draft.confidence:.0%}" + (f": {reasons}" if reasons else "")))
    if review.draft.citations:
        lines.append("Sources: " + " · ".join(map(source_link, review.draft.citations[:5])))
    return lines


def _waiting(review: Review) -> list[Block]:
    value, elements = value_of(review), []
    if review.draft.text.strip():
        elements.append(button("Approve", "card_approve", value, "primary"))
    elements += [
        button("Edit", "card_edit", value),
        button("Reject", "card_reject", value),
        button("Take over", "card_take_over", value, "danger"),
    ]
    return [buttons(f"card:{review.id}", elements)]


def _over(review: Review, overtaken: str) -> list[Block]:
    if review.decision is None:
        return [context(f"⏭️ {escape_mrkdwn(overtaken)}")]
    who, did = escape_mrkdwn(review.decision.member_name), DECISION_LABELS[review.decision.kind].verb
    shown = [context(f"✅ {who} {did}")]
    if review.decision.kind is DecisionKind.EDIT:
        shown = [section("*Sent instead*"), *sections(review.decision.text)[:6], *shown]
    if review.decision.kind is DecisionKind.REJECT:
        shown = [context(f"↩️ {who} {did}: {escape_mrkdwn(review.decision.guidance[:500])}")]
    return shown
