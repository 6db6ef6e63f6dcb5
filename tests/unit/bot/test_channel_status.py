"""What a channel reports about its connection."""

from bot.channel_status import ChannelStatusRegistry


def test_a_channels_state_tells_since_when_and_what_went_wrong() -> None:
    states = ChannelStatusRegistry()
    assert not states.of("slack").is_on
    states.connected("slack")
    states.event("slack")
    states.disconnected("slack", "gone\naway")
    state = states.of("slack")
    assert (state.is_on, state.connected_since, state.last_error) == (True, None, "gone away")
    assert state.last_event_at
    states.connected("slack")
    assert states.of("slack").last_error == ""
    states.off("slack", "wrong token")
    assert states.all() == (states.of("slack"),)
