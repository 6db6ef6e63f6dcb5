"""Replies within the limits of Block Kit."""

from bot.slack.blocks import button
from bot.slack.replies.rendering import reply_blocks, source_link
from storage.clock import now
from storage.records import Author, Citation, Draft, Message, Visibility
from tests.simulators.slack.methods import check_blocks


def test_a_reply_keeps_within_block_kits_limits() -> None:
    citations = tuple(
        Citation(chunk_id=str(n), document_id="d", title="How? " * 60, text="So. " * 900) for n in range(12)
    )
    draft = Draft(text="x", citations=citations, follow_ups=("What about this? " * 20,) * 3, can_answer=True)
    message = Message(
        id="m" * 32,
        workspace_id="demo",
        conversation_id="c" * 32,
        seq=1,
        author=Author.BOT,
        visibility=Visibility.PUBLIC,
        text="A < b. " * 2800,
        created_at=now(),
        draft=draft,
    )
    check_blocks(reply_blocks(message))
    assert len(button("x" * 99, "a", "v")["text"]["text"]) == 75


def test_a_source_with_an_address_is_a_link_and_another_is_its_title() -> None:
    linked = Citation(chunk_id="1", document_id="d", title="How <so> | why", text="So.", url="https://x.example/?a=1&b")
    assert source_link(linked) == "<https://x.example/?a=1&amp;b|How &lt;so&gt; | why>"
    assert source_link(linked.model_copy(update={"url": ""})) == "How &lt;so&gt; | why"
