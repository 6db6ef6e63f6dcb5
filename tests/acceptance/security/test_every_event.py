"""Every Gradio event and server function, called by everybody who may not have it; a new one needs a case here."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import gradio as gr
import httpx
import pytest
from starlette.routing import Mount

from storage.records import new_id
from tests.support.intruders import SECRET, Scene, Visitor
from workbench.channels.actions import ChangeKind
from workbench.inbox.actions import ActionKind

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    # Gradio calls pandas so, now and then, to sum up its own queue.
    pytest.mark.filterwarnings("ignore:The copy keyword is deprecated"),
]
For = Literal["members", "admins", "nothing"]
"""Who may have an event; `nothing`: it shows or hides a part of the page and reads no row."""
EVENTS: dict[str, For] = {
    "build_header.<locals>.refresh": "members",
    "build_workbench.<locals>.show_admin_tabs": "members",
    "DocumentsPanel._pick": "members",
    "DocumentsPanel._refresh": "members",
    "DocumentsPanel._forget": "admins",
    "DocumentsPanel.__init__.<locals>.<lambda>": "nothing",
    "SearchPanel._search": "members",
    "build_analytics.<locals>.refresh": "members",
    "build_monitoring.<locals>.refresh": "members",
    "build_autopilot.<locals>.refresh": "admins",
    "build_autopilot.<locals>.save_settings": "admins",
    "build_autopilot.<locals>.preview_settings": "admins",
    "MembersForm._change_role": "admins",
    "MembersForm._ask_removal": "admins",
    "MembersForm._remove": "admins",
    "MembersForm._add": "admins",
    "MembersForm._reset_password": "admins",
    "MembersForm._build_removal.<locals>.<lambda>": "nothing",
    "CannedRepliesForm._save": "admins",
    "CannedRepliesForm._remove": "admins",
    "build_settings.<locals>.refresh": "admins",
}
SERVER_FUNCTIONS: dict[tuple[str, str], For] = {
    ("dh-inbox-root", "refresh"): "members",
    ("dh-inbox-root", "act"): "members",
    ("dh-channels-root", "refresh"): "admins",
    ("dh-channels-root", "act"): "admins",
}
ADMINS_ONLY = "Only admins may do this."


@dataclass(frozen=True, slots=True)
class Event:
    """One event as the page registers it."""

    index: int
    handler: str
    inputs: tuple[gr.blocks.Block, ...]

    def plain_data(self) -> list[Any]:
        """What the page would send untouched."""
        return [getattr(component, "value", None) for component in self.inputs]

    def hostile_data(self, scene: Scene) -> list[Any]:
        """The victim's ids wherever an id fits, and otherwise what the component takes."""
        return [_hostile_value(component, scene) for component in self.inputs]


def _hostile_value(component: gr.blocks.Block, scene: Scene) -> Any:
    match component:
        case gr.State():
            return scene.prey.document_id
        case gr.Dropdown(elem_id="dh-member"):
            return scene.prey.member_id
        case gr.Textbox():
            return "owner@victim.example"
        case _:
            return getattr(component, "value", None)


def blocks_of(scene: Scene) -> gr.Blocks:
    mounted = next(route.app for route in scene.served.site.routes if isinstance(route, Mount))
    assert isinstance(mounted, gr.routes.App)
    return mounted.get_blocks()


def events_of(scene: Scene) -> list[Event]:
    """The events as the page numbers them."""
    return [
        Event(index, function.fn.__qualname__, tuple(function.inputs))
        for index, function in blocks_of(scene).fns.items()
        if function.fn is not None
    ]


def server_functions_of(config: dict[str, Any]) -> Iterator[tuple[int, str, str]]:
    for component in config["components"]:
        for name in component["props"].get("server_fns") or ():
            yield component["id"], component["props"]["elem_id"], name


async def config_of(visitor: Visitor) -> dict[str, Any]:
    answer = await visitor.client.get("/config")
    assert answer.status_code == httpx.codes.OK
    return dict(answer.json())


async def test_every_event_and_server_function_has_a_case(scene: Scene) -> None:
    config = await config_of(scene.agent)
    events = events_of(scene)
    assert {event.handler for event in events} == set(EVENTS)
    assert [event.index for event in events] == [one["id"] for one in config["dependencies"]]
    assert {(elem_id, name) for _, elem_id, name in server_functions_of(config)} == set(SERVER_FUNCTIONS)


