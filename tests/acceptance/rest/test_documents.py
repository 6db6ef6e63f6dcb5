"""Loading and deleting documents over REST."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from graph.triage.classifier import Classifier
from storage.embeddings.protocol import Embedder
from storage.records import DocumentStatus
from tests.support.rest import (
    API,
    Rest,
    assert_problem,
    open_rest,
)
from tests.support.settings import settings_for
from tests.support.waiting import until

pytest_plugins = ["tests.support.rest_fixtures"]

FAQ = b"question,answer\nHow do I reset?,Click here.\nNo answer?,\n"


async def test_a_loaded_file_is_ready_with_its_entries_and_what_was_refused(rest_on_each: Rest) -> None:
    rest = rest_on_each
    rest.work()
    answer = await rest.admin.upload("folder\\faq.csv", FAQ)
    assert answer.status_code == 202
    loading = answer.json()
    assert loading.keys() == {"id", "status"}
    assert loading["status"] == "loading"

    async def ended() -> dict[str, Any] | None:
        document: dict[str, Any] = (await rest.agent.get(f"/documents/{loading['id']}")).json()
        return document if document["status"] != "loading" else None

    document = await until(ended)
    assert document.keys() == {"id", "filename", "status", "entries", "refused", "error", "size", "created_at"}
    assert (document["filename"], document["status"], document["entries"]) == ("faq.csv", "ready", 1)
    (refused,) = document["refused"]
    assert refused["row"] == 3
    assert refused["reason"]
    assert (await rest.agent.get("/documents")).json() == {"items": [document], "next": None}
    answered = (await rest.agent.post("/answers", {"question": "How do I reset?"})).json()
    assert answered["citations"][0]["document_id"] == document["id"]


async def test_a_deleted_document_answers_nothing_more(rest_on_each: Rest) -> None:
    rest = rest_on_each
    document = await rest.process.store.knowledge.catalogue.create("demo", "faq.csv", FAQ)
    await rest.process.store.knowledge.catalogue.load_document(document.id)
    answer = await rest.admin.delete(f"/documents/{document.id}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert_problem(await rest.agent.get(f"/documents/{document.id}"), 404, "not-found")
    assert_problem(await rest.admin.delete(f"/documents/{document.id}"), 404, "not-found")
    assert (await rest.agent.post("/answers", {"question": "How do I reset?"})).json()["can_answer"] is False


async def test_agents_load_and_delete_nothing(rest: Rest) -> None:
    document = await rest.process.store.knowledge.catalogue.create("demo", "faq.csv", FAQ)
    assert_problem(await rest.agent.upload("faq.csv", FAQ), 403, "not-allowed")
    assert_problem(await rest.agent.delete(f"/documents/{document.id}"), 403, "not-allowed")
    assert len((await rest.agent.get("/documents")).json()["items"]) == 1


@pytest.mark.parametrize(
    ("filename", "content"),
    [
        ("picture.png", b"\x89PNG"),
        ("noextension", FAQ),
        ("empty.csv", b" \n"),
        ("broken.json", b"{"),
        ("binary.csv", b"\xff\xfe\x00\xd8"),
    ],
)
async def test_a_file_that_cannot_be_read_is_refused_with_what_is_accepted(
    rest: Rest, filename: str, content: bytes
) -> None:
    problem = assert_problem(await rest.admin.upload(filename, content), 422, "unreadable-file")
    assert ".csv" in problem["accepted"]
    assert (await rest.admin.get("/documents")).json()["items"] == []


@pytest.mark.parametrize(
    "body",
    [
        {"json": {"file": "x"}},
        {"data": {"file": "not a file"}},
        {"files": {"other": ("faq.csv", FAQ)}},
        {"files": [("file", ("a.csv", FAQ)), ("file", ("b.csv", FAQ))]},
        {"content": b"nonsense", "headers": {"Content-Type": "multipart/form-data; boundary=x"}},
        {"content": b"--x", "headers": {"Content-Type": "multipart/form-data"}},
        {},
    ],
)
async def test_what_is_no_form_with_a_file_is_invalid(rest: Rest, body: dict[str, Any]) -> None:
    given = {**rest.admin.headers, **body.pop("headers", {})}
    answer = await rest.client.post(f"{API}/documents", headers=given, **body)
    assert_problem(answer, 422, "invalid")


async def test_a_file_over_the_limit_is_refused_while_it_comes_in(rest: Rest) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="big.csv"\r\n\r\n'
        while sent < 100_000_000:
            sent += 1_000_000
            yield b"x" * 1_000_000

    headers = {**rest.admin.headers, "Content-Type": "multipart/form-data; boundary=x"}
    answer = await rest.client.post(f"{API}/documents", content=endless(), headers=headers)
    assert_problem(answer, 413, "too-large")
    assert sent < 25_000_000


async def test_a_file_of_the_limit_is_taken_and_one_byte_more_is_not(
    tmp_path: Path, embedder: Embedder, classifier: Classifier
) -> None:
    most = 1024 * 1024
    text = b"# Title\n\n" + b"Some help for everybody who asks. " * 1000
    async with open_rest(settings_for(tmp_path, web={"max_upload_mb": 1}), embedder, classifier) as rest:
        assert (await rest.admin.upload("help.md", text.ljust(most))).status_code == 202
        problem = assert_problem(await rest.admin.upload("help.md", text.ljust(most + 1)), 413, "too-large")
    assert problem["detail"] == "The file is larger than 1 MB."


async def test_a_document_whose_load_fails_says_why(rest: Rest) -> None:
    answer = await rest.admin.upload("faq.csv", b"question,answer\nNo answer?,\n")
    assert answer.status_code == 202
    await rest.process.store.knowledge.catalogue.load_document(answer.json()["id"])
    document = (await rest.agent.get(f"/documents/{answer.json()['id']}")).json()
    assert document["status"] == DocumentStatus.FAILED
    assert document["error"]
