"""Dependencies of the workbench and its REST interface: the one object that the composition root passes in."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry

from graph.desk import Desk
from storage.conversations.intake import Accepted
from storage.records import ChannelState, Incoming
from storage.settings import Settings
from storage.store import Store


@dataclass(frozen=True, slots=True)
class WorkbenchContext:
    """Where agents and admins work."""

    settings: Settings
    store: Store
    desk: Desk
    accept: Callable[[Incoming], Awaitable[Accepted]]
    """The way in for tickets: intake's, passed in so that the workbench need not know the channels."""
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    """What `/metrics` shows."""
    channel_states: Callable[[], tuple[ChannelState, ...]] = tuple
    """How the chat channels of this process are connected."""
    slack_install_link: Callable[[str], str] | None = None
    """Makes a link, good for a day, by which a Slack team joins this workspace; None: "Add to Slack" is not set up."""
    jobs_are_working: Callable[[], bool] | None = None
    """Whether this process takes jobs right now; None: that is left to others."""
