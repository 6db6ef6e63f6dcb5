"""Every deployment setting, read once: config.yaml, overridden by `DESKHAND_SECTION__KEY`, secrets by usual names."""

import difflib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, IPvAnyNetwork, SecretStr, ValidationError, model_validator
from pydantic_core import ErrorDetails

from storage.errors import SettingsError
from storage.records import Mode, Priority, Registration

PREFIX = "DESKHAND_"
DELIMITER = "__"

# Secrets and the database's address go by the names that people already use for them.
USUAL_NAMES = {
    "DATABASE_URL": ("database", "url"),
    "OPENAI_API_KEY": ("model", "api_key"),
    "SLACK_BOT_TOKEN": ("slack", "bot_token"),
    "SLACK_APP_TOKEN": ("slack", "app_token"),
    "SLACK_SIGNING_SECRET": ("slack", "signing_secret"),
    "DISCORD_BOT_TOKEN": ("discord", "bot_token"),
    "SLACK_CLIENT_ID": ("slack", "client_id"),
    "SLACK_CLIENT_SECRET": ("slack", "client_secret"),
    "DESKHAND_SECRET": ("web", "secret"),
    "DESKHAND_ENCRYPTION_KEY": ("web", "encryption_key"),
    "DESKHAND_ADMIN_PASSWORD": ("demo", "admin_password"),
    "DESKHAND_AGENT_PASSWORD": ("demo", "agent_password"),
}

Positive = Annotated[int, Field(gt=0)]
Seconds = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Limit = Annotated[int, Field(ge=0)]
Url = Annotated[str, Field(pattern=r"^(https?://.+)?$")]


class Section(BaseModel):
    """A section of config.yaml: unknown keys are refused by name."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


class DatabaseSettings(Section):
    """Where rows are kept."""

    url: str = ""
    """Empty: SQLite in the data folder. Otherwise `postgresql://…` or `sqlite:///…`."""


class ChromaSettings(Section):
    """Where vectors are kept."""

    url: Url = ""
    """Empty: in the data folder. Otherwise a Chroma server."""
    timeout_seconds: Annotated[float, Field(gt=0)] = 10.0
    """For one request to the server."""


class ModelSettings(Section):
    """The chat model."""

    provider: Literal["none", "openai"] = "none"
    name: str = "gpt-5-mini"
    base_url: Url = ""
    timeout_seconds: Annotated[float, Field(gt=0)] = 30.0
    retries: Annotated[int, Field(ge=0, le=10)] = 2
    structure: Literal["auto", "json_schema", "function_calling", "json_mode"] = "auto"
    api_key: SecretStr = SecretStr("")


class EmbeddingsSettings(Section):
    """The embedding model."""

    provider: Literal["local", "openai"] = "local"
    model: str = "all-MiniLM-L6-v2"
    base_url: Url = ""
    threads: Annotated[int, Field(ge=0)] = 2
    """0: one per core."""


class SlackSettings(Section):
    """The Slack channel; off without tokens."""

    api_url: Url = "https://slack.com/api/"
    bot_token: SecretStr = SecretStr("")
    app_token: SecretStr = SecretStr("")
    signing_secret: SecretStr = SecretStr("")
    client_id: str = ""
    client_secret: SecretStr = SecretStr("")
    """With client_id: "Add to Slack" for several teams."""
    workspace: str = ""
    """The workspace of the team whose SLACK_BOT_TOKEN is set; empty: the home workspace."""
    together_seconds: Seconds = 120.0
    """Top-level messages of one person within this time of each other are one conversation."""


class DiscordSettings(Section):
    """The Discord channel; off without a token."""

    api_url: Url = "https://discord.com/api/v10"
    bot_token: SecretStr = SecretStr("")
    workspace: str = ""
    """The workspace of servers that are bound to none, and of direct messages; empty: the home workspace."""
    staff_roles: tuple[int, ...] = ()
    """Ids of the roles whose people are agents here."""
    support_channels: tuple[int, ...] = ()
    """Ids of forum and text channels where every message is for the desk; the workbench adds more."""
    staff_channels: tuple[int, ...] = ()
    """Ids of channels where reviews are posted as cards; the workbench adds more."""


class WebSettings(Section):
    """The workbench, the web chat and the REST interface."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 7860
    secret: SecretStr = SecretStr("")
    """Signs logins. Empty: made at random and kept in the data folder."""
    encryption_key: SecretStr = SecretStr("")
    """Encrypts the tokens of chat platforms at rest. Empty: `secret` does."""
    public_url: Url = ""
    """Where people's browsers find this desk, for links and "Add to Slack"; empty: none are made."""
    root_path: Annotated[str, Field(pattern=r"^(/[A-Za-z0-9._~-]+)*$")] = ""
    """The path below which a proxy serves this desk, such as `/desk`; empty: at the root of its host."""
    trusted_proxies: tuple[IPvAnyNetwork, ...] = ()
    """Addresses and networks whose word for a client's address and for https is believed."""
    session_hours: Positive = 12
    login_attempts: Positive = 10
    """Failed logins per address and e-mail within five minutes."""
    max_upload_mb: Positive = 20
    messages_per_minute: Annotated[int, Field(ge=0)] = 120
    """Customer messages per client address; 0: no limit."""
    conversations_per_minute: Annotated[int, Field(ge=0)] = 30
    """New conversations per client address; 0: no limit."""
    listeners: Positive = 1000
    """Event streams, and requests that wait for a reply, at once in one process."""
    connections: Positive = 4096
    """Open connections of one process; who comes when there are as many gets 503."""
    header_seconds: Annotated[float, Field(gt=0)] = 10.0
    """For the headers of a request."""
    body_seconds: Annotated[float, Field(gt=0)] = 30.0
    """For the body of a request; each 10,000 bytes give it another second."""


