"""External ids: how Slack's teams, channels, threads and messages are named in our rows."""

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class SlackThread:
    """A thread of a Slack channel; with an empty `ts` the direct messages of one person, which need no thread."""

    team: str
    channel: str
    ts: str = ""

    def __str__(self) -> str:
        """The thread's name in the rows."""
        return f"{self.team}/{self.channel}/{self.ts}"

    @classmethod
    def parse(cls, key: str) -> Self:
        """The thread of a name from the rows."""
        team, channel, ts = key.split("/", 2)
        return cls(team, channel, ts)


def message_key(team: str, channel: str, ts: str) -> str:
    """A message's external id: the event that tells of it and the mention that tells of it give the same."""
    return f"{team}/{channel}/{ts}"


def user_key(team: str, user: str) -> str:
    """A person's external id: Slack promises that user ids are unique within a team only."""
    return f"{team}/{user}"
