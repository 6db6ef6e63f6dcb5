"""The customers' REST interface over a real socket."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from storage.embeddings.protocol import Embedder
from storage.records import Citation, Decision, DecisionKind, Draft, Member, Role
from tests.support.passwords import PASSWORD
from tests.support.settings import settings_for
from tests.support.web_desk import (
    Chat,
    WebDesk,
    open_web_desk,
    open_web_desk_beside,
    proposal_for,
    serving,
)

ANSWER = Draft(
    text="Click **Forgot password**.",
    can_answer=True,
    confidence=0.91,
    citations=(Citation(chunk_id="c", document_id="d", title="How do I reset?", text="Click it."),),
    follow_ups=("How do I export my data?",),
    model="verbatim",
)
UNSURE = Draft(text="Perhaps.", confidence=0.2, model="verbatim")


@pytest.fixture
async def web_desk(tmp_path: Path, embedder: Embedder) -> AsyncIterator[WebDesk]:
    """A desk whose turns wait for the test to end them."""
    async with open_web_desk(settings_for(tmp_path), embedder) as desk:
        yield desk


@pytest.fixture
async def web_agent(web_desk: WebDesk) -> Member:
    return await web_desk.store.accounts.members.add("demo", "anna@demo.example", "Anna", Role.AGENT, PASSWORD)


async def bearer(desk: WebDesk, member: Member) -> dict[str, str]:
    return {"Authorization": f"Bearer {await desk.store.accounts.tokens.for_member(member)}"}


def problem(answer: httpx.Response, status: int) -> str:
    """The kind of problem that this answer is."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return str(answer.json()["type"])


async def later(work: Any, seconds: float = 0.1) -> None:
    await asyncio.sleep(seconds)
    await work


# Writing


async def test_a_message_is_accepted_at_once(web_desk: WebDesk) -> None:
    chat = await web_desk.opened()
    answer = await chat.write("hello")
    assert answer.status_code == 202
    assert answer.json() == {"id": answer.json()["id"], "status": "accepted"}


async def test_waiting_gives_the_reply_in_its_fixed_shape(web_desk: WebDesk) -> None:
    chat = await web_desk.opened()
    answer, _ = await asyncio.gather(chat.write("I forgot it", wait=10), later(web_desk.answer(chat.id, ANSWER)))
    assert answer.status_code == 200
    taken = answer.json()
    assert taken["status"] == "answered"
    assert taken["reply"] == {
        "id": taken["reply"]["id"],
        "text": "Click **Forgot password**.",
        "author": "bot",
        "confidence": 0.91,
        "citations": [{"title": "How do I reset?", "text": "Click it.", "document_id": "d"}],
        "follow_ups": ["How do I export my data?"],
    }


async def test_waiting_ends_when_a_person_has_to_answer(web_desk: WebDesk) -> None:
    chat = await web_desk.opened()
    answer, _ = await asyncio.gather(chat.write("My money!", wait=10), later(web_desk.hold(chat.id, UNSURE)))
    assert (answer.status_code, answer.json()["status"]) == (200, "pending")


async def test_waiting_ends_with_its_time(web_desk: WebDesk) -> None:
    chat = await web_desk.opened()
    answer = await chat.write("hello", wait=0.3)
    assert (answer.status_code, answer.json()["status"]) == (202, "accepted")


async def test_the_same_external_id_gives_the_first_result_even_after_the_end(web_desk: WebDesk) -> None:
    chat = await web_desk.opened()
    first = await chat.write("hello", "mine-1")
    assert (await chat.write("hello", "mine-1")).json() == first.json()
    await web_desk.answer(chat.id, ANSWER)
    again = (await chat.write("hello", "mine-1", wait=5)).json()
    assert (again["id"], again["reply"]["text"]) == (first.json()["id"], ANSWER.text)
    await chat.post("close")
    assert (await chat.write("hello", "mine-1")).json() == first.json()
    assert len((await chat.read())["messages"]) == 2


async def test_two_conversations_may_use_the_same_external_id(web_desk: WebDesk) -> None:
    one, other = await web_desk.opened(), await web_desk.opened()
    assert (await one.write("hello", "1")).json()["id"] != (await other.write("hello", "1")).json()["id"]


