"""Status registry: how the channels are connected, here and in the other processes; the workbench shows it."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from storage.clock import now
from storage.records import ChannelName, ChannelState

MAX_STATUS_ERROR_LENGTH = 300


class ChannelStatusRegistry:
    """What each channel of this process reports about itself; `all` is what the workbench reads."""

    def __init__(self) -> None:
        self._states: dict[ChannelName, ChannelState] = {}
        self._elsewhere: tuple[ChannelState, ...] = ()

    def all(self) -> tuple[ChannelState, ...]:
        """The state of every channel that has reported in any process, by name."""
        reported = (*self.own(), *self._elsewhere)
        names = sorted({state.channel for state in reported})
        return tuple(merged(state for state in reported if state.channel == name) for name in names)

    def own(self) -> tuple[ChannelState, ...]:
        """The state of every channel that has reported in this process."""
        return tuple(self._states.values())

    def update_elsewhere(self, elsewhere: tuple[ChannelState, ...]) -> None:
        """What the other processes say now."""
        self._elsewhere = elsewhere

    def of(self, channel: ChannelName) -> ChannelState:
        """One channel's state in this process; off until it reports."""
        return self._states.get(channel, ChannelState(channel))

    def off(self, channel: ChannelName, why: str = "") -> None:
        """The channel is not running: its tokens are missing or wrong."""
        self._states[channel] = ChannelState(channel, last_error=_one_line(why), last_error_at=now() if why else None)

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
        self._states[channel] = replace(self.of(channel), last_error=_one_line(why), last_error_at=now())


def merged(states: Iterable[ChannelState]) -> ChannelState:
    """One channel's state over all processes: it is connected if one of them is; the newest error counts."""
    reported = tuple(states)
    failed = max(reported, key=lambda state: state.last_error_at.timestamp() if state.last_error_at else 0.0)
    return replace(
        failed,
        is_on=any(state.is_on for state in reported),
        connected_since=min(_not_none(state.connected_since for state in reported), default=None),
        last_event_at=max(_not_none(state.last_event_at for state in reported), default=None),
    )


def _not_none(times: Iterable[datetime | None]) -> list[datetime]:
    return [time for time in times if time is not None]


def _one_line(text: str) -> str:
    return " ".join(text.split())[:MAX_STATUS_ERROR_LENGTH]
