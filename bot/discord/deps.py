"""Dependencies: what every part of the Discord channel may use, whichever client is connected."""

from dataclasses import dataclass

from bot.channel_status import ChannelStatusRegistry
from bot.intake import Intake
from bot.typing_indicator import TypingIndicators
from graph.desk import Desk
from storage.settings import DiscordSettings
from storage.store import Store


@dataclass(frozen=True, slots=True)
class DiscordDeps:
    """The desk, as Discord sees it."""

    settings: DiscordSettings
    store: Store
    intake: Intake
    desk: Desk
    statuses: ChannelStatusRegistry
    typing: TypingIndicators
