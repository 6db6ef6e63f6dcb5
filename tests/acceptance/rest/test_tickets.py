"""Tickets and answers over REST."""

from typing import Any

import pytest

from storage.records import Mode
from tests.support.rest import Rest, assert_problem
from tests.support.waiting import until

pytest_plugins = ["tests.support.rest_fixtures"]

FAQ = b"""question,answer
How do I reset my password?,Click **Forgot password** on the login page.
How do I export my data?,Open **Settings > Export** and choose CSV.
"""
TICKET = {"subject": "Password", "body": "How do I reset my password?", "customer_email": "Cleo@Customer.example"}


async def knowing(rest: Rest) -> None:
    document = await rest.process.store.knowledge.catalogue.create("demo", "faq.csv", FAQ)
    await rest.process.store.knowledge.catalogue.load_document(document.id)


async def test_a_ticket_is_a_conversation_of_that_customer(rest_on_each: Rest) -> None:
    rest = rest_on_each
    answer = await rest.agent.post("/tickets", {**TICKET, "customer_name": "Cleo"})
    assert answer.status_code == 201
    ticket = answer.json()
    assert (ticket["subject"], ticket["status"], ticket["channel"]) == ("Password", "open", "web")
    assert (ticket["customer"]["name"], ticket["customer"]["email"]) == ("Cleo", "cleo@customer.example")
    assert (await rest.agent.get("/conversations")).json()["items"] == [ticket]
    assert (await rest.agent.get("/tickets")).json() == {"items": [ticket], "next": None}
    again = (await rest.agent.post("/tickets", {**TICKET, "subject": "Another"})).json()
    assert again["customer"]["id"] == ticket["customer"]["id"]
    assert again["id"] != ticket["id"]


async def test_a_ticket_shows_everything_said_notes_included(rest: Rest) -> None:
    ticket = (await rest.agent.post("/tickets", TICKET)).json()
    await rest.agent.post(f"/conversations/{ticket['id']}/note", {"text": "Called twice."})
    read = (await rest.agent.get(f"/tickets/{ticket['id']}")).json()
    assert [(item["author"], item["internal"], item["text"]) for item in read["messages"]] == [
        ("customer", False, TICKET["body"]),
        ("agent", True, "Called twice."),
    ]
    assert read["messages"][1]["member"] == "Alex Agent"


@pytest.mark.parametrize(
    "change",
    [{"customer_email": "nobody"}, {"customer_email": None}, {"body": "  "}, {"body": "x" * 20_001}, {"priority": "x"}],
)
async def test_a_ticket_that_cannot_be_used_is_not_kept(rest: Rest, change: dict[str, Any]) -> None:
    assert_problem(await rest.agent.post("/tickets", {**TICKET, **change}), 422, "invalid")
    assert (await rest.agent.get("/tickets")).json()["items"] == []


async def test_the_desk_answers_a_ticket_like_any_conversation(rest: Rest) -> None:
    await knowing(rest)
    rest.work()
    ticket = (await rest.agent.post("/tickets", TICKET)).json()

    async def replies() -> Any:
        messages = (await rest.agent.get(f"/tickets/{ticket['id']}")).json()["messages"]
        return [message for message in messages if message["author"] == "bot"]

    (reply,) = await until(replies)
    assert "Forgot password" in reply["text"]
    assert reply["confidence"] > 0.65
    assert reply["citations"][0]["title"] == "How do I reset my password?"


async def test_an_evaluation_says_what_would_happen_and_changes_nothing(rest_on_each: Rest) -> None:
    rest = rest_on_each
    await knowing(rest)
    ticket = (await rest.agent.post("/tickets", TICKET)).json()
    before = (await rest.agent.get(f"/tickets/{ticket['id']}")).json()
    answer = await rest.agent.post(f"/tickets/{ticket['id']}/ai-evaluate")
    assert answer.status_code == 200
    evaluation = answer.json()
    assert evaluation["ticket_id"] == ticket["id"]
    assert evaluation["question"] == TICKET["body"]
    assert (evaluation["would"], evaluation["held_because"]) == ("send", [])
    assert "Forgot password" in evaluation["text"]
    assert evaluation.keys() >= {"confidence", "intent", "priority", "sentiment", "language", "citations", "follow_ups"}
    assert (await rest.agent.get(f"/tickets/{ticket['id']}")).json() == before
    assert (await rest.agent.get("/reviews")).json()["items"] == []


async def test_an_evaluation_is_about_what_the_customer_wrote_since_the_last_reply(rest: Rest) -> None:
    ticket = (await rest.agent.post("/tickets", TICKET)).json()
    await rest.agent.post(f"/conversations/{ticket['id']}/take-over")
    await rest.agent.post(f"/conversations/{ticket['id']}/reply", {"text": "Click."})
    place = f"/tickets/{ticket['id']}/ai-evaluate"
    assert (await rest.agent.post(place)).json()["question"] == TICKET["body"]
    conversation = await rest.process.store.conversations.reading.read("demo", ticket["id"])
    await rest.write("And my data?", thread=conversation.thread)
    assert (await rest.agent.post(place)).json()["question"] == "And my data?"


async def test_an_answer_rests_on_its_citations(rest: Rest) -> None:
    await knowing(rest)
    answer = await rest.agent.post("/answers", {"question": "how can I export all of my data"})
    assert answer.status_code == 200
    body = answer.json()
    assert body.keys() == {
        *("text", "confidence", "citations", "can_answer", "follow_ups", "would", "held_because", "intent", "priority")
    }
    assert body["can_answer"] is True
    assert "Settings > Export" in body["text"]
    assert body["citations"][0].keys() == {"title", "text", "document_id"}
    assert 0 <= body["confidence"] <= 1


async def test_an_answer_is_made_by_the_workspaces_own_settings_and_knowledge(rest: Rest) -> None:
    await knowing(rest)
    await rest.process.store.accounts.workspaces.change_settings(rest.admin_member, mode=Mode.DRAFT)
    question = {"question": "How do I reset my password?"}
    body = (await rest.agent.post("/answers", question)).json()
    assert (body["would"], body["held_because"]) == ("review", ["Every reply is reviewed here."])
    other = (await rest.stranger.post("/answers", question)).json()
    assert (other["can_answer"], other["citations"]) == (False, [])


@pytest.mark.parametrize("mode", [Mode.OFF, Mode.SHADOW])
async def test_where_people_answer_an_answer_says_so(rest: Rest, mode: Mode) -> None:
    await rest.process.store.accounts.workspaces.change_settings(rest.admin_member, mode=mode)
    assert (await rest.agent.post("/answers", {"question": "Hello?"})).json()["would"] == "handoff"


@pytest.mark.parametrize("body", [{}, {"question": ""}, {"question": " \n"}, {"question": "x" * 20_001}, {"q": "x"}])
async def test_a_question_that_cannot_be_used_is_invalid(rest: Rest, body: dict[str, str]) -> None:
    assert_problem(await rest.agent.post("/answers", body), 422, "invalid")
