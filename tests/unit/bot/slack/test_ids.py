"""How Slack's threads are named in our rows."""

from bot.slack.ids import SlackThread


def test_a_threads_name_can_be_read_again() -> None:
    for thread in (SlackThread("T1", "C1", "1.2"), SlackThread("T1", "D1")):
        assert SlackThread.parse(str(thread)) == thread
