"""Analytics, monitoring, health and metrics over REST."""

from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.rest import (
    DRAFT,
    Rest,
    assert_problem,
    incoming,
    proposal,
)
from tests.support.rows import database_of

pytest_plugins = ["tests.support.rest_fixtures"]


async def sent(rest: Rest, thread: str) -> None:
    store = rest.process.store
    accepted = await store.conversations.intake.accept(incoming("How do I reset?", thread))
    assert accepted.turn_id
    work = await store.conversations.turns.begin(accepted.turn_id)
    await store.conversations.completion.send(proposal(work))  # type: ignore[arg-type]  # it is due


async def metric(rest: Rest, name: str, **labels: str) -> float | None:
    answer = await rest.client.get("/metrics")
    assert answer.status_code == 200
    samples = (sample for family in text_string_to_metric_families(answer.text) for sample in family.samples)
    found = [sample.value for sample in samples if (sample.name, sample.labels) == (name, labels)]
    return found[0] if found else None


async def test_the_metrics_are_those_of_the_last_30_days(rest_on_each: Rest) -> None:
    rest = rest_on_each
    await sent(rest, "one")
    metrics = (await rest.agent.get("/analytics/metrics")).json()
    assert (metrics["messages_in"], metrics["messages_out"], metrics["conversations"]) == (1, 1, 1)
    assert metrics["shares"] == {"automatic": 1, "reviewed": 0, "handed_over": 0, "dismissed": 0}
    assert metrics["first_reply"]["count"] == 1
    assert metrics["automatic"] == {"right": 0, "wrong": 0, "error": None}
    span = datetime.fromisoformat(metrics["until"]) - datetime.fromisoformat(metrics["since"])
    assert span == timedelta(days=30)


async def test_a_report_counts_the_span_that_is_asked_for(rest_on_each: Rest) -> None:
    rest = rest_on_each
    await sent(rest, "one")
    today = datetime.now(UTC).date()
    tomorrow, yesterday = today + timedelta(days=1), today - timedelta(days=1)
    report = (await rest.agent.get("/analytics/report", since=f"{yesterday}", until=f"{tomorrow}T00:00:00Z")).json()
    assert [day["day"] for day in report["days"]] == [str(yesterday), str(today)]
    assert report["turns"] == {"sent": 1, "reviewed": 0, "dismissed": 0, "handoff": 0, "silenced": 0}
    assert report["intents"] == {"account": 1}
    assert report["labels"]["vote"] == {"right": 0, "wrong": 0, "error": None}
    assert report["decisions"].keys() == {"approve", "edit", "reject", "escalate", "dismiss"}
    empty = (await rest.agent.get("/analytics/report", since="2001-01-01T00:00:00Z", until="2001-01-02")).json()
    assert empty["messages_in"] == 0


@pytest.mark.parametrize(
    "span",
    [
        {"since": "yesterday"},
        {"since": "2030-01-02", "until": "2030-01-01"},
        {"since": "2020-01-01", "until": "2022-01-01"},
        {"until": "0001-01-01T00:00:00+14:00"},
        {"since": "9999-12-31T23:59:59-14:00"},
    ],
)
async def test_a_span_that_cannot_be_is_invalid(rest: Rest, span: dict[str, str]) -> None:
    assert_problem(await rest.agent.get("/analytics/report", **span), 422, "invalid")


async def test_ended_turns_are_listed_in_figures(rest_on_each: Rest) -> None:
    rest = rest_on_each
    await sent(rest, "one")
    await sent(rest, "two")
    first = (await rest.agent.get("/analytics/process-summaries", limit=1)).json()
    second = (await rest.agent.get("/analytics/process-summaries", cursor=first["next"])).json()
    (item,) = first["items"]
    assert (item["outcome"], item["version"], item["confidence"]) == ("sent", 1, DRAFT.confidence)
    assert item["seconds"] >= 0
    assert len(second["items"]) == 1
    assert second["items"][0]["turn_id"] != item["turn_id"]


async def test_the_dashboard_shows_what_waits_and_every_channel(rest_on_each: Rest) -> None:
    rest = rest_on_each
    await rest.held()
    await rest.write(thread="another")
    dashboard = (await rest.agent.get("/monitoring/dashboard")).json()
    assert dashboard.keys() == {"queue", "customers", "reviews", "deliveries", "documents", "channels"}
    assert (dashboard["queue"]["count"], dashboard["reviews"]["count"], dashboard["customers"]["count"]) == (1, 1, 2)
    assert dashboard["reviews"]["oldest_seconds"] >= 0
    # The notice that a person will answer is with the customer by its commit.
    assert dashboard["deliveries"]["sent"] == dashboard["channels"]["web"]["deliveries"]["sent"] == 1
    assert dashboard["deliveries"]["pending"] == 0
    assert {name: channel["state"] for name, channel in dashboard["channels"].items()} == {
        "web": "on",
        "slack": "off",
        "discord": "off",
    }


async def test_traces_tell_the_way_of_the_latest_turns(rest_on_each: Rest) -> None:
    await rest_on_each.held()
    (trace,) = (await rest_on_each.agent.get("/monitoring/traces")).json()["items"]
    assert (trace["status"], trace["outcome"], trace["finished_at"]) == ("waiting", None, None)
    assert trace["reasons"] == ["Every reply is reviewed here."]
    assert [step["kind"] for step in trace["steps"]] == ["message.accepted", "review.opened"]


async def test_a_desk_whose_parts_answer_is_healthy(rest_on_each: Rest) -> None:
    answer = await rest_on_each.client.get("/health")
    assert (answer.status_code, answer.json()) == (
        200,
        {"status": "ready", "alive": True, "ready": True, "parts": {"database": "ready", "vectors": "ready"}},
    )


async def test_a_desk_without_its_database_is_not_ready(rest: Rest) -> None:
    (rest.process.settings.data_dir / "deskhand.db").unlink()
    await database_of(rest.process.store).close()
    (rest.process.settings.data_dir / "deskhand.db").mkdir()
    answer = await rest.client.get("/health")
    assert answer.status_code == 503
    assert answer.json()["parts"] == {"database": "not-ready", "vectors": "ready"}
    assert "sqlite" not in answer.text


async def test_requests_are_counted_by_route_and_status(rest: Rest) -> None:
    review_id = await rest.held()
    await rest.agent.get(f"/reviews/{review_id}")
    await rest.nobody.get(f"/reviews/{review_id}")
    await rest.agent.get("/nothing/here")
    await rest.client.get("/some/page")
    name, route = "deskhand_http_requests_total", "/api/v1/reviews/{review_id}"
    assert await metric(rest, name, route=route, method="GET", status="200") == 1
    assert await metric(rest, name, route=route, method="GET", status="401") == 1
    assert await metric(rest, name, route="unmatched", method="GET", status="404") == 1
    assert await metric(rest, name, route="pages", method="GET", status="200") == 1
    assert review_id not in (await rest.client.get("/metrics")).text


async def test_metrics_show_what_waits(rest_on_each: Rest) -> None:
    await rest_on_each.held()
    assert await metric(rest_on_each, "deskhand_reviews_waiting") == 1
    assert await metric(rest_on_each, "deskhand_queue_depth", kind="resume") == 0
