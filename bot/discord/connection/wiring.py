"""Wiring a client: who listens to its events and who handles its interactions."""

import discord

from bot.channel_status import ChannelStatusRegistry
from bot.discord.backfill import Backfill
from bot.discord.channel import DiscordChannel
from bot.discord.connection.client import DeskClient, Listeners
from bot.discord.deps import DiscordDeps
from bot.discord.direct_messages import DirectMessageRouter
from bot.discord.directory import Directory
from bot.discord.events import DiscordEvents
from bot.discord.forum_posts import ForumPosts
from bot.discord.interactions import Interactions
from bot.discord.read_cursors import DiscordReadCursors
from bot.discord.replies.actions import DiscordReplyActions
from bot.discord.reviews.actions import DiscordReviewActions
from bot.discord.routing import DiscordMessageRouter
from bot.reply_actions import ReplyActions
from storage.errors import UnboundTeamError


def wire(
    deps: DiscordDeps,
    channel: DiscordChannel,
    client: DeskClient,
    directory: Directory,
    direct_messages: DirectMessageRouter,
    posts: ForumPosts,
) -> None:
    """Give the client its listeners and the handlers of its interactions."""
    cursors = DiscordReadCursors(deps.store.channels.read_cursors)
    router = DiscordMessageRouter(client, deps.store.conversations.threads, directory, direct_messages)
    events = DiscordEvents(
        deps, client, channel, directory=directory, router=router, direct_messages=direct_messages, cursors=cursors
    )
    review_actions = DiscordReviewActions(deps.store, deps.desk, directory, deps.statuses)
    reply_actions = DiscordReplyActions(
        deps, ReplyActions(deps.store, deps.intake, deps.desk), channel, direct_messages
    )
    client.interactions = Interactions(
        reply_button=reply_actions.click,
        card_button=review_actions.click,
        team_button=events.team_chosen,
        form=review_actions.submit,
    )
    backfill = Backfill(deps.store, client, events, directory, direct_messages, cursors)
    client.listeners = _listeners(
        client, deps.statuses, events=events, backfill=backfill, directory=directory, cursors=cursors, posts=posts
    )


def _listeners(
    client: DeskClient,
    statuses: ChannelStatusRegistry,
    *,
    events: DiscordEvents,
    backfill: Backfill,
    directory: Directory,
    cursors: DiscordReadCursors,
    posts: ForumPosts,
) -> Listeners:
    async def guild_ready(guild: discord.Guild) -> None:
        try:
            await directory.register_staff_places(guild)
        except UnboundTeamError:
            await directory.tell_unbound(guild)
            return
        await backfill.guild(guild)

    return Listeners(
        message=events.message,
        edited=events.edited,
        deleted=events.deleted,
        thread_changed=posts.thread_changed,
        guild_ready=guild_ready,
        direct_ready=backfill.direct_messages,
        session=lambda shard_id: cursors.start_session(shard_id, client.shard_count or 1),
        connected=lambda: statuses.connected("discord"),
        disconnected=lambda: statuses.disconnected("discord"),
        failed=lambda why: statuses.failed("discord", why),
    )
