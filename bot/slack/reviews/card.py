"""Rendering review cards as Block Kit: the draft with its evidence, the dialogs of a decision, and the outcome."""

import json
from typing import Any

from bot.slack.blocks import (
    SlackBlock,
    button,
    buttons,
    context,
    section,
    sections,
)
from bot.slack.mrkdwn import escape_mrkdwn
from bot.slack.replies.rendering import source_link
from bot.text import split
from storage.records import DecisionKind, Review, ReviewStatus
from storage.records.labels import CHANNEL_PHRASES, DECISION_LABELS

MAX_MODAL_INPUT = 3000
"""Characters that Slack takes in a text input (docs.slack.dev/reference/block-kit/block-elements)."""
MAX_QUESTION, MAX_QUESTION_IN_MODAL = 1500, 500
REPLY_HINT = "The customer gets exactly this. Markdown works: **bold**, lists, links."
GUIDANCE_HINT = "The customer does not see this."


def card_blocks(review: Review, why_overtaken: str = "") -> list[SlackBlock]:
    """The whole card: with buttons while the review waits, with who did what afterwards."""
    blocks = [question_block(review)]
    if review.draft.text.strip():
        title = "*Draft*" if review.version == 1 else f"*Draft, version {review.version}*"
        blocks += [section(title), *sections(review.draft.text)[:6]]
    else:
        blocks.append(section("_There is no draft: edit to write the reply, or take over._"))
    blocks.append(context(*_evidence(review)))
    return [
        *blocks,
        *(
            _decision_buttons(review)
            if review.status is ReviewStatus.PENDING
            else _outcome_blocks(review, why_overtaken)
        ),
    ]


def question_block(review: Review, max_length: int = MAX_QUESTION) -> SlackBlock:
    """Who asks where, in their own words."""
    text = (split(review.question, max_length) or ["(no text)"])[0]
    quote = "\n".join(f"> {line}" for line in escape_mrkdwn(text).splitlines())
    who = escape_mrkdwn(review.customer_name or "A customer")
    return section(f"*{who}* asks {CHANNEL_PHRASES[review.channel]}:\n{quote}")


def card_text(review: Review) -> str:
    """What the notification of a card says."""
    return f"Review: {escape_mrkdwn(review.customer_name or 'A customer')} asks: {escape_mrkdwn(review.question[:150])}"


def edit_modal(review: Review, version: int) -> SlackBlock:
    """The draft to be changed and sent."""
    return _modal(
        "card_edited",
        "Edit the reply",
        "Send",
        review,
        version,
        label="Reply",
        hint=REPLY_HINT,
        initial=review.draft.text[:MAX_MODAL_INPUT],
    )


def reject_modal(review: Review, version: int) -> SlackBlock:
    """What the next draft should do."""
    return _modal(
        "card_rejected",
        "Ask for a new draft",
        "Reject",
        review,
        version,
        label="What should the next draft do?",
        hint=GUIDANCE_HINT,
    )


def submission_of(view: dict[str, Any]) -> tuple[str, int, str]:
    """(review, version, text) of a submission_of dialog."""
    metadata = json.loads(view["private_metadata"])
    text = view["state"]["values"]["words"]["text"].get("value") or ""
    return metadata["review"], metadata["version"], text


def button_value(review: Review) -> str:
    """What a card's buttons carry: the version that the reviewer saw."""
    return f"{review.id}:{review.version}"


def _modal(
    callback: str, title: str, submit: str, review: Review, version: int, *, label: str, hint: str, initial: str = ""
) -> SlackBlock:
    element: SlackBlock = {
        "type": "plain_text_input",
        "action_id": "text",
        "multiline": True,
        "max_length": MAX_MODAL_INPUT,
    }
    if initial:
        element["initial_value"] = initial
    return {
        "type": "modal",
        "callback_id": callback,
        "private_metadata": json.dumps({"review": review.id, "version": version}),
        "title": {"type": "plain_text", "text": title},
        "submit": {"type": "plain_text", "text": submit},
        "close": {"type": "plain_text", "text": "Cancel"},
        "blocks": [
            question_block(review, MAX_QUESTION_IN_MODAL),
            {
                "type": "input",
                "block_id": "words",
                "label": {"type": "plain_text", "text": label},
                "hint": {"type": "plain_text", "text": hint},
                "element": element,
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


def _decision_buttons(review: Review) -> list[SlackBlock]:
    value, elements = button_value(review), []
    if review.draft.text.strip():
        elements.append(button("Approve", "card_approve", value, "primary"))
    elements += [
        button("Edit", "card_edit", value),
        button("Reject", "card_reject", value),
        button("Take over", "card_take_over", value, "danger"),
    ]
    return [buttons(f"card:{review.id}", elements)]


def _outcome_blocks(review: Review, why_overtaken: str) -> list[SlackBlock]:
    if review.decision is None:
        return [context(f"⏭️ {escape_mrkdwn(why_overtaken)}")]
    who, did = escape_mrkdwn(review.decision.member_name), DECISION_LABELS[review.decision.kind].verb
    blocks = [context(f"✅ {who} {did}")]
    if review.decision.kind is DecisionKind.EDIT:
        blocks = [section("*Sent instead*"), *sections(review.decision.text)[:6], *blocks]
    if review.decision.kind is DecisionKind.REJECT:
        blocks = [context(f"↩️ {who} {did}: {escape_mrkdwn(review.decision.guidance[:500])}")]
    return blocks
