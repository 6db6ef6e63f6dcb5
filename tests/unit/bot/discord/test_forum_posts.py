"""Which tags a forum post has for its conversation's status."""

import discord
import pytest

from bot.discord.forum_posts import MAX_TAGS, is_solved, tags_for
from storage.records import ConversationStatus

SOLVED, NEEDS_HUMAN, BILLING = (discord.ForumTag(name=name) for name in ("Solved", "needs-human", "Billing"))
AVAILABLE = (SOLVED, NEEDS_HUMAN, BILLING)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (ConversationStatus.OPEN, [BILLING]),
        (ConversationStatus.PENDING, [NEEDS_HUMAN, BILLING]),
        (ConversationStatus.ASSIGNED, [NEEDS_HUMAN, BILLING]),
        (ConversationStatus.RESOLVED, [SOLVED, BILLING]),
        (ConversationStatus.CLOSED, [SOLVED, BILLING]),
    ],
)
def test_the_status_has_its_tag_and_peoples_own_stay(
    status: ConversationStatus, expected: list[discord.ForumTag]
) -> None:
    for before in ([BILLING], [SOLVED, BILLING], [NEEDS_HUMAN, BILLING]):
        assert tags_for(status, AVAILABLE, before) == expected


def test_a_forum_without_the_tag_gets_none() -> None:
    assert tags_for(ConversationStatus.RESOLVED, (BILLING,), [BILLING]) == [BILLING]


def test_no_more_tags_than_discord_takes() -> None:
    own = [discord.ForumTag(name=f"own {number}") for number in range(MAX_TAGS)]
    assert tags_for(ConversationStatus.RESOLVED, AVAILABLE, own) == [SOLVED, *own[: MAX_TAGS - 1]]


def test_solved_is_known_by_either_name() -> None:
    assert is_solved([discord.ForumTag(name=" Resolved ")])
    assert not is_solved([BILLING, NEEDS_HUMAN])
