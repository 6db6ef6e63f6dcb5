"""Every route, called by nobody, an agent and the admin of another workspace; a new one needs a case here."""

from collections.abc import Iterable, Iterator
from typing import Any, Literal

import httpx
import pytest
from starlette.routing import Mount

from tests.support.faq import FAQ
from tests.support.intruders import SECRET, Scene
from workbench.auth.gradio_guard import MEMBER_PATHS, PUBLIC_PATHS

pytestmark = pytest.mark.asyncio(loop_scope="module")
For = Literal["everybody", "members", "admins", "operators", "conversation"]
"""Who may call a route; `conversation`: whoever a conversation's token opens it for, and its workspace's members."""
TEXT = {"text": "Hello."}
ROUTES: dict[str, tuple[For, dict[str, Any] | None]] = {
    "GET /openapi.json": ("everybody", None),
    "GET /health": ("everybody", None),
    "GET /health/live": ("everybody", None),
    "GET /health/ready": ("everybody", None),
    "GET /metrics": ("everybody", None),
    "GET /docs": ("everybody", None),
    "GET /chat": ("everybody", None),
    "GET /chat/assets/{name}": ("everybody", None),
    "GET /workbench/ui/theme.css": ("everybody", None),
    "GET /login": ("everybody", None),
    "POST /login": ("everybody", None),
    "POST /switch": ("everybody", None),
    "GET /logout": ("everybody", None),
    "POST /logout": ("everybody", None),
    "GET /password": ("everybody", None),
    "POST /password": ("everybody", None),
    "POST /logout-everywhere": ("everybody", None),
    "POST /workbench/documents": ("admins", None),
    "GET /api/v1/deployment": ("operators", None),
    "PATCH /api/v1/deployment": ("operators", {}),
    "POST /api/v1/deployment/invitations": ("operators", {}),
    "POST /api/v1/auth/logout": ("members", None),
    "GET /api/v1/auth/sessions": ("members", None),
    "DELETE /api/v1/auth/sessions": ("members", None),
    "DELETE /api/v1/auth/sessions/{session_id}": ("members", None),
    "POST /api/v1/auth/password": ("members", {"current_password": "x", "new_password": "another long password"}),
    "POST /api/v1/auth/register": ("everybody", {}),
    "POST /api/v1/auth/login": ("everybody", {}),
    "GET /api/v1/auth/me": ("members", None),
    "GET /api/v1/members": ("members", None),
    "PATCH /api/v1/members/{member_id}": ("admins", {"role": "agent"}),
    "DELETE /api/v1/members/{member_id}": ("admins", None),
    "GET /api/v1/conversations": ("members", None),
    "GET /api/v1/conversations/{conversation_id}/summary": ("members", None),
    "POST /api/v1/conversations/{conversation_id}/take-over": ("members", None),
    "POST /api/v1/conversations/{conversation_id}/hand-back": ("members", None),
    "POST /api/v1/conversations/{conversation_id}/assign": ("members", {"member_id": "0" * 32}),
    "POST /api/v1/conversations/{conversation_id}/note": ("members", TEXT),
    "POST /api/v1/conversations/{conversation_id}/reply": ("members", TEXT),
    "POST /api/v1/tickets": ("members", {"subject": "A", "body": "B", "customer_email": "a@b.example"}),
    "GET /api/v1/tickets": ("members", None),
    "GET /api/v1/tickets/{ticket_id}": ("members", None),
    "POST /api/v1/tickets/{ticket_id}/ai-evaluate": ("members", None),
    "POST /api/v1/answers": ("members", {"question": "How do I reset?"}),
    "POST /api/v1/documents": ("admins", None),
    "GET /api/v1/documents": ("members", None),
    "GET /api/v1/documents/{document_id}": ("members", None),
    "DELETE /api/v1/documents/{document_id}": ("admins", None),
    "GET /api/v1/reviews": ("members", None),
    "GET /api/v1/reviews/{review_id}": ("members", None),
    "POST /api/v1/reviews/{review_id}/approve": ("members", {"version": 1}),
    "POST /api/v1/reviews/{review_id}/edit": ("members", {"version": 1, **TEXT}),
    "POST /api/v1/reviews/{review_id}/reject": ("members", {"version": 1, "guidance": "Shorter."}),
    "POST /api/v1/reviews/{review_id}/escalate": ("members", {"version": 1}),
    "POST /api/v1/reviews/{review_id}/dismiss": ("members", {"version": 1}),
    "GET /api/v1/analytics/metrics": ("members", None),
    "GET /api/v1/analytics/report": ("members", None),
    "GET /api/v1/analytics/process-summaries": ("members", None),
    "GET /api/v1/monitoring/dashboard": ("members", None),
    "GET /api/v1/monitoring/traces": ("members", None),
    "POST /api/v1/conversations": ("everybody", {"workspace": "other"}),
    "GET /api/v1/conversations/{conversation_id}": ("conversation", None),
    "POST /api/v1/conversations/{conversation_id}/messages": ("conversation", TEXT),
    "POST /api/v1/conversations/{conversation_id}/person": ("conversation", None),
    "POST /api/v1/conversations/{conversation_id}/resolve": ("conversation", None),
    "POST /api/v1/conversations/{conversation_id}/close": ("conversation", None),
    "GET /api/v1/conversations/{conversation_id}/events": ("conversation", None),
    "POST /api/v1/feedback": ("conversation", {"message_id": "0" * 32, "vote": "up"}),
    "POST /api/v1/workspaces/{workspace_id}/customers/register": ("everybody", {}),
    "POST /api/v1/workspaces/{workspace_id}/customers/login": ("everybody", {}),
    "GET /api/v1/workspaces/{workspace_id}/suggestions": ("everybody", None),
}
ENDS_ONES_OWN_LOGIN = {
    "GET /logout",
    "POST /logout",
    "POST /logout-everywhere",
    "POST /api/v1/auth/logout",
    "DELETE /api/v1/auth/sessions",
}
FILE = {"file": ("faq.csv", FAQ)}
UPLOADS = {"POST /workbench/documents", "POST /api/v1/documents"}


