"""Who may come in by REST, and that nobody else does."""

import json
import re

import httpx
import pytest
from fastapi import FastAPI

from bot.web.routes import web_routes
from storage.records import Role, new_id
from tests.support.passwords import PASSWORD
from tests.support.rest import (
    API,
    Caller,
    Rest,
    assert_problem,
)

pytest_plugins = ["tests.support.rest_fixtures"]

REGISTRATION = {"workspace": "acme", "email": "boss@acme.example", "password": PASSWORD}
OPEN = {f"{API}/auth/register", f"{API}/auth/login"}


async def log_in(rest: Rest, email: str, password: str, **form: str) -> httpx.Response:
    fields = {"username": email, "password": password, **form}
    return await rest.client.post(f"{API}/auth/login", data=fields)


def operations(rest: Rest) -> list[tuple[str, str]]:
    """Every (method, path) that needs a login, with made-up ids in the path."""
    return [
        (method, re.sub(r"{\w+}", new_id(), path))
        for path, methods in rest.app.openapi()["paths"].items()
        for method in methods
        if path.startswith(API) and path not in OPEN
    ]


async def test_a_registered_workspace_has_an_admin_who_is_logged_in(rest_on_each: Rest) -> None:
    answer = await rest_on_each.nobody.post(
        "/auth/register", {**REGISTRATION, "workspace_name": "Acme", "name": "Bo Boss"}
    )
    assert answer.status_code == 201
    assert answer.json().keys() == {"access_token", "token_type", "workspace", "role"}
    me = (await Caller(rest_on_each.client, answer.json()["access_token"]).get("/auth/me")).json()
    assert (me["workspace"], me["role"], me["name"]) == ("acme", "admin", "Bo Boss")
    assert (await rest_on_each.process.store.accounts.workspaces.read("acme")).name == "Acme"


async def test_a_taken_workspace_is_a_conflict(rest: Rest) -> None:
    assert_problem(await rest.nobody.post("/auth/register", {**REGISTRATION, "workspace": "demo"}), 409, "conflict")


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"password": "short"}, "body.password"),
        ({"role": "owner"}, "body.role"),
        ({"email": None}, "body.email"),
    ],
)
async def test_a_registration_that_cannot_be_used_names_the_field(
    rest: Rest, change: dict[str, str | None], place: str
) -> None:
    answer = await rest.nobody.post("/auth/register", {**REGISTRATION, **change})
    problem = assert_problem(answer, 422, "invalid")
    assert [error["place"] for error in problem["errors"]] == [place]
    assert "input" not in problem["errors"][0]


async def test_characters_that_no_database_keeps_are_invalid(rest: Rest) -> None:
    body = json.dumps({**REGISTRATION, "name": "\ud800"})
    headers = {"Content-Type": "application/json"}
    assert_problem(await rest.client.post(f"{API}/auth/register", content=body, headers=headers), 422, "invalid")


@pytest.mark.parametrize("change", [{"email": "nobody"}, {"workspace": "No Slug!"}])
async def test_a_failed_registration_leaves_no_workspace_behind(rest: Rest, change: dict[str, str]) -> None:
    before = [workspace.id for workspace in await rest.process.store.accounts.workspaces.all()]
    assert_problem(await rest.nobody.post("/auth/register", {**REGISTRATION, **change}), 422, "invalid")
    assert [workspace.id for workspace in await rest.process.store.accounts.workspaces.all()] == before


async def test_registrations_from_one_address_are_limited(rest: Rest) -> None:
    answers = [await rest.nobody.post("/auth/register", {**REGISTRATION, "workspace": f"w{n}"}) for n in range(11)]
    assert [answer.status_code for answer in answers] == [201] * 10 + [429]


async def test_a_login_gives_a_bearer(rest: Rest) -> None:
    answer = await log_in(rest, "agent@demo.example", PASSWORD, grant_type="password")
    assert answer.status_code == 200
    assert answer.json().items() >= {"token_type": "bearer", "workspace": "demo", "role": "agent"}.items()
    me = (await Caller(rest.client, answer.json()["access_token"]).get("/auth/me")).json()
    assert me == {
        "id": rest.agent_member.id,
        "email": "agent@demo.example",
        "name": "Alex Agent",
        "workspace": "demo",
        "role": "agent",
        "places": [{"workspace": "demo", "role": "agent"}],
    }


