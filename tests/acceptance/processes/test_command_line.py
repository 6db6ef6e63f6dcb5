"""The `deskhand` command as an engineer uses it: a real process, its output and its exit code."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from storage.embeddings.protocol import Embedder
from tests.support.command import (
    PATIENCE,
    deskhand,
    environment_for,
    one_line,
    running,
)
from tests.support.settings import settings_for
from tests.support.shared_model import lend_model
from tests.support.store import open_test_store


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return environment_for(tmp_path / "data")


def passwords(said: str) -> Iterator[str]:
    return (line.split("password: ")[1].strip() for line in said.splitlines() if "password: " in line)


async def test_a_first_start_makes_the_demo_and_a_second_one_keeps_everything(environment: dict[str, str]) -> None:
    base_url = f"http://127.0.0.1:{environment['DESKHAND_WEB__PORT']}"
    async with running(environment, "demo") as (process, said), httpx.AsyncClient(base_url=base_url) as client:
        assert f"http://localhost:{environment['DESKHAND_WEB__PORT']}/chat" in said
        admin, _ = passwords(said)
        assert (await client.get("/health")).json()["ready"] is True
        opened = (await client.post("/api/v1/conversations", json={"workspace": "demo", "customer": {}})).json()
        bearer = {"Authorization": f"Bearer {opened['customer_token']}"}
        messages = f"/api/v1/conversations/{opened['id']}/messages"
        asked = {"text": "How do I reset my password?"}
        # The demo's knowledge is there as soon as the desk says that it is ready.
        answer = await client.post(messages, params={"wait": 30}, json=asked, headers=bearer, timeout=60)
        assert answer.json()["status"] == "answered"
        process.send_signal(signal.SIGINT)
        _, errors = await asyncio.wait_for(process.communicate(), PATIENCE)
        assert process.returncode == 0, errors.decode()
    async with running(environment, "demo") as (_, said), httpx.AsyncClient(base_url=base_url) as client:
        assert "password" not in said
        login = await client.post("/api/v1/auth/login", data={"username": "admin@demo.example", "password": admin})
        assert login.status_code == 200
        kept = (await client.get(f"/api/v1/conversations/{opened['id']}", headers=bearer)).json()
        assert [message["author"] for message in kept["messages"]] == ["customer", "bot"]
    stored = await asyncio.to_thread(whole_database, Path(environment["DESKHAND_DATA_DIR"]))
    assert admin.encode() not in stored
    # 64 MiB, three passes, four lanes: the library's default, by RFC 9106's second recommendation.
    assert b"$argon2id$v=19$m=65536,t=3,p=4$" in stored


def whole_database(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("deskhand.db*"))


async def test_a_taken_port_is_one_clear_line_and_exit_code_2(environment: dict[str, str]) -> None:
    with contextlib.closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", int(environment["DESKHAND_WEB__PORT"])))
        taken.listen()
        code, _, errors = await deskhand(environment, "up")
    assert code == 2
    assert one_line(errors).startswith(
        f"deskhand: port {environment['DESKHAND_WEB__PORT']} on 127.0.0.1 cannot be used"
    )
    assert "DESKHAND_WEB__PORT" in errors


async def test_an_unwritable_data_folder_is_one_clear_line_and_exit_code_2(
    environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("not a folder")
    code, _, errors = await deskhand({**environment, "DESKHAND_DATA_DIR": str(tmp_path / "file" / "data")}, "up")
    assert code == 2
    assert "cannot be written" in one_line(errors)
    assert "DESKHAND_DATA_DIR" in errors


async def test_a_broken_key_is_one_clear_line_and_exit_code_2(environment: dict[str, str]) -> None:
    code, _, errors = await deskhand({**environment, "DESKHAND_WEB__PROT": "1"}, "up")
    assert code == 2
    assert one_line(errors) == "deskhand: unknown setting `web.prot`; did you mean `web.port`?"


async def test_a_database_that_is_away_is_one_clear_line_and_exit_code_2(environment: dict[str, str]) -> None:
    code, _, errors = await deskhand({**environment, "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}, "up")
    assert code == 2
    assert "the database cannot be migrated" in one_line(errors)


async def test_the_doctor_says_what_is_there_and_what_is_missing(environment: dict[str, str]) -> None:
    code, output, _ = await deskhand(environment, "doctor")
    assert code == 0
    for words in ("SQLite answers", "all-MiniLM-L6-v2 gives 384", "Chroma in the data folder", "none set: answers"):
        assert words in output
    assert "set SLACK_BOT_TOKEN" in output
    assert "set DISCORD_BOT_TOKEN" in output
    code, output, _ = await deskhand(
        {**environment, "SLACK_BOT_TOKEN": "xoxb-1", "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}, "doctor"
    )
    assert code == 1
    assert "SLACK_APP_TOKEN or SLACK_SIGNING_SECRET must be set" in output
    assert "the database does not answer" in output
    assert "xoxb-1" not in output


async def test_files_are_ingested_and_the_desk_answers_from_them_in_the_terminal(
    environment: dict[str, str], tmp_path: Path, embedder: Embedder
) -> None:
    lend_model(tmp_path / "data")
    table = tmp_path / "faq.csv"
    table.write_text("question,answer\nHow do I fly the kite?,Run against the wind.\n,nothing asked\n")
    code, _, errors = await deskhand(environment, "ingest", str(table))
    assert code == 2
    assert "There is no workspace `demo`" in errors
    async with open_test_store(settings_for(tmp_path), embedder):
        pass
    code, output, _ = await deskhand(environment, "ingest", str(table))
    assert code == 0
    assert "faq.csv: ready, 1 entries" in output
    assert "row 3:" in output
    code, output, _ = await deskhand(environment, "chat", typed="How do I fly the kite?\n\n")
    assert code == 0
    assert "Run against the wind." in output


async def test_members_are_added_listed_and_their_passwords_reset(
    environment: dict[str, str], tmp_path: Path, embedder: Embedder
) -> None:
    async with open_test_store(settings_for(tmp_path), embedder):
        pass
    code, output, _ = await deskhand(environment, "member", "add", "new@demo.example", "--role", "admin")
    assert code == 0
    assert "password: " in output
    code, output, _ = await deskhand(environment, "member", "reset", "new@demo.example")
    assert code == 0
    code, output, _ = await deskhand(environment, "member", "list")
    assert "new@demo.example  admin" in output
    code, _, errors = await deskhand(environment, "member", "reset", "nobody@demo.example")
    assert code == 2
    assert "is no member of `demo`" in errors