@pytest.mark.parametrize("text", ["", "  \n ", "\x00"])
async def test_an_empty_text_is_refused(web_desk: WebDesk, text: str) -> None:
    assert problem(await (await web_desk.opened()).write(text), 422) == "invalid"


async def test_a_text_that_is_too_long_is_refused_with_the_limit(web_desk: WebDesk) -> None:
    answer = await (await web_desk.opened()).write("x" * 20_001)
    assert problem(answer, 413) == "too-large"
    assert "20000 is the most" in answer.json()["detail"]


async def test_half_a_character_is_refused_and_not_a_server_error(web_desk: WebDesk) -> None:
    chat = await web_desk.opened()
    headers = {**chat.headers, "Content-Type": "application/json"}
    answer = await web_desk.client.post(f"{chat.path}/messages", content=b'{"text": "\\ud800"}', headers=headers)
    assert problem(answer, 422) == "invalid"


async def test_a_closed_conversation_takes_nothing_more(web_desk: WebDesk) -> None:
    chat = await web_desk.opened()
    await chat.write("hello")
    assert (await chat.post("close")).json()["status"] == "closed"
    assert problem(await chat.write("again"), 409) == "conversation-closed"
    assert problem(await chat.post("person"), 409) == "conversation-closed"


async def test_a_resolved_conversation_opens_again(web_desk: WebDesk) -> None:
    chat = await web_desk.opened()
    await chat.write("hello")
    assert (await chat.post("resolve")).json()["status"] == "resolved"
    await chat.write("not yet")
    assert (await chat.read())["status"] == "open"


# Reading


async def test_a_conversation_tells_its_ticket_and_everything_said_in_order(web_desk: WebDesk) -> None:
    chat = await web_desk.opened()
    await chat.write("I forgot my password", "mine-1")
    assert (await chat.read())["working"] is True
    await web_desk.answer(chat.id, ANSWER)
    state: dict[str, Any] = await chat.read()
    assert (state["status"], state["subject"], state["intent"]) == ("open", "I forgot my password", "question")
    assert (state["channel"], state["priority"], state["assignee"], state["working"]) == ("web", "medium", None, False)
    question, reply = state["messages"]
    assert (question["author"], question["external_id"], question["seq"]) == ("customer", "mine-1", 1)
    assert (reply["author"], reply["confidence"], reply["vote"]) == ("bot", 0.91, None)
    assert reply["html"] == "<p>Click <strong>Forgot password</strong>.</p>\n"


async def test_an_agents_own_text_claims_no_confidence(web_desk: WebDesk, web_agent: Member) -> None:
    chat = await web_desk.opened()
    await chat.write("hello")
    await web_desk.desk.take_over(web_agent, chat.id)
    await web_desk.desk.reply(web_agent, chat.id, "By hand.")
    reply = (await chat.read())["messages"][-1]
    assert (reply["author"], reply["name"], reply["confidence"]) == ("agent", "Anna", None)


async def test_a_draft_that_an_agent_edited_does_not_lend_its_evidence(web_desk: WebDesk, web_agent: Member) -> None:
    chat = await web_desk.opened()
    await chat.write("hello")
    proposal = await proposal_for(web_desk.store, chat.id, ANSWER)
    await web_desk.store.conversations.completion.hold(proposal)
    review = await web_desk.store.conversations.reviews.of_conversation("demo", chat.id)
    assert review
    edit = Decision(kind=DecisionKind.EDIT, text="Mine.", member_id=web_agent.id, member_name=web_agent.name)
    await web_desk.store.conversations.reviews.decide(web_agent, review.id, edit, based_on=1)
    edited = replace(proposal, draft=ANSWER.model_copy(update={"text": edit.text}))
    await web_desk.store.conversations.completion.send(edited, decision=edit)
    reply = (await chat.read())["messages"][-1]
    assert (reply["author"], reply["name"], reply["text"]) == ("agent", "Anna", "Mine.")
    assert (reply["confidence"], reply["citations"], reply["follow_ups"]) == (None, [], [])