async def test_a_login_for_several_workspaces_acts_in_the_one_that_is_named(rest: Rest) -> None:
    await rest.process.store.accounts.members.add("other", "agent@demo.example", "Alex", Role.ADMIN, PASSWORD)
    by_field = await log_in(rest, "agent@demo.example", PASSWORD, workspace="other")
    by_scope = await log_in(rest, "agent@demo.example", PASSWORD, scope="other")
    assert {(answer.json()["workspace"], answer.json()["role"]) for answer in (by_field, by_scope)} == {
        ("other", "admin")
    }
    assert (await log_in(rest, "agent@demo.example", PASSWORD)).json()["workspace"] == "demo"
    me = (await Caller(rest.client, by_field.json()["access_token"]).get("/auth/me")).json()
    assert [place["workspace"] for place in me["places"]] == ["other", "demo"]


async def test_a_login_does_not_open_a_workspace_of_others(rest: Rest) -> None:
    answer = await log_in(rest, "agent@demo.example", PASSWORD, workspace="other")
    assert_problem(answer, 403, "not-allowed")


@pytest.mark.parametrize(("email", "password"), [("agent@demo.example", "wrong"), ("nobody@demo.example", PASSWORD)])
async def test_a_wrong_login_says_the_same_whether_the_email_is_known_or_not(
    rest: Rest, email: str, password: str
) -> None:
    answer = await log_in(rest, email, password)
    problem = assert_problem(answer, 401, "not-logged-in")
    assert problem["detail"] == "This e-mail and password do not match."
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_login_without_its_fields_is_invalid(rest: Rest) -> None:
    problem = assert_problem(await rest.client.post(f"{API}/auth/login", data={"username": "x"}), 422, "invalid")
    assert [error["place"] for error in problem["errors"]] == ["body.password"]


async def test_failed_logins_are_limited_and_the_answer_says_when_to_come_back(rest: Rest) -> None:
    for _ in range(10):
        assert (await log_in(rest, "agent@demo.example", "wrong")).status_code == 401
    answer = await log_in(rest, "agent@demo.example", PASSWORD)
    problem = assert_problem(answer, 429, "too-many-attempts")
    assert 0 < int(answer.headers["retry-after"]) <= 300
    assert problem["retry_after"] == int(answer.headers["retry-after"])


async def test_no_route_opens_without_a_bearer(rest: Rest) -> None:
    assert len(operations(rest)) >= 30
    for method, path in operations(rest):
        answer = await rest.client.request(method, path, json={} if method == "post" else None)
        assert_problem(answer, 401, "not-logged-in")


async def test_no_route_of_the_members_hides_one_of_the_customers(rest: Rest) -> None:
    process, customers = rest.process, FastAPI()
    customers.include_router(web_routes(process.store, process.intake, process.desk, process.settings))
    paths = [
        {
            (method, re.sub(r"{\w+}", "{}", path))
            for path, methods in app.openapi()["paths"].items()
            for method in methods
        }
        for app in (rest.app, customers)
    ]
    assert ("post", f"{API}/conversations/{{}}/resolve") in paths[1]
    assert paths[0] & paths[1] == set()


async def test_no_route_opens_by_the_cookie_of_the_workbench(rest: Rest) -> None:
    cookie = {"Cookie": f"deskhand_session={rest.admin.token}"}
    for method, path in operations(rest):
        answer = await rest.client.request(method, path, headers=cookie, json={} if method == "post" else None)
        assert answer.status_code == 401, path


@pytest.mark.parametrize("token", ["", "nonsense", "a.b.c"])
async def test_a_bearer_that_is_none_does_not_open(rest: Rest, token: str) -> None:
    answer = await rest.client.get(f"{API}/auth/me", headers={"Authorization": f"Bearer {token}"})
    assert_problem(answer, 401, "not-logged-in")


