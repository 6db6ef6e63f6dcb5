"""The channels tab: how Slack, Discord and the web chat are, and who and where people are there; for admins."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import gradio as gr
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from storage.errors import DeskhandError, NotLoggedInError
from storage.records import Member
from storage.records.labels import CHANNEL_NAMES
from workbench.auth.sessions import Sessions
from workbench.channels import view as seen
from workbench.channels.actions import Change, home_of, perform
from workbench.channels.status_view import setups, states_html
from workbench.context import WorkbenchContext
from workbench.ui.partials import changed_parts
from workbench.ui.scripts import script

PAGE = Path(__file__).parent / "channels.html"
ServerFunction = Callable[[dict[str, Any], gr.Request], Awaitable[dict[str, Any]]]


class Glance(BaseModel):
    """What the browser shows already."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    seen: dict[str, str] = Field(default_factory=dict, max_length=16)
    """The key of each part as the browser has it: what did not change is not sent again."""


def build_channels(context: WorkbenchContext, sessions: Sessions) -> None:
    """A still skeleton whose script asks for news while the page is open, so that nothing typed is lost."""
    with gr.Column(elem_classes="dh-page"):
        gr.HTML(
            html_template=PAGE.read_text(encoding="utf-8"),
            js_on_load=script("ui/live", "channels/channels"),
            server_functions=[_looking(context, sessions), _acting(context, sessions)],
            apply_default_css=False,
            elem_id="dh-channels-root",
        )


def _looking(context: WorkbenchContext, sessions: Sessions) -> ServerFunction:
    async def look(asked: dict[str, Any], request: gr.Request) -> dict[str, Any]:
        try:
            admin = await sessions.admin(request)
            return changed_parts(await parts(context, admin), Glance.model_validate(asked).seen)
        except NotLoggedInError:
            return {"login": True}
        except (DeskhandError, ValidationError) as error:
            return {"error": _told(error)}

    return look


def _acting(context: WorkbenchContext, sessions: Sessions) -> ServerFunction:
    async def act(asked: dict[str, Any], request: gr.Request) -> dict[str, Any]:
        try:
            admin = await sessions.admin(request)
            changed = await perform(context, admin, Change.model_validate(asked))
        except NotLoggedInError:
            return {"login": True}
        except (DeskhandError, ValidationError) as error:
            return {"text": _told(error), "ok": False}
        return {"text": changed.text, "ok": True, "url": changed.url}

    return act


def _told(error: DeskhandError | ValidationError) -> str:
    return error.detail if isinstance(error, DeskhandError) else "This page is older than the desk: load it again."


async def parts(context: WorkbenchContext, admin: Member) -> dict[str, str]:
    """Everything on the page that may change, as HTML by the name of its place."""
    store, workspace_id = context.store, admin.workspace_id
    settings = (await store.accounts.workspaces.read(workspace_id)).settings
    modes = {name: settings.mode_of(name) for name in CHANNEL_NAMES}
    discord_is_ours = await home_of(context, "discord", "") == workspace_id
    return {
        "states": states_html(
            context.channel_states(), setups(context.settings), modes, f"/chat?workspace={workspace_id}"
        ),
        "places": seen.places_html(
            await store.channels.places.all(workspace_id),
            context.settings.discord.support_channels if discord_is_ours else (),
        ),
        "people": seen.people_html(await store.channels.identities.all(workspace_id)),
        "teams": seen.teams_html(
            await store.channels.installations.listed(workspace_id), may_invite=context.slack_invitation is not None
        ),
        "choices": seen.choices_html(await store.accounts.members.all(workspace_id)),
    }
