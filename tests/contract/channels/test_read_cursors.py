"""Up to when a server was read: the cursor never moves beyond what is still to be read."""

from datetime import UTC, datetime, timedelta

from bot.discord.read_cursors import DiscordReadCursors
from storage.store import Store

GUILD, SHARDS = 5 << 22, 2
START = datetime(2026, 1, 1, 12, tzinfo=UTC)


def later(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


async def test_the_cursor_follows_what_is_read_once_the_server_is_caught_up(store: Store) -> None:
    cursors = DiscordReadCursors(store.channels.read_cursors)
    await cursors.advance("demo", GUILD, later(1))
    assert await cursors.begin_backfill(GUILD) is None, "nothing was read yet"
    await cursors.caught_up("demo", GUILD, START)
    await cursors.advance("demo", GUILD, later(0.2))
    assert await store.channels.read_cursors.read_until("discord", str(GUILD)) == START, "not at every message"
    await cursors.advance("demo", GUILD, later(3))
    assert await store.channels.read_cursors.read_until("discord", str(GUILD)) == later(3)


async def test_what_a_fresh_session_reads_first_does_not_hide_what_was_missed(store: Store) -> None:
    cursors = DiscordReadCursors(store.channels.read_cursors)
    await cursors.caught_up("demo", GUILD, START)
    cursors.start_session(0, SHARDS)
    await cursors.advance("demo", GUILD, later(1))
    assert await store.channels.read_cursors.read_until("discord", str(GUILD)) == later(1), "another shard's session"
    cursors.start_session(1, SHARDS)
    await cursors.advance("demo", GUILD, later(60))
    assert await cursors.begin_backfill(GUILD) == later(1)
    await cursors.advance("demo", GUILD, later(61))
    assert await store.channels.read_cursors.read_until("discord", str(GUILD)) == later(1), "while it is being read"


async def test_what_could_not_be_handled_is_read_again_by_the_next_session(store: Store) -> None:
    cursors = DiscordReadCursors(store.channels.read_cursors)
    await cursors.caught_up("demo", GUILD, START)
    cursors.hold_back(GUILD)
    await cursors.advance("demo", GUILD, later(60))
    assert await cursors.begin_backfill(GUILD) == START


async def test_a_cursor_never_goes_back(store: Store) -> None:
    await store.channels.read_cursors.advance("demo", "discord", "1", later(5))
    await store.channels.read_cursors.advance("demo", "discord", "1", START)
    assert await store.channels.read_cursors.read_until("discord", "1") == later(5)