async def test_a_customers_bearer_is_none_of_a_member(rest: Rest) -> None:
    token = rest.process.store.accounts.tokens.for_conversation(await rest.write(), new_id())
    assert_problem(await Caller(rest.client, token).get("/reviews"), 401, "not-logged-in")


async def test_a_bearer_ends_with_the_password_it_was_made_by(rest: Rest) -> None:
    await rest.process.store.accounts.accounts.reset_password("demo", "agent@demo.example", "another long password")
    assert_problem(await rest.agent.get("/auth/me"), 401, "not-logged-in")


async def test_ids_of_another_workspace_are_not_found(rest_on_each: Rest) -> None:
    review_id = await rest_on_each.held()
    review = await rest_on_each.process.store.conversations.reviews.read("demo", review_id)
    document = await rest_on_each.process.store.knowledge.catalogue.create(
        "demo", "faq.csv", b"question,answer\na?,b\n"
    )
    known = {
        "reviews": review_id,
        "conversations": review.conversation_id,
        "tickets": review.conversation_id,
        "documents": document.id,
        "members": rest_on_each.agent_member.id,
        "auth": (await rest_on_each.agent.get("/auth/sessions")).json()["items"][0]["id"],
    }
    bodies = {
        "approve": {"version": 1},
        "edit": {"version": 1, "text": "x"},
        "reject": {"version": 1, "guidance": "x"},
        "assign": {"member_id": rest_on_each.agent_member.id},
        "note": {"text": "x"},
        "reply": {"text": "x"},
    }
    asked = 0
    for path, methods in rest_on_each.app.openapi()["paths"].items():
        if "{" not in path:
            continue
        place = re.sub(r"{\w+}", known[path.split("/")[3]], path)
        for method in methods:
            body = {"post": bodies.get(path.rpartition("/")[2]), "patch": {"role": "agent"}}.get(method)
            answer = await rest_on_each.client.request(method, place, headers=rest_on_each.stranger.headers, json=body)
            assert_problem(answer, 404, "not-found")
            asked += 1
    assert asked >= 15
    assert (await rest_on_each.process.store.conversations.reviews.read("demo", review_id)).decision is None


async def test_lists_show_nothing_of_another_workspace(rest_on_each: Rest) -> None:
    await rest_on_each.held()
    await rest_on_each.process.store.knowledge.catalogue.create("demo", "faq.csv", b"question,answer\na?,b\n")
    for path in ("/conversations", "/tickets", "/reviews", "/documents", "/analytics/process-summaries"):
        assert (await rest_on_each.stranger.get(path)).json() == {"items": [], "next": None}, path
    assert (await rest_on_each.stranger.get("/monitoring/traces")).json()["items"] == []
    assert (await rest_on_each.stranger.get("/monitoring/dashboard")).json()["reviews"]["count"] == 0
    assert (await rest_on_each.stranger.get("/analytics/metrics")).json()["messages_in"] == 0
    assert [member["name"] for member in (await rest_on_each.stranger.get("/members")).json()["items"]] == [
        "Otto Other"
    ]


@pytest.mark.parametrize("place", ["x", "%00", "../../etc", "ü" * 32, "%20" * 32])
async def test_what_can_be_no_id_is_not_found(rest_on_each: Rest, place: str) -> None:
    for resource in ("reviews", "tickets", "documents"):
        assert_problem(await rest_on_each.agent.get(f"/{resource}/{place}"), 404, "not-found")


@pytest.mark.parametrize("cursor", ["x", "MjAyMC0wMS0wMSB4", "ü", "MjAyMC0wMS0wMVQwMDowMDowMCswMDowMCAA"])
async def test_a_made_up_cursor_is_invalid(rest_on_each: Rest, cursor: str) -> None:
    for path in ("/conversations", "/reviews", "/analytics/process-summaries"):
        assert_problem(await rest_on_each.agent.get(path, cursor=cursor), 422, "invalid")


async def test_members_are_listed_so_that_conversations_can_be_assigned(rest: Rest) -> None:
    items = (await rest.agent.get("/members")).json()["items"]
    assert [(item["name"], item["role"]) for item in items] == [("Ada Admin", "admin"), ("Alex Agent", "agent")]
    assert all(item.keys() == {"id", "name", "email", "role"} for item in items)
