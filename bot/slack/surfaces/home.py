"""App Home: customers see their open conversations, staff the queue."""

from bot.slack.blocks import (
    SlackBlock,
    context,
    header,
    section,
)
from bot.slack.directory import SlackDirectory
from bot.slack.ids import user_key
from bot.slack.installations import SlackTeam
from bot.slack.reviews.card import card_blocks
from bot.slack.surfaces.command import link_to, status_words
from bot.text import pluralise
from storage.records import ReviewStatus
from storage.store import Store

MAX_ITEMS = 10


class SlackHome:
    """Publishes the view of the Home tab."""

    def __init__(self, store: Store, directory: SlackDirectory) -> None:
        self._store = store
        self._directory = directory

    async def publish(self, team: SlackTeam, user: str) -> None:
        """Show this user their Home tab as it is now. Raises slack_sdk's errors."""
        staff = await self._directory.member(team, user) is not None
        blocks = await self._queue(team) if staff else await self._own_conversations(team, user)
        await team.client.views_publish(user_id=user, view={"type": "home", "blocks": blocks[:100]})

    async def _own_conversations(self, team: SlackTeam, user: str) -> list[SlackBlock]:
        mine = await self._store.conversations.threads.of_customer(team.workspace_id, "slack", user_key(team.id, user))
        if not mine:
            return [
                section("*You have no open conversations.*\nWrite to me here in *Messages*, or mention me anywhere.")
            ]
        blocks = [header("Your conversations")]
        for item in mine[:MAX_ITEMS]:
            blocks += [section(link_to(team, item)), context(status_words(item))]
        return blocks

    async def _queue(self, team: SlackTeam) -> list[SlackBlock]:
        page = await self._store.conversations.reviews.page(team.workspace_id, ReviewStatus.PENDING, limit=MAX_ITEMS)
        if not page.items:
            return [section("*Nothing waits for you.*"), context("New drafts that need a person appear here.")]
        waiting = pluralise(len(page.items), "draft waits for you", "drafts wait for you")
        blocks = [
            header(waiting if not page.next else f"More than {MAX_ITEMS} drafts wait for you; here are the first")
        ]
        for review in page.items:
            blocks += [{"type": "divider"}, *card_blocks(review)]
        return blocks
