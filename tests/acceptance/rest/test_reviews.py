"""Reviews over REST: what waits, and the one decision that each draft gets."""

import asyncio
from typing import Any

import pytest

from storage.records import Author, ConversationStatus
from tests.support.rest import (
    DRAFT,
    Rest,
    assert_problem,
    incoming,
)
from tests.support.waiting import until

pytest_plugins = ["tests.support.rest_fixtures"]


async def replies(rest: Rest, conversation_id: str) -> list[tuple[Author, str]]:
    messages = await rest.process.store.conversations.messages.of_conversation("demo", conversation_id)
    return [(item.author, item.text) for item in messages if item.author in (Author.BOT, Author.AGENT)]


async def test_a_waiting_review_shows_the_draft_and_why_it_was_held(rest_on_each: Rest) -> None:
    review_id = await rest_on_each.held()
    page = (await rest_on_each.agent.get("/reviews", status="pending")).json()
    assert page["next"] is None
    (item,) = page["items"]
    assert item == (await rest_on_each.agent.get(f"/reviews/{review_id}")).json()
    assert item["id"] == review_id
    assert item["version"] == 1
    assert item["confidence"] == DRAFT.confidence
    assert item["held_because"] == ["Every reply is reviewed here."]
    assert item["draft"].items() >= {"text": DRAFT.text, "can_answer": True, "follow_ups": ["How do I log in?"]}.items()
    assert item["draft"]["citations"][0]["title"] == "How do I reset?"
    said = {"question": "How do I reset?", "intent": "account", "priority": "medium", "customer": "Cleo"}
    assert item.items() >= {**said, "channel": "web", "claimed_by": None, "status": "pending"}.items()
    assert item["created_at"].endswith(("Z", "+00:00"))


async def test_reviews_come_in_pages_the_longest_waiting_first(rest_on_each: Rest) -> None:
    ids = [await rest_on_each.held(thread=f"thread-{number}") for number in range(3)]
    first = (await rest_on_each.agent.get("/reviews", limit=2)).json()
    second = (await rest_on_each.agent.get("/reviews", limit=2, cursor=first["next"])).json()
    assert [item["id"] for item in first["items"] + second["items"]] == ids
    assert second["next"] is None


async def test_a_claimed_review_says_who_works_on_it(rest: Rest) -> None:
    review_id = await rest.held()
    await rest.process.store.conversations.reviews.claim(rest.agent_member, review_id)
    assert (await rest.admin.get(f"/reviews/{review_id}")).json()["claimed_by"] == "Alex Agent"


@pytest.mark.parametrize("query", [{"status": "waiting"}, {"limit": "0"}, {"limit": "201"}, {"limit": "x"}])
async def test_a_list_that_cannot_be_asked_for_is_invalid(rest: Rest, query: dict[str, str]) -> None:
    problem = assert_problem(await rest.agent.get("/reviews", **query), 422, "invalid")
    assert [error["place"] for error in problem["errors"]] == [f"query.{name}" for name in query]


@pytest.mark.parametrize(
    ("act", "body"),
    [
        ("approve", {"version": 1}),
        ("edit", {"version": 1, "text": "Write to us."}),
        ("reject", {"version": 1, "guidance": "Shorter."}),
        ("escalate", {"version": 1}),
        ("dismiss", {"version": 1}),
    ],
)
async def test_each_decision_is_kept_with_who_made_it(rest_on_each: Rest, act: str, body: dict[str, Any]) -> None:
    review_id = await rest_on_each.held()
    answer = await rest_on_each.agent.post(f"/reviews/{review_id}/{act}", body)
    assert answer.status_code == 200
    decision = answer.json()
    assert decision.pop("at")
    assert decision == {"review_id": review_id, "kind": act, "by": "Alex Agent", "version": 1}
    kept = (await rest_on_each.process.store.conversations.reviews.read("demo", review_id)).decision
    assert kept
    assert (kept.kind, kept.text, kept.guidance) == (act, body.get("text", ""), body.get("guidance", ""))