def routes_of(routes: Iterable[Any]) -> Iterator[str]:
    """Method and path of everything that the application itself answers, not what is mounted in it."""
    for route in routes:
        if hasattr(route, "effective_candidates"):
            yield from routes_of(route.effective_candidates())
        elif not isinstance(route, Mount):
            yield from (f"{method} {route.path}" for method in route.methods if method != "HEAD")


def gradio_paths(scene: Scene) -> set[str]:
    mounted = next(route.app for route in scene.served.site.routes if isinstance(route, Mount))
    found = set(routes_of(getattr(mounted, "routes", ())))
    assert found
    return {one.partition(" ")[2] for one in found}


def request(scene: Scene, route: str) -> tuple[str, str, dict[str, Any]]:
    """The route with the victim's ids in it, and a body that it would take."""
    method, _, path = route.partition(" ")
    ids = {
        "member_id": scene.prey.member_id,
        "conversation_id": scene.prey.conversation_id,
        "ticket_id": scene.prey.conversation_id,
        "document_id": scene.prey.document_id,
        "review_id": scene.prey.review_id,
        "workspace_id": "other",
        "name": "chat.css",
        "session_id": "0" * 32,
    }
    for name, value in ids.items():
        path = path.replace(f"{{{name}}}", value)
    body = ROUTES[route][1]
    return method, path, {"files": FILE} if route in UPLOADS else {} if body is None else {"json": body}


def those_for(*who: For) -> list[str]:
    return [route for route, (one, _) in ROUTES.items() if one in who]


async def responses_of(scene: Scene, route: str) -> dict[str, Any]:
    """What OpenAPI says of a route's answers; nothing for a page."""
    method, _, path = route.partition(" ")
    operations: dict[str, Any] = scene.served.site.openapi()["paths"].get(path, {})
    return dict(operations.get(method.lower(), {}).get("responses", {}))


async def test_the_customers_routes_document_each_of_their_problems(scene: Scene) -> None:
    customers = [route for route in those_for("conversation") if "/api/" in route]
    customers += [route for route in ROUTES if "/workspaces/" in route]
    for route in [*customers, "POST /api/v1/conversations"]:
        documented = await responses_of(scene, route)
        for status in ("400", "401", "403", "404", "409", "422", "429", "503"):
            assert list(documented[status]["content"]) == ["application/problem+json"], (route, status)


