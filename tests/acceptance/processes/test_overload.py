"""More than can be answered at once, through the customers' front door."""

import asyncio
from pathlib import Path

from storage.embeddings.protocol import Embedder
from tests.acceptance.rest.test_chat import problem
from tests.support.settings import settings_for
from tests.support.waiting import until
from tests.support.web_desk import open_web_desk


async def test_a_customer_who_writes_far_too_much_is_told_when_to_come_back(tmp_path: Path, embedder: Embedder) -> None:
    limits = {"customer_per_minute": 2, "longest_wait_seconds": 40}
    async with open_web_desk(settings_for(tmp_path, limits=limits), embedder) as desk:
        chat = await desk.opened()
        answers = [await chat.write("hello") for _ in range(4)]
        assert [answer.status_code for answer in answers] == [202, 202, 202, 429]
        assert problem(answers[-1], 429) == "too-many-messages"
        assert 15 <= int(answers[-1].headers["Retry-After"]) <= 20
        authors = [message["author"] for message in (await chat.read())["messages"]]
        assert authors == ["customer", "customer", "customer", "system"]


async def test_streams_have_a_bound_and_a_seat_is_free_when_one_has_ended(tmp_path: Path, embedder: Embedder) -> None:
    async with open_web_desk(settings_for(tmp_path, web={"listeners": 2}), embedder) as desk:
        chat = await desk.opened()
        path = f"/api/v1/conversations/{chat.id}/events"
        first, second = (
            desk.client.stream("GET", path, headers=chat.headers),
            desk.client.stream("GET", path, headers=chat.headers),
        )
        async with first as open_stream:
            async with second:
                refused = await desk.client.get(path, headers=chat.headers)
                assert problem(refused, 503) == "overloaded"
                assert int(refused.headers["Retry-After"]) > 0
                assert "try again" in refused.json()["detail"]
                # Whoever would wait for a reply is not turned away: the message is kept, and they are told so.
                taken = await asyncio.wait_for(chat.write("hello", wait=30), 20)
                assert (taken.status_code, taken.json()["status"]) == (202, "accepted")
            assert open_stream.status_code == 200

            async def lets_in() -> bool:
                async with desk.client.stream("GET", path, headers=chat.headers) as again:
                    return again.status_code == 200

            await until(lets_in)