@pytest.mark.parametrize("act", ["escalate", "dismiss"])
@pytest.mark.parametrize("body", [None, {}, {"version": None}])
async def test_what_does_not_send_the_draft_needs_no_version(rest: Rest, act: str, body: Any) -> None:
    answer = await rest.agent.post(f"/reviews/{await rest.held()}/{act}", body)
    assert (answer.status_code, answer.json()["version"]) == (200, 1)


async def test_a_draft_of_the_graph_is_approved_and_sent(rest: Rest) -> None:
    accepted = await rest.process.workbench.accept(incoming("What is the meaning of the number on my invoice?"))
    rest.work()

    async def waiting() -> Any:
        return (await rest.agent.get("/reviews", status="pending")).json()["items"]

    (item,) = await until(waiting)
    body = {"version": item["version"], "text": "It is your customer number."}
    assert (await rest.agent.post(f"/reviews/{item['id']}/edit", body)).status_code == 200
    sent = await until(lambda: replies(rest, accepted.conversation_id))
    assert sent == [(Author.AGENT, "It is your customer number.")]


@pytest.mark.parametrize(
    ("act", "body", "place"),
    [
        ("approve", {}, "body.version"),
        ("approve", {"version": "one"}, "body.version"),
        ("approve", {"version": 1, "text": "x"}, "body.text"),
        ("edit", {"version": 1}, "body.text"),
        ("edit", {"version": 1, "text": "x" * 20_001}, "body.text"),
        ("reject", {"version": 1}, "body.guidance"),
        ("dismiss", {"version": -1}, "body.version"),
    ],
)
async def test_a_decision_that_cannot_be_used_names_the_field(
    rest: Rest, act: str, body: dict[str, Any], place: str
) -> None:
    problem = assert_problem(await rest.agent.post(f"/reviews/{await rest.held()}/{act}", body), 422, "invalid")
    assert [error["place"] for error in problem["errors"]] == [place]


@pytest.mark.parametrize(("act", "field"), [("edit", "text"), ("reject", "guidance")])
async def test_a_decision_without_words_is_invalid(rest: Rest, act: str, field: str) -> None:
    answer = await rest.agent.post(f"/reviews/{await rest.held()}/{act}", {"version": 1, field: "  \n"})
    assert_problem(answer, 422, "invalid")


async def test_of_two_decisions_at_once_one_wins_and_the_other_learns_whose(rest_on_each: Rest) -> None:
    review_id = await rest_on_each.held()
    answers = await asyncio.gather(
        rest_on_each.agent.post(f"/reviews/{review_id}/approve", {"version": 1}),
        rest_on_each.admin.post(f"/reviews/{review_id}/dismiss"),
    )
    won, lost = sorted(answers, key=lambda answer: answer.status_code)
    assert won.status_code == 200
    problem = assert_problem(lost, 409, "already-decided")
    assert (problem["by"], problem["decision"]) == (won.json()["by"], won.json()["kind"])
    assert problem["title"] == "This review was already handled."


async def test_a_decision_on_an_overtaken_draft_gets_the_new_words(rest_on_each: Rest) -> None:
    review_id = await rest_on_each.held()
    await rest_on_each.write("Wait, I mean my PIN.")
    problem = assert_problem(
        await rest_on_each.agent.post(f"/reviews/{review_id}/approve", {"version": 1}), 409, "stale"
    )
    assert problem["new_text"] == "Wait, I mean my PIN."


async def test_a_decision_on_another_version_is_stale(rest: Rest) -> None:
    answer = await rest.agent.post(f"/reviews/{await rest.held()}/approve", {"version": 2})
    assert assert_problem(answer, 409, "stale")["new_text"]


async def test_an_escalated_conversation_belongs_to_who_escalated(rest: Rest) -> None:
    review_id = await rest.held()
    await rest.agent.post(f"/reviews/{review_id}/escalate")
    (item,) = (await rest.agent.get("/conversations")).json()["items"]
    assert (item["status"], item["assignee"]) == (ConversationStatus.ASSIGNED, "Alex Agent")