async def test_no_answer_to_a_program_is_undocumented(scene: Scene) -> None:
    for route in set(ROUTES) - ENDS_ONES_OWN_LOGIN:
        documented = await responses_of(scene, route)
        for visitor in (scene.nobody, scene.agent, scene.foreign) if documented else ():
            method, path, body = request(scene, route)
            # Ids that are nobody's: an agent's own would be acted on.
            path = path.replace(scene.prey.conversation_id, "0" * 32).replace(scene.prey.review_id, "0" * 32)
            answer = await visitor.client.request(method, path, **body)
            assert str(answer.status_code) in documented or "default" in documented, (route, answer.status_code)


async def test_every_route_has_a_case(scene: Scene) -> None:
    assert set(routes_of(scene.served.site.routes)) == set(ROUTES)


async def test_nobody_gets_anything_that_is_not_for_everybody(scene: Scene) -> None:
    for route in those_for("members", "admins", "operators", "conversation"):
        method, path, body = request(scene, route)
        answer = await scene.nobody.client.request(method, path, **body)
        # Nobody's vote is looked up by its message first, and there is none.
        expected = httpx.codes.NOT_FOUND if route.endswith("/feedback") else httpx.codes.UNAUTHORIZED
        assert answer.status_code == expected, (route, answer.text)
        assert SECRET not in answer.text


async def test_an_agent_gets_nothing_that_is_for_admins(scene: Scene) -> None:
    before = await scene.rows()
    for route in those_for("admins", "operators"):
        method, path, body = request(scene, route)
        answer = await scene.agent.client.request(method, path, **body)
        assert answer.status_code == httpx.codes.FORBIDDEN, (route, answer.text)
    assert await scene.rows() == before


async def test_an_admin_of_another_workspace_gets_and_changes_nothing_by_foreign_ids(scene: Scene) -> None:
    before = await scene.rows()
    for route in ROUTES:
        if route in ENDS_ONES_OWN_LOGIN:
            continue
        method, path, body = request(scene, route)
        answer = await scene.foreign.client.request(method, path, **body)
        assert answer.status_code < httpx.codes.INTERNAL_SERVER_ERROR, (route, answer.text)
        assert SECRET not in answer.text, route
        if route in those_for("operators"):
            assert answer.status_code == httpx.codes.FORBIDDEN, (route, answer.text)
        if any(one in path for one in (scene.prey.conversation_id, scene.prey.document_id, scene.prey.review_id)):
            assert answer.status_code == httpx.codes.NOT_FOUND, (route, answer.text)
    assert await scene.rows() == before


async def test_a_route_of_gradio_that_the_pages_do_not_need_is_closed_to_everybody(scene: Scene) -> None:
    ours = {route.partition(" ")[2] for route in ROUTES}
    for path in gradio_paths(scene) - ours:
        filled = path.replace("{path:path}", "a").replace("{session_hash}", "a")
        if MEMBER_PATHS.fullmatch(filled) or PUBLIC_PATHS.fullmatch(filled):
            continue
        for visitor in (scene.victim, scene.agent, scene.foreign, scene.nobody):
            for method in ("GET", "POST"):
                answer = await visitor.client.request(method, filled)
                assert answer.status_code in (httpx.codes.NOT_FOUND, httpx.codes.METHOD_NOT_ALLOWED), (method, path)


async def test_the_open_paths_of_gradio_are_these_and_need_a_member(scene: Scene) -> None:
    filled = {path: path.replace("{session_hash}", "a") for path in gradio_paths(scene)}
    opened = {path for path, one in filled.items() if MEMBER_PATHS.fullmatch(one)}
    assert opened == {
        "/",
        "/config",
        "/gradio_api/queue/join",
        "/gradio_api/queue/data",
        "/gradio_api/component_server",
        "/gradio_api/component_server/",
        "/gradio_api/heartbeat/{session_hash}",
        "/gradio_api/startup-events",
        "/gradio_api/login_check",
    }
    for path in opened - {"/"}:
        assert (await scene.nobody.client.get(filled[path])).status_code == httpx.codes.UNAUTHORIZED, path
    page = await scene.nobody.client.get("/")
    assert (page.status_code, page.headers["location"]) == (httpx.codes.SEE_OTHER, "/login")