class AccessSettings(Section):
    """Who may found a workspace."""

    registration: Registration = Registration.FIRST
    """first: while there is no admin at all | invitation: with a link made by an operator | open: everybody."""


class WorkerSettings(Section):
    """`deskhand worker`, one of several processes."""

    port: Annotated[int, Field(ge=1, le=65535)] = 7861
    """Where it says how it is (`/health`, `/metrics`), on `web.host`."""


class BotSettings(Section):
    """`deskhand bot`, one of several processes."""

    port: Annotated[int, Field(ge=1, le=65535)] = 7862
    """Where it says how it is (`/health`, `/metrics`), on `web.host`."""


class ConversationSettings(Section):
    """How messages are gathered into turns."""

    gather_seconds: Seconds = 1.5
    busy_seconds: Seconds = 30.0
    """How late the desk may be before who writes is told that it has a lot to do; 0: nobody is told."""
    history_messages: Positive = 12
    close_after_days: Positive = 14
    sla_minutes: Annotated[int, Field(ge=0)] = 60
    """0: no reminders."""


class LimitsSettings(Section):
    """How much may be written; what is more is kept and answered later. 0: no limit."""

    customer_per_minute: Limit = 20
    customer_per_hour: Limit = 300
    workspace_per_minute: Limit = 600
    longest_wait_seconds: Seconds = 600.0
    """What would have to wait for longer is refused."""


class GuardSettings(Section):
    """What the guard lets through."""

    max_characters: Positive = 2000
    blocked_terms: tuple[str, ...] = ()


class AutopilotSettings(Section):
    """What a new workspace starts with."""

    mode: Mode = Mode.AUTO
    threshold: Share = 0.65
    target_error: Annotated[float, Field(gt=0, lt=1)] = 0.02
    audit_rate: Share = 0.0
    max_bot_turns: Positive = 10
    hold_intents: tuple[str, ...] = ("complaint", "refund")
    hold_priorities: tuple[Priority, ...] = (Priority.HIGH,)


class JobsSettings(Section):
    """The jobs of this process."""

    concurrency: Positive = 8
    max_attempts: Positive = 5
    delivery_attempts: Positive = 40
    """A platform that is away for half an hour loses no reply."""
    retry_seconds: Annotated[float, Field(gt=0)] = 1.0
    """The first pause before a retry; it doubles up to a minute."""
    reconcile_seconds: Positive = 20
    silent_seconds: Annotated[float, Field(gt=0)] = 20.0
    """A worker's heartbeat comes four times within it."""
    keep_failed_days: Positive = 7