async def test_nobody_starts_an_event(scene: Scene) -> None:
    for event in events_of(scene):
        answer = await scene.nobody.join(event.index, event.hostile_data(scene), new_id())
        assert answer.status_code == httpx.codes.UNAUTHORIZED, event.handler


async def test_an_agent_is_refused_every_event_that_is_for_admins(scene: Scene) -> None:
    before = await scene.rows()
    for event in events_of(scene):
        if EVENTS[event.handler] == "admins":
            told = await scene.agent.event(event.index, event.plain_data())
            assert ADMINS_ONLY in told, event.handler
    assert await scene.rows() == before


async def test_an_admin_of_another_workspace_sees_and_changes_nothing_by_foreign_ids(scene: Scene) -> None:
    before = await scene.rows()
    for event in events_of(scene):
        clicked = {"id": scene.prey.document_id, "_data": {"id": scene.prey.document_id}}
        told = await scene.foreign.event(event.index, event.hostile_data(scene), event_data=clicked)
        assert told, event.handler
        assert SECRET not in told, event.handler
        assert "owner@victim.example" not in told or EVENTS[event.handler] == "admins", event.handler
    assert await scene.rows() == before


async def test_server_functions_are_for_those_whose_page_it_is_and_take_no_foreign_ids(scene: Scene) -> None:
    before = await scene.rows()
    prey = scene.prey
    row = {"conversation_id": prey.conversation_id, "review_id": prey.review_id, "version": 1, "text": "Hello."}
    asked: list[dict[str, Any]] = [
        {"selected": prey.conversation_id, "filter": {"show": "all"}},
        *({"kind": kind, "value": prey.member_id, **row} for kind in ActionKind),
        *({"kind": kind, "where": "U0123ABCD", "member_id": prey.member_id} for kind in ChangeKind),
    ]
    for component, elem_id, name in server_functions_of(await config_of(scene.agent)):
        for one in asked:
            nobody = await scene.nobody.call(component, name, one, new_id())
            assert nobody.status_code == httpx.codes.UNAUTHORIZED
            foreign = await scene.foreign.call(component, name, one, new_id())
            assert SECRET not in foreign.text, (elem_id, name, one)
            if SERVER_FUNCTIONS[elem_id, name] == "admins":
                agent = await scene.agent.call(component, name, one, new_id())
                assert ADMINS_ONLY in agent.text, (elem_id, name, one)
    assert await scene.rows() == before


async def test_a_page_session_is_its_members_alone(scene: Scene) -> None:
    search = next(event for event in events_of(scene) if event.handler == "DocumentsPanel._refresh")
    session = new_id()
    assert (await scene.victim.join(search.index, [None], session)).status_code == httpx.codes.OK
    foreign = scene.foreign.client
    assert (await foreign.get(f"/gradio_api/queue/data?session_hash={session}")).status_code == httpx.codes.FORBIDDEN
    assert (await foreign.get(f"/gradio_api/heartbeat/{session}")).status_code == httpx.codes.FORBIDDEN
    assert (await scene.foreign.join(search.index, [None], session)).status_code == httpx.codes.FORBIDDEN
    called = await scene.foreign.call(4, "refresh", {}, session)
    assert called.status_code == httpx.codes.FORBIDDEN
    for path in ("cancel", "reset"):
        body = {"session_hash": session, "fn_index": search.index, "event_id": "x"}
        assert (await foreign.post(f"/gradio_api/{path}", json=body)).status_code == httpx.codes.NOT_FOUND
    assert SECRET in await scene.victim.outcome(session), "the victim's own answer still waits for them"


async def test_a_session_that_no_page_would_make_is_refused(scene: Scene) -> None:
    for odd in ("", "x" * 65, "a/b", "a b", "\x00"):
        body = json.dumps({"fn_index": 0, "data": [], "session_hash": odd})
        answer = await scene.foreign.client.post("/gradio_api/queue/join", content=body)
        assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY, odd
    twice = await scene.foreign.client.get("/gradio_api/queue/data?session_hash=a1&session_hash=b1")
    assert twice.status_code == httpx.codes.UNPROCESSABLE_ENTITY