async def test_the_waiting_notice_is_told_once_and_notes_never(web_desk: WebDesk, web_agent: Member) -> None:
    chat = await web_desk.opened()
    await chat.write("hello")
    await web_desk.hold(chat.id, UNSURE)
    await web_desk.desk.note(web_agent, chat.id, "A difficult one.")
    assert (await chat.post("person")).json()["status"] == "assigned"
    told = (await chat.read())["messages"]
    assert [message["author"] for message in told] == ["customer", "system"]
    seen = await web_desk.client.get(chat.path, headers=await bearer(web_desk, web_agent))
    assert "A difficult one." in [message["text"] for message in seen.json()["messages"]]


# Access


async def test_nobody_enters_without_a_token_and_nobody_elses_opens(web_desk: WebDesk) -> None:
    mine, other = await web_desk.opened(), await web_desk.opened()
    assert problem(await web_desk.client.get(mine.path), 401) == "not-logged-in"
    forged = {"Authorization": f"Bearer {mine.token[:-2]}xx"}
    assert problem(await web_desk.client.get(mine.path, headers=forged), 401) == "not-logged-in"
    assert problem(await web_desk.client.get(mine.path, headers=other.headers), 404) == "not-found"
    missing = await web_desk.client.get("/api/v1/conversations/nowhere", headers=mine.headers)
    assert problem(missing, 404) == "not-found"


async def test_a_member_of_another_workspace_is_told_that_there_is_nothing(web_desk: WebDesk) -> None:
    await web_desk.store.accounts.workspaces.create("other", "Other")
    stranger = await web_desk.store.accounts.members.add("other", "eve@other.example", "Eve", Role.ADMIN, PASSWORD)
    headers = await bearer(web_desk, stranger)
    chat = await web_desk.opened()
    for method, act in (("GET", ""), ("POST", "/close"), ("POST", "/resolve"), ("GET", "/events")):
        answer = await web_desk.client.request(method, chat.path + act, headers=headers)
        assert problem(answer, 404) == "not-found"


async def test_a_member_replies_by_hand_after_taking_over(web_desk: WebDesk, web_agent: Member) -> None:
    chat = await web_desk.opened()
    await chat.write("hello")
    mine = Chat(web_desk.client, chat.id, await web_desk.store.accounts.tokens.for_member(web_agent))
    assert problem(await mine.write("Hi!"), 403) == "not-allowed"
    await web_desk.desk.take_over(web_agent, chat.id)
    assert (await mine.write("Hi!")).status_code == 202
    assert (await chat.read())["messages"][-1]["text"] == "Hi!"


async def test_an_unknown_workspace_is_a_problem(web_desk: WebDesk) -> None:
    answer = await web_desk.client.post("/api/v1/conversations", json={"workspace": "nobody"})
    assert problem(answer, 404) == "not-found"


async def test_an_unknown_key_is_named(web_desk: WebDesk) -> None:
    answer = await web_desk.client.post("/api/v1/conversations", json={"workspace": "demo", "mail": "x"})
    assert problem(answer, 422) == "invalid"
    assert "body.mail" in answer.json()["detail"]


async def test_a_registered_customer_has_their_conversations_on_every_device(web_desk: WebDesk) -> None:
    client, path = web_desk.client, "/api/v1/workspaces/demo/customers"
    login = {"email": "cleo@mail.example", "password": PASSWORD}
    registered = await client.post(f"{path}/register", json={**login, "name": "Cleo"})
    assert registered.status_code == 201
    first = {"Authorization": f"Bearer {registered.json()['access_token']}"}
    opened = await client.post("/api/v1/conversations", json={"workspace": "demo"}, headers=first)
    second = (await client.post(f"{path}/login", json=login)).json()["access_token"]
    chat = Chat(client, opened.json()["id"], second)
    assert (await chat.read())["customer"] == {"name": "Cleo", "email": "cleo@mail.example"}
    assert (await Chat(client, chat.id, opened.json()["customer_token"]).write("hello")).status_code == 202
    foreign = await web_desk.opened()
    assert problem(await client.get(foreign.path, headers=chat.headers), 404) == "not-found"


