"""The channels' setup as HTML: the places, the people, the teams."""

from collections.abc import Sequence

from storage.channels.identities import Identity
from storage.records import (
    ChannelName,
    Installation,
    Member,
    Mode,
    Place,
)
from storage.records.labels import CHANNEL_NAMES
from workbench.ui.html import (
    chip,
    empty_state,
    esc,
    table,
)

PLACE_MODES = (
    ("", "Mentions only"),
    (Mode.OFF, "Off: mentions go to people"),
    (Mode.SHADOW, "Shadow: drafts silently"),
    (Mode.DRAFT, "Draft: people release replies"),
    (Mode.AUTO, "Auto: sends what it is sure of"),
)
NO_TEAMS = (
    '<p class="dh-muted">None was added by a link. The team of SLACK_BOT_TOKEN, and servers that invited the Discord '
    "bot, need none.</p>"
)


def places_html(places: Sequence[Place], configured: Sequence[int] = ()) -> str:
    """The places with their modes; `configured` are Discord channels that config.yaml names."""
    known = {place.external_id for place in places if place.channel == "discord"}
    rows = [_place_row(place) for place in places]
    rows += [_configured_row(str(channel)) for channel in configured if str(channel) not in known]
    if not rows:
        return empty_state(
            "No places yet", "Add a support channel, where every message is heard, or your staff's channel."
        )
    return table(("Place", "Platform", "What happens there", "Staff", ""), rows, "dh-controls")


def _place_row(place: Place) -> tuple[str, ...]:
    name = place.name or place.external_id
    address = "/".join(filter(None, (place.team, place.external_id)))
    return (
        _named(place.channel, place.external_id, name, address),
        esc(CHANNEL_NAMES[place.channel]),
        _mode_picker(place, name),
        _staff_tick(place),
        _remove("remove_place", f"Remove {name}?", "The bot then answers there only when it is mentioned."),
    )


def _named(channel: ChannelName, external_id: str, name: str, detail: str) -> str:
    """The first cell of a row, by which the page's script finds what the row is about."""
    return (
        f'<span data-channel="{channel}" data-where="{esc(external_id)}"><b>{esc(name)}</b></span>'
        f'<div class="dh-muted">{esc(detail)}</div>'
    )


def _mode_picker(place: Place, name: str) -> str:
    options = "".join(
        f'<option value="{mode}"{" selected" if mode == (place.mode or "") else ""}>{words}</option>'
        for mode, words in PLACE_MODES
    )
    key = f"mode-{place.channel}-{place.external_id}"
    return (
        f'<select class="dh-select" data-mode data-key="{esc(key)}" aria-label="What happens in {esc(name)}">'
        f"{options}</select>"
    )


def _staff_tick(place: Place) -> str:
    key = f"staff-{place.channel}-{place.external_id}"
    checked = " checked" if place.is_staff else ""
    return (
        f'<label class="dh-tick"><input type="checkbox" data-staff data-key="{esc(key)}"{checked}> reviews come here'
        "</label>"
    )


def _configured_row(channel: str) -> tuple[str, ...]:
    return (
        f"<b>{esc(channel)}</b>",
        CHANNEL_NAMES["discord"],
        "Every message, as the Discord mode says",
        "",
        chip("config.yaml", title="discord.support_channels; add it here to give it a mode of its own"),
    )


def people_html(links: Sequence[Identity]) -> str:
    """Which member is which user."""
    if not links:
        return empty_state(
            "Nobody is linked yet", "Link members, so that they decide cards and take over where they chat."
        )
    return table(("Member", "Platform", "User", ""), [_link_row(link) for link in links], "dh-controls")


def _link_row(link: Identity) -> tuple[str, ...]:
    who = link.member
    return (
        _named(link.channel, link.external_id, who.name, who.email),
        esc(CHANNEL_NAMES[link.channel]),
        esc(link.external_id),
        _remove("unlink", f"Unlink {who.name}?", "This user is then a customer there like everybody else."),
    )


def teams_html(installed: Sequence[Installation], *, may_invite: bool) -> str:
    """The Slack teams and Discord servers of the workspace, and how to add one."""
    rows = [
        (f"<b>{esc(one.name or one.team)}</b>", esc(CHANNEL_NAMES[one.channel]), esc(one.team)) for one in installed
    ]
    listing = table(("Name", "Platform", "Id"), rows) if rows else NO_TEAMS
    if may_invite:
        return f'{listing}<button type="button" class="dh-button" data-do="invite">Make an “Add to Slack” link</button>'
    wanted = "<code>web.public_url</code>, <code>SLACK_CLIENT_ID</code> and <code>SLACK_CLIENT_SECRET</code>"
    return f'{listing}<p class="dh-muted">To let other Slack teams add the app, set {wanted}: docs/slack.md.</p>'


def choices_html(members: Sequence[Member]) -> str:
    """The options of the member to link, as a `<template>`."""
    options = "".join(
        f'<option value="{esc(member.id)}">{esc(member.name)} · {esc(member.email)}</option>' for member in members
    )
    return f"<template>{options}</template>"


def _remove(kind: str, title: str, text: str) -> str:
    return (
        f'<button type="button" class="dh-button quiet" data-remove="{kind}" data-title="{esc(title)}" '
        f'data-text="{esc(text)}">Remove</button>'
    )
