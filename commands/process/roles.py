"""Process roles: the whole desk in one process, or each role in any number of its own."""

from enum import StrEnum

from storage.errors import SettingsError
from storage.settings import Settings


class ProcessRole(StrEnum):
    """What a process does; the value is the command that starts it."""

    ALL = "up"
    WEB = "web"
    """The workbench, the web chat, REST and Slack's HTTP events; it enqueues jobs and does none."""
    WORKER = "worker"
    """The graph, documents, periodic tasks and replies on the web."""
    BOT = "bot"
    """Slack's sockets, Discord's gateway, the cards there, and what is delivered there."""

    @property
    def serves_pages(self) -> bool:
        """Whether people and platforms come in over HTTP."""
        return self in (ProcessRole.ALL, ProcessRole.WEB)

    @property
    def runs_graph(self) -> bool:
        """Whether it runs the graph and loads documents: it needs the models at once."""
        return self in (ProcessRole.ALL, ProcessRole.WORKER)

    @property
    def connects_platforms(self) -> bool:
        """Whether it keeps the connections to the chat platforms."""
        return self in (ProcessRole.ALL, ProcessRole.BOT)


def require_shared(settings: Settings, role: ProcessRole) -> None:
    """Raise SettingsError, which names all that is missing, unless other processes can share this desk's data."""
    missing = []
    if not settings.database_url.startswith("postgresql"):
        missing.append("DATABASE_URL to postgresql://… (every process shares it)")
    if not settings.chroma.url:
        missing.append("chroma.url (DESKHAND_CHROMA__URL) to a Chroma server")
    if not settings.web.secret.get_secret_value():
        missing.append("DESKHAND_SECRET to one long random text, the same for every process")
    if missing:
        raise SettingsError(
            f"`deskhand {role}` is one of several processes: set {'; '.join(missing)}. "
            "`deskhand up` runs everything in one process without them."
        )
