"""People: the members of a workspace and its customers."""

from dataclasses import dataclass

from storage.records.channel import ChannelName
from storage.records.enums import Role


@dataclass(frozen=True, slots=True)
class Member:
    """A person with a login in one workspace."""

    id: str
    workspace_id: str
    email: str
    name: str
    role: Role


@dataclass(frozen=True, slots=True)
class Customer:
    """An end user, known by (workspace, channel, external id)."""

    id: str
    workspace_id: str
    channel: ChannelName
    external_id: str
    name: str
    email: str | None
