"""Connection life cycle: one client after the other, each from its login to its end, with growing pauses between."""

import asyncio

import discord
import structlog

from bot.discord.channel import DiscordChannel
from bot.discord.commands import DiscordCommands, command_tree
from bot.discord.connection.client import DeskClient
from bot.discord.connection.leases import ShardLeases
from bot.discord.connection.shards import Shards
from bot.discord.connection.wiring import wire
from bot.discord.deps import DiscordDeps
from bot.discord.direct_messages import DirectMessageRouter
from bot.discord.directory import Directory
from bot.discord.errors import FAILURES, NotGrantedError
from bot.discord.forum_posts import ForumPosts
from bot.discord.reviews.card_messages import DiscordReviewCards
from bot.review_cards import ReviewCardSync

log = structlog.get_logger(__name__)

LOGIN_REFUSED = "DISCORD_BOT_TOKEN was refused by Discord: make a new one on the application's Bot page and set it"
NO_MESSAGE_CONTENT = (
    "Message Content is not granted: switch on Message Content Intent on the application's Bot page "
    "(Privileged Gateway Intents), then start again"
)
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
AUTHENTICATION_FAILED = 4004


async def stay_connected(deps: DiscordDeps, leases: ShardLeases, channel: DiscordChannel, token: str) -> None:
    """Connect again whenever the connection ends, with growing pauses; stop where only an admin can help."""
    pause = FIRST_PAUSE
    while True:
        deps.statuses.starting("discord")
        clock = asyncio.get_running_loop().time
        began = clock()
        try:
            await _connected(deps, leases, channel, token)
        except NotGrantedError as error:
            log.error("discord is off", reason=str(error))  # noqa: TRY400 - one clear line, no traceback
            deps.statuses.off("discord", str(error))
            return
        except FAILURES as error:
            log.warning("discord connection failed", error=error, again_in=pause)
            deps.statuses.disconnected("discord", f"Discord cannot be reached: {str(error) or type(error).__name__}")
        except Exception:  # the adapter's outermost edge: it says so and starts anew
            log.exception("the discord channel failed", again_in=pause)
            deps.statuses.disconnected("discord", "The Discord channel failed and starts again; see the log")
        await asyncio.sleep(pause)
        pause = FIRST_PAUSE if clock() - began > LONGEST_PAUSE else min(pause * 2, LONGEST_PAUSE)


async def _connected(deps: DiscordDeps, leases: ShardLeases, channel: DiscordChannel, token: str) -> None:
    """One client's life, from the login to its end."""
    client = DeskClient()
    try:
        await client.login(token)
        channel.client = client
        await _serve(deps, leases, channel, client)
    except discord.LoginFailure as error:
        raise NotGrantedError(LOGIN_REFUSED) from error
    except discord.PrivilegedIntentsRequired as error:
        raise NotGrantedError(NO_MESSAGE_CONTENT) from error
    except discord.ConnectionClosed as error:
        if error.code == AUTHENTICATION_FAILED:
            raise NotGrantedError(LOGIN_REFUSED) from error
        raise
    finally:
        channel.client = None
        await client.close()


async def _serve(deps: DiscordDeps, leases: ShardLeases, channel: DiscordChannel, client: DeskClient) -> None:
    """Wire the client and let it work until its connection or its lease ends."""
    directory = Directory(deps.store, deps.settings)
    direct_messages = DirectMessageRouter(client, deps.store, directory)
    posts = ForumPosts(client, deps.store, deps.desk, directory)
    wire(deps, channel, client, directory, direct_messages, posts)
    tree = command_tree(client, DiscordCommands(deps, channel, directory, direct_messages))
    shards, tags = Shards(leases), posts.loop()
    cards = ReviewCardSync(DiscordReviewCards(client), deps.store, deps.statuses)
    loops: list[asyncio.Task[None]] = []
    try:
        client.shard_ids = await shards.wait_for_first(await client.find_gateway())
        if 0 in client.shard_ids:
            await tree.sync()
        loops = [asyncio.create_task(cards.run()), asyncio.create_task(tags.run())]
        await _first_ended(*loops, asyncio.create_task(client.connect()), asyncio.create_task(shards.run(client)))
    finally:
        cards.close()
        tags.close()
        await client.finish()
        await asyncio.gather(*loops, return_exceptions=True)
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