async def test_customers_logins_are_guarded(web_desk: WebDesk) -> None:
    client, path = web_desk.client, "/api/v1/workspaces/demo/customers"
    login = {"email": "cleo@mail.example", "password": PASSWORD}
    assert (await client.post(f"{path}/register", json=login)).status_code == 201
    assert problem(await client.post(f"{path}/register", json=login), 409) == "conflict"
    assert problem(await client.post(f"{path}/login", json={**login, "password": "wrong"}), 401) == "not-logged-in"
    elsewhere = await client.post("/api/v1/workspaces/nobody/customers/register", json=login)
    assert problem(elsewhere, 404) == "not-found"


async def test_one_address_may_not_flood_the_desk(tmp_path: Path, embedder: Embedder) -> None:
    settings = settings_for(tmp_path, web={"messages_per_minute": 2, "conversations_per_minute": 1})
    async with open_web_desk(settings, embedder) as desk:
        chat = await desk.opened()
        refused = await desk.client.post("/api/v1/conversations", json={"workspace": "demo"})
        assert problem(refused, 429) == "too-many-attempts"
        answers = [await chat.write("hello") for _ in range(3)]
        assert [answer.status_code for answer in answers] == [202, 202, 429]
        assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60


# Votes


async def test_a_vote_sticks_and_may_be_changed(web_desk: WebDesk, web_agent: Member) -> None:
    chat = await web_desk.opened()
    await chat.write("hello")
    await web_desk.answer(chat.id, ANSWER)
    question, reply = (await chat.read())["messages"]
    for vote in ("down", "up"):
        body = {"message_id": reply["id"], "vote": vote}
        kept = await web_desk.client.post("/api/v1/feedback", json=body, headers=chat.headers)
        assert kept.json() == body
    assert (await chat.read())["messages"][-1]["vote"] == "up"

    async def refused(message_id: str, headers: dict[str, str]) -> httpx.Response:
        body = {"message_id": message_id, "vote": "up"}
        return await web_desk.client.post("/api/v1/feedback", json=body, headers=headers)

    assert problem(await refused(question["id"], chat.headers), 404) == "not-found"
    assert problem(await refused("nothing", chat.headers), 404) == "not-found"
    assert problem(await refused(reply["id"], (await web_desk.opened()).headers), 404) == "not-found"
    assert problem(await refused(reply["id"], await bearer(web_desk, web_agent)), 403) == "not-allowed"


# Events


class Events:
    """The events of a stream, one at a time."""

    def __init__(self, answer: httpx.Response) -> None:
        self._lines = answer.aiter_lines()

    async def next(self) -> tuple[str, Any, str]:
        """(name, data, id) of the next event."""
        fields: dict[str, str] = {}
        async with asyncio.timeout(10):
            async for line in self._lines:
                name, _, text = line.partition(": ")
                if name in ("event", "data", "id"):
                    fields[name] = text
                if not line and "data" in fields:
                    break
        return fields["event"], json.loads(fields["data"]), fields["id"]


@asynccontextmanager
async def follow(chat: Chat, last_id: str | None = None) -> AsyncIterator[Events]:
    headers = chat.headers | ({"Last-Event-ID": last_id} if last_id is not None else {})
    async with chat.client.stream("GET", f"{chat.path}/events", headers=headers) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield Events(answer)


async def test_events_begin_with_the_whole_state_and_go_on_with_what_changes(web_desk: WebDesk) -> None:
    chat = await web_desk.opened()
    await chat.write("one")
    async with follow(chat) as events:
        name, state, last_id = await events.next()
        assert (name, [message["text"] for message in state["messages"]], last_id) == ("state", ["one"], "1")
        await web_desk.answer(chat.id, ANSWER)
        name, message, last_id = await events.next()
        assert (name, message["text"], last_id) == ("message", ANSWER.text, "2")
        name, working, _ = await events.next()
        assert (name, working) == ("working", {"working": False})
        await chat.post("resolve")
        name, status, _ = await events.next()
        assert (name, status["status"]) == ("status", "resolved")


@pytest.mark.parametrize("beyond", ["2", "999999999"])
async def test_who_is_ahead_of_the_conversation_gets_its_state_and_every_later_message(
    web_desk: WebDesk, beyond: str
) -> None:
    chat = await web_desk.opened()
    await chat.write("one")
    async with follow(chat, beyond) as events:
        name, state, last_id = await events.next()
        assert (name, [message["text"] for message in state["messages"]], last_id) == ("state", ["one"], "1")
        await web_desk.answer(chat.id, ANSWER)
        name, message, last_id = await events.next()
        assert (name, message["text"], last_id) == ("message", ANSWER.text, "2")


