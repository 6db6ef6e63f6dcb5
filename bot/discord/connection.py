"""Discord's connection: one client after the other, each from its login to its end."""

import asyncio
from dataclasses import dataclass

import discord
import structlog

from bot.channel_status import ChannelStatusRegistry
from bot.discord.backfill import Backfill
from bot.discord.channel import DiscordChannel
from bot.discord.client import DeskClient, Listeners
from bot.discord.commands import Commands, command_tree
from bot.discord.direct_messages import DirectMessageRouter
from bot.discord.directory import Directory
from bot.discord.errors import FAILURES, NotGrantedError
from bot.discord.forum_posts import ForumPosts
from bot.discord.read_cursors import DiscordReadCursors
from bot.discord.replies.actions import DiscordReplyActions
from bot.discord.reviews.actions import DiscordReviewActions
from bot.discord.reviews.card_messages import DiscordReviewCards
from bot.discord.routing import DiscordMessageRouter, Ears
from bot.discord.shards import ShardLeases, Shards
from bot.intake import Intake
from bot.review_cards import ReviewCardSync
from bot.typing_indicator import TypingIndicators
from graph.desk import Desk
from storage.settings import DiscordSettings
from storage.store import Store

log = structlog.get_logger(__name__)

REFUSED = "DISCORD_BOT_TOKEN was refused by Discord: make a new one on the application's Bot page and set it"
NO_CONTENT = (
    "Message Content is not granted: switch on Message Content Intent on the application's Bot page "
    "(Privileged Gateway Intents), then start again"
)
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
AUTHENTICATION_FAILED = 4004


@dataclass(frozen=True, slots=True)
class House:
    """What the Discord channel is connected to."""

    settings: DiscordSettings
    store: Store
    intake: Intake
    desk: Desk
    states: ChannelStatusRegistry
    signs: TypingIndicators
    leases: ShardLeases


async def stay_connected(house: House, channel: DiscordChannel, token: str) -> None:
    """Connect again whenever the connection ends, with growing pauses; stop where only an admin can help."""
    pause = FIRST_PAUSE
    while True:
        house.states.starting("discord")
        clock = asyncio.get_running_loop().time
        began = clock()
        try:
            await _connected(house, channel, token)
        except NotGrantedError as error:
            log.error("discord is off", reason=str(error))  # noqa: TRY400 - one clear line, no traceback
            house.states.off("discord", str(error))
            return
        except FAILURES as error:
            log.warning("discord connection failed", error=error, again_in=pause)
            house.states.disconnected("discord", f"Discord cannot be reached: {str(error) or type(error).__name__}")
        except Exception:  # the adapter's outermost edge: it says so and starts anew
            log.exception("the discord channel failed", again_in=pause)
            house.states.disconnected("discord", "The Discord channel failed and starts again; see the log")
        await asyncio.sleep(pause)
        pause = FIRST_PAUSE if clock() - began > LONGEST_PAUSE else min(pause * 2, LONGEST_PAUSE)


async def _connected(house: House, channel: DiscordChannel, token: str) -> None:
    """One client's life, from the login to its end."""
    client = DeskClient()
    try:
        await client.login(token)
        channel.client = client
        await _serve(house, channel, client)
    except discord.LoginFailure as error:
        raise NotGrantedError(REFUSED) from error
    except discord.PrivilegedIntentsRequired as error:
        raise NotGrantedError(NO_CONTENT) from error
    except discord.ConnectionClosed as error:
        if error.code == AUTHENTICATION_FAILED:
            raise NotGrantedError(REFUSED) from error
        raise
    finally:
        channel.client = None
        await client.close()


async def _serve(house: House, channel: DiscordChannel, client: DeskClient) -> None:
    directory = Directory(house.store, house.settings)
    ears = Ears(
        client,
        house.store,
        house.intake,
        house.desk,
        directory,
        channel,
        house.signs,
        house.states,
        direct=DirectMessageRouter(client, house.store, directory),
        marks=DiscordReadCursors(house.store.channels.read_cursors),
    )
    hearing = DiscordMessageRouter(ears)
    decisions = DiscordReviewActions(house.store, house.desk, directory, house.states)
    posts = ForumPosts(client, house.store, house.desk, directory)
    client.listeners = _listeners(ears, hearing, decisions, posts)
    client.clicks, client.decides, client.chooses = DiscordReplyActions(ears), decisions, hearing
    tree = command_tree(client, Commands(ears))
    shards, tags = Shards(house.leases), posts.loop()
    cards = ReviewCardSync(DiscordReviewCards(client), house.store, house.states)
    periodic_tasks: list[asyncio.Task[None]] = []
    try:
        client.shard_ids = await shards.first(await client.find_gateway())
        if 0 in client.shard_ids:
            await tree.sync()
        periodic_tasks = [asyncio.create_task(cards.run()), asyncio.create_task(tags.run())]
        await _first_ended(
            *periodic_tasks, asyncio.create_task(client.connect()), asyncio.create_task(shards.run(client))
        )
    finally:
        cards.close()
        tags.close()
        await client.finish()
        await asyncio.gather(*periodic_tasks, return_exceptions=True)
        await shards.close()


async def _first_ended(*tasks: asyncio.Task[None]) -> None:
    """Wait until one of them ends; raises what it raised. The last two hold no query and are cancelled."""
    try:
        ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks[-2:]:
            task.cancel()
        await asyncio.gather(*tasks[-2:], return_exceptions=True)
    for task in ended:
        task.result()


def _listeners(
    ears: Ears, hearing: DiscordMessageRouter, decisions: DiscordReviewActions, posts: ForumPosts
) -> Listeners:
    catch_up = Backfill(ears, hearing, ears.direct)

    async def guild_ready(guild: discord.Guild) -> None:
        await ears.directory.keep_staff_places(guild)
        await catch_up.guild(guild)

    return Listeners(
        message=hearing.heard,
        edited=hearing.edited,
        deleted=hearing.deleted,
        thread_changed=posts.thread_changed,
        guild_ready=guild_ready,
        direct_ready=catch_up.direct,
        form=decisions.form_sent,
        session=lambda shard_id: ears.marks.stop(shard_id, ears.client.shard_count or 1),
        connected=lambda: ears.states.connected("discord"),
        disconnected=lambda: ears.states.disconnected("discord"),
        failed=lambda why: ears.states.failed("discord", why),
    )
