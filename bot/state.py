"""How the channels are connected, in this process's memory; the workbench shows it."""

from dataclasses import replace

from storage.audit import now
from storage.records import ChannelName, ChannelState

MAX_ERROR_LENGTH = 300


class ChannelStates:
    """What each channel reports about itself; `all` is what the workbench reads."""

    def __init__(self) -> None:
        self._states: dict[ChannelName, ChannelState] = {}

    def all(self) -> tuple[ChannelState, ...]:
        """The state of every channel that has reported, by name."""
        return tuple(self._states[name] for name in sorted(self._states))

    def of(self, channel: ChannelName) -> ChannelState:
        """One channel's state; off until it reports."""
        return self._states.get(channel, ChannelState(channel))

    def off(self, channel: ChannelName, why: str = "") -> None:
        """The channel is not running: its tokens are missing or wrong."""
        self._states[channel] = ChannelState(channel, last_error=_line(why), last_error_at=now() if why else None)

    def starting(self, channel: ChannelName) -> None:
        """The channel tries to connect."""
        self._states[channel] = replace(self.of(channel), is_on=True)

    def connected(self, channel: ChannelName) -> None:
        """The connection is up; earlier errors are over."""
        state = replace(self.of(channel), is_on=True, connected_since=now())
        self._states[channel] = replace(state, last_error="", last_error_at=None)

    def disconnected(self, channel: ChannelName, why: str = "") -> None:
        """The connection is lost; the channel tries again."""
        self._states[channel] = replace(self.of(channel), connected_since=None)
        if why:
            self.failed(channel, why)

    def event(self, channel: ChannelName) -> None:
        """Something arrived."""
        self._states[channel] = replace(self.of(channel), last_event_at=now())

    def failed(self, channel: ChannelName, why: str) -> None:
        """Something went wrong; the channel goes on."""
        self._states[channel] = replace(self.of(channel), last_error=_line(why), last_error_at=now())


def _line(text: str) -> str:
    return " ".join(text.split())[:MAX_ERROR_LENGTH]