async def test_a_member_s_events_end_with_their_login(web_desk: WebDesk, web_agent: Member) -> None:
    chat = await web_desk.opened()
    await chat.write("one")
    mine = Chat(web_desk.client, chat.id, await web_desk.store.accounts.tokens.for_member(web_agent))
    async with follow(mine) as events:
        assert (await events.next())[0] == "state"
        admin = await web_desk.store.accounts.members.add("demo", "ada@demo.example", "Ada", Role.ADMIN, PASSWORD)
        await web_desk.store.accounts.membership.remove(admin, web_agent.id)
        await web_desk.desk.note(admin, chat.id, "Not for who has left.")
        async with asyncio.timeout(30):
            left = [line async for line in events._lines]
    assert "Not for who has left." not in "".join(left)
    answer = await web_desk.client.get(f"{mine.path}/events", headers=mine.headers)
    assert problem(answer, 401) == "not-logged-in"


async def test_events_resume_after_the_last_one_seen(web_desk: WebDesk) -> None:
    chat = await web_desk.opened()
    for text in ("one", "two", "three"):
        await chat.write(text)
    async with follow(chat, "1") as events:
        seen = [await events.next() for _ in range(4)]
    assert [name for name, _, _ in seen] == ["message", "message", "status", "working"]
    assert [data["text"] for name, data, _ in seen if name == "message"] == ["two", "three"]


async def test_events_tell_what_another_process_did(web_desk: WebDesk, embedder: Embedder) -> None:
    chat = await web_desk.opened()
    async with follow(chat) as events:
        await events.next()
        async with open_web_desk_beside(web_desk, embedder) as other:
            await Chat(other, chat.id, chat.token).write("from elsewhere")
        name, message, _ = await events.next()
        assert (name, message["text"]) == ("message", "from elsewhere")


async def test_a_token_in_the_address_opens_the_events_and_is_not_logged(
    web_desk: WebDesk, caplog: pytest.LogCaptureFixture
) -> None:
    chat = await web_desk.opened()
    with caplog.at_level(logging.INFO, "uvicorn.access"):
        async with web_desk.client.stream("GET", f"{chat.path}/events", params={"token": chat.token}) as answer:
            assert (await Events(answer).next())[0] == "state"
        await web_desk.client.get(f"{chat.path}/events", params={"token": f"{chat.token}x"})
    assert f"{chat.path}/events" in caplog.text
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("http")]
    assert not [line for line in ours if chat.token in line]


async def test_an_open_stream_ends_in_order_when_the_server_stops(web_desk: WebDesk) -> None:
    opened = await web_desk.opened()
    async with httpx.AsyncClient() as client, asyncio.timeout(20):
        async with serving(web_desk.app(), patience=None) as base_url:
            url, headers = f"{base_url}{opened.path}/events", opened.headers
            answer = await client.send(client.build_request("GET", url, headers=headers), stream=True)
            lines = answer.aiter_lines()
            assert await anext(lines) == "id: 0"
        assert [line async for line in lines][:1] == ["event: state"]


# The desk at work


async def test_a_known_question_is_answered_and_an_unknown_one_goes_to_a_person(
    tmp_path: Path, embedder: Embedder
) -> None:
    faq = (
        b"question,answer,alternatives,tags\n"
        b"How do I reset my password?,Click **Forgot password**.,I forgot my password | password lost,account\n"
        b"How do I export my data?,Open **Settings > Export**.,download my data,data\n"
    )
    async with open_web_desk(settings_for(tmp_path), embedder, working=True) as desk:
        document = await desk.store.knowledge.catalogue.create("demo", "faq.csv", faq)
        await desk.store.knowledge.catalogue.load_document(document.id)
        chat = await desk.opened()
        known = (await chat.write("I forgot my password", wait=20)).json()
        assert (known["status"], known["reply"]["text"]) == ("answered", "Click **Forgot password**.")
        assert known["reply"]["citations"][0]["document_id"] == document.id
        unknown = (await chat.write("Do you sell bicycles with three wheels in Portugal?", wait=20)).json()
        assert unknown["status"] == "pending"