class LogSettings(Section):
    """What this process writes about itself."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["text", "json"] = "text"


class DemoSettings(Section):
    """The demo workspace of `make run`."""

    admin_password: SecretStr = SecretStr("")
    agent_password: SecretStr = SecretStr("")


class Settings(Section):
    """The whole configuration, typed and validated."""

    data_dir: Path = Path("data")
    database: DatabaseSettings = DatabaseSettings()
    chroma: ChromaSettings = ChromaSettings()
    model: ModelSettings = ModelSettings()
    embeddings: EmbeddingsSettings = EmbeddingsSettings()
    slack: SlackSettings = SlackSettings()
    discord: DiscordSettings = DiscordSettings()
    web: WebSettings = WebSettings()
    access: AccessSettings = AccessSettings()
    worker: WorkerSettings = WorkerSettings()
    bot: BotSettings = BotSettings()
    conversation: ConversationSettings = ConversationSettings()
    limits: LimitsSettings = LimitsSettings()
    guard: GuardSettings = GuardSettings()
    autopilot: AutopilotSettings = AutopilotSettings()
    jobs: JobsSettings = JobsSettings()
    log: LogSettings = LogSettings()
    demo: DemoSettings = DemoSettings()

    @property
    def database_url(self) -> str:
        """The rows' address with SQLAlchemy's async driver in it."""
        url = self.database.url or f"sqlite:///{self.data_dir.resolve() / 'deskhand.db'}"
        for plain, driver in (("postgresql://", "postgresql+psycopg://"), ("sqlite://", "sqlite+aiosqlite://")):
            if url.startswith(plain):
                return driver + url.removeprefix(plain)
        return url

    @model_validator(mode="after")
    def _known_database(self) -> Self:
        if not self.database_url.startswith(("postgresql+psycopg://", "sqlite+aiosqlite://")):
            raise ValueError("database.url: use postgresql://… or sqlite:///…, or leave it empty")
        return self


def load_settings(path: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Read config.yaml (an absent file means the defaults) and the environment.

    Raises SettingsError, which names the first key that is unknown or invalid and says what is expected.
    """
    environ = os.environ if environ is None else environ
    explicit = path is not None or "DESKHAND_CONFIG" in environ
    source = path or Path(environ.get("DESKHAND_CONFIG", "config.yaml"))
    if explicit and not source.is_file():
        raise SettingsError(f"{source}: no such configuration file")
    values = _read_yaml(source) if source.is_file() else {}
    for section_key, text in _overrides(environ):
        _put(values, section_key, text)
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise SettingsError(_explain(error.errors()[0], source.name)) from error


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SettingsError(f"{path.name} cannot be read: {' '.join(str(error).split())}") from error
    if not isinstance(values, dict):
        raise SettingsError(f"{path.name}: expected sections such as `web:` at the top level")
    return {key: {} if value is None and key != "data_dir" else value for key, value in values.items()}


def _overrides(environ: Mapping[str, str]) -> Iterator[tuple[tuple[str, ...], str]]:
    for name, text in environ.items():
        if name in USUAL_NAMES:
            yield USUAL_NAMES[name], text
        elif name == f"{PREFIX}DATA_DIR":
            yield ("data_dir",), text
        elif name.startswith(PREFIX) and DELIMITER in name:
            yield tuple(name.removeprefix(PREFIX).lower().split(DELIMITER)), text


def _put(values: dict[str, Any], key: tuple[str, ...], text: str) -> None:
    *sections, last = key
    for section in sections:
        inner = values.setdefault(section, {})
        if not isinstance(inner, dict):
            raise SettingsError(f"{PREFIX}{DELIMITER.join(key).upper()}: `{section}` is not a section")
        values = inner
    values[last] = _from_text(text)


def _from_text(text: str) -> Any:
    """A list or mapping is written as YAML (`[a, b]`); anything else stays text for the model to convert."""
    if text[:1] not in "[{" or not text:
        return text
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return text


def _explain(error: ErrorDetails, source: str) -> str:
    key = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        near = difflib.get_close_matches(key, known_keys(), n=1)
        hint = f"; did you mean `{near[0]}`?" if near else f"; see the keys in {source}"
        return f"unknown setting `{key}`{hint}"
    if error["type"] == "value_error" and not key:
        return str(error["msg"]).removeprefix("Value error, ")
    # The value itself is not repeated: it may be a secret.
    return f"setting `{key}`: {error['msg'][0].lower()}{error['msg'][1:]}"


def known_keys() -> list[str]:
    """Every `section.key` and top-level key."""
    keys: list[str] = []
    for name, info in Settings.model_fields.items():
        keys.append(name)
        if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel):
            keys += [f"{name}.{inner}" for inner in info.annotation.model_fields]
    return keys
