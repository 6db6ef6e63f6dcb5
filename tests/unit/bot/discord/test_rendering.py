"""Parts and nonces: the same delivery is recognised at every try."""

import discord

from bot.discord.replies.rendering import linked_title, nonce_of, shortened, sources_embed
from storage.records import Citation


def test_a_nonce_is_short_the_same_for_its_key_and_another_for_another() -> None:
    assert nonce_of("d1/0") == nonce_of("d1/0") != nonce_of("d1/1")
    assert len(nonce_of("d1/0")) <= 25


def test_a_text_of_just_the_length_is_not_cut() -> None:
    assert shortened(" abc ", 3) == "abc"
    assert shortened("abcd", 3) == "ab…"


def test_a_sources_address_cannot_end_the_link() -> None:
    citation = Citation(chunk_id="1", document_id="d", title="How [so]", text="So.", url="https://x.example/a_(b)")
    assert linked_title(citation) == "[How (so)](https://x.example/a_%28b%29)"


def test_a_passage_that_the_reply_repeats_is_not_shown_again() -> None:
    citation = Citation(chunk_id="1", document_id="d", title="How?", text="Press   reset.")
    shown: discord.Embed = sources_embed([citation, citation], "Well: Press reset. Done.")
    assert shown.description == "**How?**"
    assert sources_embed([citation], "Wait.").description == "**How?**\n> Press reset."
