"""What members do with conversations over REST."""

from typing import Any

import pytest

from storage.records import new_id
from tests.support.rest import DRAFT, Rest, assert_problem

pytest_plugins = ["tests.support.rest_fixtures"]


async def lines(rest: Rest, conversation_id: str, *, internal: bool = False) -> list[tuple[str, str]]:
    found = await rest.process.store.conversations.messages.of_conversation("demo", conversation_id, internal=internal)
    return [(message.author, message.text) for message in found]


async def test_conversations_are_listed_the_latest_activity_first(rest_on_each: Rest) -> None:
    rest = rest_on_each
    ids = [await rest.write(f"Question {number}", thread=f"thread-{number}") for number in range(3)]
    first = (await rest.agent.get("/conversations", limit=2)).json()
    second = (await rest.agent.get("/conversations", limit=2, cursor=first["next"])).json()
    items = first["items"] + second["items"]
    assert [item["id"] for item in items] == ids[::-1]
    assert items[0]["first_line"] == "Question 2"
    assert items[0].items() >= {"channel": "web", "status": "open", "priority": "medium", "assignee": None}.items()
    assert items[0]["customer"]["name"] == "Cleo"


async def test_conversations_are_found_by_status_and_customer(rest_on_each: Rest) -> None:
    rest = rest_on_each
    mine, _ = await rest.write(thread="one"), await rest.held(thread="two")
    (item,) = (await rest.agent.get("/conversations", status="open")).json()["items"]
    assert item["id"] == mine
    (same,) = (await rest.agent.get("/conversations", customer=item["customer"]["id"])).json()["items"]
    assert same == item
    assert (await rest.agent.get("/conversations", customer=new_id())).json()["items"] == []


@pytest.mark.parametrize("query", [{"status": "lost"}, {"customer": "x"}, {"customer": "\x00" * 32}, {"limit": "-1"}])
async def test_a_filter_that_cannot_be_is_invalid(rest: Rest, query: dict[str, str]) -> None:
    assert_problem(await rest.agent.get("/conversations", **query), 422, "invalid")


async def test_a_summary_says_what_was_asked_and_answered_last(rest: Rest) -> None:
    conversation_id = await rest.write("How do I reset?")
    await rest.write("Hello?")
    await rest.agent.post(f"/conversations/{conversation_id}/take-over")
    await rest.agent.post(f"/conversations/{conversation_id}/reply", {"text": "Click here."})
    await rest.agent.post(f"/conversations/{conversation_id}/note", {"text": "An angry one."})
    summary = (await rest.agent.get(f"/conversations/{conversation_id}/summary")).json()
    said = {"first_message": "How do I reset?", "last_message": "Hello?", "last_reply": "Click here.", "messages": 3}
    assert summary.items() >= {**said, "status": "assigned", "assignee": "Alex Agent", "summary": ""}.items()


async def test_a_member_takes_over_replies_and_hands_back(rest_on_each: Rest) -> None:
    rest = rest_on_each
    conversation_id = await rest.write()
    taken = (await rest.agent.post(f"/conversations/{conversation_id}/take-over")).json()
    assert (taken["status"], taken["assignee"], taken["assignee_id"]) == (
        "assigned",
        "Alex Agent",
        rest.agent_member.id,
    )
    sent = await rest.agent.post(f"/conversations/{conversation_id}/reply", {"text": "By hand."})
    assert sent.status_code == 201
    assert sent.json()["status"] == "assigned"
    assert await lines(rest, conversation_id) == [("customer", "How do I reset?"), ("agent", "By hand.")]
    back = (await rest.agent.post(f"/conversations/{conversation_id}/hand-back")).json()
    assert (back["status"], back["assignee"]) == ("open", None)


async def test_a_taken_over_draft_is_stale(rest: Rest) -> None:
    review_id = await rest.held()
    review = await rest.process.store.conversations.reviews.read("demo", review_id)
    await rest.agent.post(f"/conversations/{review.conversation_id}/take-over")
    assert_problem(await rest.admin.post(f"/reviews/{review_id}/approve", {"version": 1}), 409, "stale")


async def test_a_reply_by_hand_needs_the_conversation(rest: Rest) -> None:
    place = f"/conversations/{await rest.write()}/reply"
    assert_problem(await rest.agent.post(place, {"text": DRAFT.text}), 403, "not-allowed")


async def test_only_a_persons_conversation_can_be_handed_back(rest: Rest) -> None:
    assert_problem(await rest.agent.post(f"/conversations/{await rest.write()}/hand-back"), 422, "invalid")


async def test_a_note_is_for_members_only(rest: Rest) -> None:
    conversation_id = await rest.write()
    assert (await rest.agent.post(f"/conversations/{conversation_id}/note", {"text": "VIP"})).status_code == 200
    assert ("agent", "VIP") not in await lines(rest, conversation_id)
    assert ("agent", "VIP") in await lines(rest, conversation_id, internal=True)


async def test_a_conversation_is_assigned_to_a_member_of_the_workspace(rest: Rest) -> None:
    place = f"/conversations/{await rest.write()}/assign"
    answer = await rest.agent.post(place, {"member_id": rest.admin_member.id})
    assert answer.json()["assignee"] == "Ada Admin"
    stranger = (await rest.stranger.get("/auth/me")).json()["id"]
    for nobody in (stranger, new_id(), "\x00", ""):
        assert_problem(await rest.agent.post(place, {"member_id": nobody}), 404, "not-found")


async def test_nothing_can_be_done_with_a_closed_conversation(rest: Rest) -> None:
    conversation_id = await rest.write()
    await rest.process.desk.close("demo", conversation_id)
    acts: dict[str, Any] = {"take-over": None, "note": {"text": "x"}, "reply": {"text": "x"}, "hand-back": None}
    for act, body in acts.items():
        answer = await rest.agent.post(f"/conversations/{conversation_id}/{act}", body)
        assert_problem(answer, 409, "conversation-closed")


@pytest.mark.parametrize("body", [{}, {"text": 1}, {"text": "x", "html": "y"}, {"text": "x" * 20_001}, [], "x"])
@pytest.mark.parametrize("act", ["note", "reply"])
async def test_a_text_that_cannot_be_used_is_invalid(rest: Rest, act: str, body: Any) -> None:
    conversation_id = await rest.write()
    assert_problem(await rest.agent.post(f"/conversations/{conversation_id}/{act}", body), 422, "invalid")


async def test_a_text_of_a_character_that_databases_refuse_is_kept_without_it(rest_on_each: Rest) -> None:
    rest = rest_on_each
    conversation_id = await rest.write()
    assert (await rest.agent.post(f"/conversations/{conversation_id}/note", {"text": "a\x00b"})).status_code == 200
    assert ("agent", "ab") in await lines(rest, conversation_id, internal=True)
