"""How Slack gets in: signatures, tokens, and teams that add the app."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from structlog.testing import capture_logs

from bot.slack.connection.install_links import SlackInstallLinks
from storage.records import Member, Role
from storage.settings import Settings
from tests.simulators.slack.desk import (
    SlackDesk,
    open_slack_desk,
    serving,
    with_slack,
)
from tests.simulators.slack.people import Person, SignedHttp, Socket
from tests.simulators.slack.server import SlackServer, running_slack
from tests.simulators.slack.world import BOT_USER, text_of
from tests.support.faq import FAQ
from tests.support.passwords import PASSWORD
from tests.support.rows import database_of
from tests.support.whole_desk import open_desk

KNOWN, BROWSERS = "How do I reset my password?", "Which browsers are supported?"


@pytest.fixture
async def slack() -> AsyncIterator[SlackServer]:
    async with running_slack() as slack:
        yield slack


@pytest.fixture
async def desk(settings: Settings, slack: SlackServer) -> AsyncIterator[SlackDesk]:
    async with open_slack_desk(settings, slack, over_socket=False) as desk:
        yield desk


async def test_only_fresh_requests_with_slacks_signature_are_taken(desk: SlackDesk) -> None:
    assert isinstance(desk.via, SignedHttp)
    cleo = desk.person("UCLEO")
    body = json.dumps(cleo.envelope(cleo.event_of("CHELP", cleo.writes("CHELP", KNOWN))))
    for forged in (replace(desk.via, secret="another"), replace(desk.via, age=301.0)):
        answer = await forged.post(body, "application/json", {})
        assert answer.status_code == 401
    unsigned = await desk.via.client.post("/slack/events", content=body)
    assert unsigned.status_code == 401
    assert not (await desk.process.store.conversations.reading.page("demo")).items
    assert (await desk.via.post(body, "application/json", {})).status_code == 200
    assert len((await desk.process.store.conversations.reading.page("demo")).items) == 1


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b"payload=%7B", b"[]", b'{"event": "\\ud800"}', b""])
async def test_a_body_that_nobody_signed_is_refused_before_it_is_read(desk: SlackDesk, body: bytes) -> None:
    assert isinstance(desk.via, SignedHttp)
    for odd in ([], [(b"X-Slack-Request-Timestamp", b"soon"), (b"X-Slack-Signature", b"v0=\xe4")]):
        for content_type in (b"application/json", b"application/x-www-form-urlencoded"):
            headers = [(b"Content-Type", content_type), *odd]
            answer = await desk.via.client.post("/slack/events", content=body, headers=headers)
            assert answer.status_code == 401


async def test_a_signed_body_that_cannot_be_read_is_the_senders_error(desk: SlackDesk) -> None:
    assert isinstance(desk.via, SignedHttp)
    assert (await desk.via.post("{", "application/json", {})).status_code == 400


async def test_slack_checks_the_address_with_a_challenge(desk: SlackDesk) -> None:
    assert isinstance(desk.via, SignedHttp)
    body = json.dumps({"type": "url_verification", "challenge": "abc", "token": "t"})
    answer = await desk.via.post(body, "application/json", {})
    assert answer.json() == {"challenge": "abc"}


async def test_the_assistant_pane_suggests_what_is_answered_most_and_then_what_the_knowledge_begins_with(
    desk: SlackDesk,
) -> None:
    cleo = desk.person("UCLEO")
    in_order = [KNOWN, "How do I export my data?", "What is your refund policy?", BROWSERS]
    assert await prompted(desk, cleo) == in_order
    for name in ("UCLEO", "UDAN"):
        ts = await desk.person(name).says("CHELP", BROWSERS)
        await desk.reply("CHELP", ts)
    assert await prompted(desk, cleo) == [BROWSERS, *in_order[:3]]


async def prompted(desk: SlackDesk, person: Person) -> list[str]:
    ts = await person.opens_assistant()
    asked = await desk.until(lambda: desk.world.prompts.get((f"D{person.user}", ts)))
    assert asked["title"] == "Often asked here"
    return [item["message"] for item in asked["prompts"]]


async def test_an_event_is_acknowledged_after_it_is_kept(desk: SlackDesk) -> None:
    cleo = desk.person("UCLEO")
    ts = await cleo.says("CHELP", KNOWN)
    assert (await desk.conversation("CHELP", ts)).first_line == KNOWN


async def test_an_event_that_could_not_be_kept_is_not_acknowledged(desk: SlackDesk) -> None:
    assert isinstance(desk.via, SignedHttp)
    cleo = desk.person("UCLEO")
    event = cleo.event_of("CHELP", cleo.writes("CHELP", KNOWN))
    async with database_of(desk.process.store).write() as connection:
        await connection.exec_driver_sql("ALTER TABLE messages RENAME TO hidden")
    body = json.dumps(cleo.envelope(event))
    assert (await desk.via.post(body, "application/json", {})).status_code == 500
    async with database_of(desk.process.store).write() as connection:
        await connection.exec_driver_sql("ALTER TABLE hidden RENAME TO messages")
    assert (await desk.via.post(body, "application/json", {"X-Slack-Retry-Num": "1"})).status_code == 200


async def test_without_tokens_slack_is_off(settings: Settings) -> None:
    async with open_desk(settings, chats=True) as process:
        assert "slack" not in process.channels
        assert not process.states.of("slack").is_on


@pytest.mark.parametrize("wrong", ["bot_token", "app_token"])
async def test_with_a_wrong_token_one_line_says_so_and_the_rest_runs(
    settings: Settings, slack: SlackServer, wrong: str
) -> None:
    values = with_slack(settings, slack).model_dump()
    values["slack"][wrong] = "xoxb-wrong"
    async with open_desk(Settings.model_validate(values), chats=True) as process:
        await process.store.accounts.workspaces.create("demo", "Demo")
        agent = Member("m", "demo", "a@demo.example", "A", Role.AGENT)
        desk = SlackDesk(process, slack, Socket(slack), agent)
        error = await desk.until(lambda: process.states.of("slack").last_error)
        assert f"check SLACK_{wrong.upper()}" in error
        assert "invalid_auth" in error


@pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning")  # slack_sdk 3.47 with aiohttp 3.14
async def test_a_team_adds_the_app_and_belongs_to_the_workspace_of_its_link(
    settings: Settings, slack: SlackServer
) -> None:
    oauth = with_slack(settings, slack, over_socket=False, client_id="1.2", client_secret="s")
    async with open_desk(oauth, chats=True) as process, serving(process) as client:
        await process.store.accounts.workspaces.create("acme", "Acme")
        document = await process.store.knowledge.catalogue.create("acme", "faq.csv", FAQ)
        await process.store.knowledge.catalogue.load_document(document.id)
        link = SlackInstallLinks(oauth).install_url("acme")
        assert (await client.get("/slack/install")).status_code >= 400
        redirect = await client.get(link)
        state = parse_qs(urlsplit(redirect.headers["location"]).query)["state"][0]
        cookie = redirect.headers["set-cookie"].partition(";")[0]
        back = f"/slack/oauth_redirect?code=T7&state={state}"
        assert (await client.get(back)).status_code == 400, "another browser"
        done = await client.get(back, headers={"cookie": cookie})
        assert done.status_code == 200, done.text
        assert (await client.get(back, headers={"cookie": cookie})).status_code == 401, "used twice"
        agent = await process.store.accounts.members.add("acme", "a@acme.example", "A", Role.AGENT, PASSWORD)
        desk = SlackDesk(process, slack, SignedHttp(client), agent)
        ts = await desk.person("U7", team="T7").says("C7", f"<@{BOT_USER}> {KNOWN}")
        assert "Forgot password" in text_of(await desk.reply("C7", ts))
        await desk.person("U7", team="T7").tells({"type": "app_uninstalled"})
        assert await process.store.channels.installations.all("slack") == []


@pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning")  # slack_sdk 3.47 with aiohttp 3.14
async def test_a_whole_organisation_is_refused_with_what_to_do(settings: Settings, slack: SlackServer) -> None:
    oauth = with_slack(settings, slack, over_socket=False, client_id="1.2", client_secret="s")
    async with open_desk(oauth, chats=True) as process, serving(process) as client:
        await process.store.accounts.workspaces.create("acme", "Acme")
        redirect = await client.get(SlackInstallLinks(oauth).install_url("acme"))
        state = parse_qs(urlsplit(redirect.headers["location"]).query)["state"][0]
        cookie = redirect.headers["set-cookie"].partition(";")[0]
        with capture_logs() as logged:
            answer = await client.get(f"/slack/oauth_redirect?code=E9&state={state}", headers={"cookie": cookie})
        assert answer.status_code == 403
        assert "whole Slack organisation" in answer.text
        assert "choose a single workspace" in answer.text
        assert [line["enterprise"] for line in logged if line["event"] == "slack organisation refused"] == ["E9"]
        assert await process.store.channels.installations.all("slack") == []


async def test_a_token_of_a_whole_organisation_is_refused_and_the_rest_runs(
    settings: Settings, slack: SlackServer
) -> None:
    slack.world.tokens["xoxb-org"] = "E9"
    async with open_desk(with_slack(settings, slack, bot_token="xoxb-org"), chats=True) as process:
        state = process.states.of("slack")
        assert not state.is_on
        assert "whole organisation" in state.last_error
        assert "single workspace" in state.last_error
        assert "check SLACK_BOT_TOKEN" in state.last_error
