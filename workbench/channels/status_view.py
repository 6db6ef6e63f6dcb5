"""Connection status as HTML: how each channel is, in plain words, with what to do."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from storage.records import ChannelName, ChannelState, Mode
from storage.records.labels import CHANNEL_NAMES
from storage.settings import Settings
from workbench.ui.html import chip, clock_time, esc

ADVICE_BY_ERROR = (
    (
        r"SLACK_BOT_TOKEN",
        "Copy the Bot User OAuth Token again (a new installation changes it), then start the desk again.",
    ),
    (
        r"SLACK_APP_TOKEN",
        "The app-level token needs `connections:write`, Socket Mode must be on; then start the desk again.",
    ),
    (r"DISCORD_BOT_TOKEN|Message Content", "Then start the desk again (docs/discord.md, steps 1 and 2)."),
    (r"not_in_channel|channel_not_found", "Invite the bot to that channel: /invite @Deskhand."),
    (r"missing_scope", "Install the Slack app again, so that it gets every scope of deploy/slack-manifest.yaml."),
    (r"(?i)permission|forbidden|missing access", "Give the bot the permissions of docs/discord.md, step 1, there too."),
    (
        r"cannot be reached|does not answer|connection was closed|answered 5",
        "Look at this machine's network and the platform's status page. The desk tries again by itself.",
    ),
    (r"asks to wait", "Nothing to do: the desk waits as long as it was asked to."),
)
DEFAULT_ADVICE = "The desk goes on by itself; the log says more."


@dataclass(frozen=True, slots=True)
class SetupGuide:
    """How a chat platform is set up."""

    missing: tuple[str, ...]
    """Environment variables that are not set here."""
    page: str
    """The page of docs/ that leads through it."""
    console: str
    """Where the app is made."""


def setup_guides(settings: Settings) -> dict[ChannelName, SetupGuide]:
    """What Slack and Discord still need, as far as this process's settings tell."""
    slack, discord = settings.slack, settings.discord
    token = slack.bot_token.get_secret_value() or (slack.client_id and slack.client_secret.get_secret_value())
    way_in = slack.app_token.get_secret_value() or slack.signing_secret.get_secret_value()
    wanted = (("SLACK_BOT_TOKEN", token), ("SLACK_APP_TOKEN", way_in))
    for_slack = tuple(name for name, value in wanted if not value)
    for_discord = () if discord.bot_token.get_secret_value() else ("DISCORD_BOT_TOKEN",)
    return {
        "slack": SetupGuide(for_slack, "docs/slack.md", "https://api.slack.com/apps"),
        "discord": SetupGuide(for_discord, "docs/discord.md", "https://discord.com/developers/applications"),
    }


def states_html(
    states: Sequence[ChannelState],
    guides: Mapping[ChannelName, SetupGuide],
    modes: Mapping[ChannelName, Mode],
    chat: str,
) -> str:
    """One box per channel; `modes` are the autopilot's, `chat` the web chat's address below this site's."""
    known = {state.channel: state for state in states}
    boxes = [
        _box(name, known.get(name, ChannelState(name)), guides[name], modes[name]) for name in ("slack", "discord")
    ]
    link = f'<a class="dh-link" href="{esc(chat)}" target="_blank">/{esc(chat)}</a>'
    body = f"<p>Customers write at {link}.</p>{_mode(modes['web'])}"
    return "".join((*boxes, _article("web", chip("On", "ok"), body)))


def _box(name: ChannelName, state: ChannelState, guide: SetupGuide, mode: Mode) -> str:
    if state.is_on or state.connected_since:
        status = chip("Connected", "ok") if state.connected_since else chip("Connecting …", "warn")
        return _article(name, status, _times(state) + _error(state) + _mode(mode))
    if state.last_error:
        return _article(name, chip("Off", "danger"), _error(state))
    return _article(name, chip("Not set up" if guide.missing else "Not running"), _steps(guide))


def _article(name: ChannelName, status: str, body: str) -> str:
    title = esc(CHANNEL_NAMES[name])
    return f'<article class="dh-box" data-state="{name}"><h3>{title} {status}</h3>{body}</article>'


def _times(state: ChannelState) -> str:
    connected = clock_time(state.connected_since) if state.connected_since else "not at the moment"
    heard = clock_time(state.last_event_at) if state.last_event_at else "none yet"
    rows = (("Connected since", connected), ("Last event", heard))
    return "<dl>" + "".join(f"<div><dt>{words}</dt><dd>{at}</dd></div>" for words, at in rows) + "</dl>"


def _error(state: ChannelState) -> str:
    if not state.last_error:
        return ""
    at = clock_time(state.last_error_at) if state.last_error_at else ""
    return f'<div class="dh-alert">{esc(state.last_error)}<p>{_code(advice_on(state.last_error))}</p>{at}</div>'


def advice_on(error: str) -> str:
    """What to do about an error, in one or two sentences."""
    return next((advice for pattern, advice in ADVICE_BY_ERROR if re.search(pattern, error)), DEFAULT_ADVICE)


def _mode(mode: Mode) -> str:
    return f'<p class="dh-muted">Autopilot: {esc(mode)}, set on the Autopilot page.</p>'


def _steps(guide: SetupGuide) -> str:
    page = f"<code>{esc(guide.page)}</code>"
    if not guide.missing:
        return (
            "<p>Its tokens are set, but no process has reported a connection. Run <code>deskhand up</code>, or beside "
            f"<code>deskhand web</code> also <code>deskhand bot</code>. See {page}.</p>"
        )
    names = " and ".join(f"<code>{esc(name)}</code>" for name in guide.missing)
    return (
        f"<ol><li>Make the app: <a class='dh-link' href='{esc(guide.console)}' target='_blank' rel='noreferrer'>"
        f"{esc(guide.console.removeprefix('https://'))}</a>; {page} leads through it, step 1.</li>"
        f"<li>Set {names} in the desk's environment.</li><li>Start the desk again.</li></ol>"
    )


def _code(text: str) -> str:
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", esc(text))
