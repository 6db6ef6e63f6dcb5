"""The simulated Discord keeps Discord's documented rules, seen by a plain HTTP client."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.simulators.discord.server import TOKEN, DiscordSimulator
from tests.simulators.discord.world import Payload

HEADERS = {"Authorization": f"Bot {TOKEN}"}


@pytest.fixture
async def simulator() -> AsyncIterator[DiscordSimulator]:
    async with DiscordSimulator() as simulator:
        yield simulator


@pytest.fixture
async def client(simulator: DiscordSimulator) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(headers=HEADERS) as client:
        assert simulator.api_url
        yield client


@pytest.fixture
def general(simulator: DiscordSimulator) -> Payload:
    return simulator.world.add_channel(simulator.world.add_guild("Acme"), "general")


def messages(simulator: DiscordSimulator, channel: Payload) -> str:
    return f"{simulator.api_url}/channels/{channel['id']}/messages"


async def test_an_enforced_nonce_gives_the_first_message_again(
    simulator: DiscordSimulator, client: aiohttp.ClientSession, general: Payload
) -> None:
    body = {"content": "once", "nonce": "n1", "enforce_nonce": True}
    first = await (await client.post(messages(simulator, general), json=body)).json()
    second = await (await client.post(messages(simulator, general), json=body)).json()
    assert first["id"] == second["id"]
    plain = await (await client.post(messages(simulator, general), json={**body, "enforce_nonce": False})).json()
    assert plain["id"] != first["id"]
    found = await (await client.get(f"{messages(simulator, general)}/{first['id']}")).json()
    assert "nonce" not in found


@pytest.mark.parametrize(
    "body",
    [
        {"content": "x" * 2001},
        {"content": "x", "nonce": "n" * 26},
        {"content": " "},
        {"content": "x", "embeds": [{"description": "y" * 6001}]},
        {"content": "x", "components": [{"type": 1, "components": [{"custom_id": "a"}, {"custom_id": "a"}]}]},
    ],
)
async def test_what_breaks_a_limit_is_refused(
    simulator: DiscordSimulator, client: aiohttp.ClientSession, general: Payload, body: Payload
) -> None:
    answer = await client.post(messages(simulator, general), json=body)
    assert answer.status == 400
    assert simulator.messages(general) == []


async def test_a_bucket_counts_down_and_then_asks_to_wait(
    simulator: DiscordSimulator, client: aiohttp.ClientSession, general: Payload
) -> None:
    remaining = []
    for _ in range(5):
        answer = await client.post(messages(simulator, general), json={"content": "x"})
        remaining.append(answer.headers["X-RateLimit-Remaining"])
    assert remaining == ["4", "3", "2", "1", "0"]
    refused = await client.post(messages(simulator, general), json={"content": "x"})
    assert refused.status == 429
    assert 0 < (await refused.json())["retry_after"] <= 5
    assert refused.headers["Via"]


async def test_a_wrong_token_is_unauthorized(simulator: DiscordSimulator) -> None:
    async with aiohttp.ClientSession(headers={"Authorization": "Bot nobody"}) as stranger:
        answer = await stranger.get(f"{simulator.api_url}/users/@me")
        assert answer.status == 401


async def test_the_gateway_says_hello_and_closes_on_intents_that_are_not_granted(
    simulator: DiscordSimulator, client: aiohttp.ClientSession
) -> None:
    simulator.gateway.allowed_intents = 0
    async with client.ws_connect(simulator.gateway.url) as socket:
        assert (await socket.receive_json())["op"] == 10
        await socket.send_json({"op": 1, "d": None})
        assert (await socket.receive_json())["op"] == 11
        await socket.send_json({"op": 2, "d": {"token": TOKEN, "intents": 1 << 15}})
        await socket.receive()
        assert socket.close_code == 4014


async def test_a_resume_replays_what_was_missed(
    simulator: DiscordSimulator, client: aiohttp.ClientSession, general: Payload
) -> None:
    identify = {"op": 2, "d": {"token": TOKEN, "intents": 1 | 1 << 9 | 1 << 15}}
    async with client.ws_connect(simulator.gateway.url) as socket:
        await socket.receive_json()
        await socket.send_json(identify)
        ready = await socket.receive_json()
        seen = (await socket.receive_json())["s"]
    simulator.person("ann").say(general, "missed")
    resume = {"op": 6, "d": {"token": TOKEN, "session_id": ready["d"]["session_id"], "seq": seen}}
    async with client.ws_connect(simulator.gateway.url) as socket:
        await socket.receive_json()
        await socket.send_json(resume)
        assert (await socket.receive_json())["d"]["content"] == "missed"
        assert (await socket.receive_json())["t"] == "RESUMED"
