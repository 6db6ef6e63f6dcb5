"""A path or an address from a browser opens nothing: neither by an event nor by the framework's own routes."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.intruders import CONFIDENTIAL_FAQ, Scene, Visitor

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    # Gradio calls pandas so, now and then, to sum up its own queue.
    pytest.mark.filterwarnings("ignore:The copy keyword is deprecated"),
]
STOLEN = "the server's own words"


def confidential_file(scene: Scene) -> Path:
    path = scene.folder / "notes.md"
    path.write_text(f"# Notes\n\n{STOLEN}\n", encoding="utf-8")
    return path


def file_data(path: str) -> dict[str, Any]:
    return {"path": path, "meta": {"_type": "gradio.FileData"}}


async def dependencies(visitor: Visitor) -> list[dict[str, Any]]:
    config = (await visitor.client.get("/config")).json()
    return list(config["dependencies"])


async def test_an_admin_of_any_workspace_cannot_make_a_document_of_a_file_of_the_server(scene: Scene) -> None:
    path = confidential_file(scene)
    knowledge = scene.served.process.store.knowledge.catalogue
    for one in await dependencies(scene.foreign):
        for data in ([[file_data(str(path))]], [file_data(str(path))], [{"value": file_data(str(path))}]):
            await scene.foreign.event(one["id"], data[: len(one["inputs"])] or data)
    documents = await knowledge.list("other")
    assert [document.filename for document in documents] == []


@pytest.mark.parametrize("who", ["agent", "foreign", "victim"])
async def test_no_event_takes_a_path_an_address_or_a_field_that_the_pages_do_not_send(scene: Scene, who: str) -> None:
    visitor: Visitor = getattr(scene, who)
    one = (await dependencies(visitor))[0]["id"]
    for planted in (file_data("/etc/hostname"), file_data("http://127.0.0.1:1/x"), {"a": [{"path": "/etc/hostname"}]}):
        bodies: list[dict[str, Any]] = [{"data": [planted]}, {"data": [], "event_data": planted}]
        for body in bodies:
            answer = await visitor.client.post(
                "/gradio_api/queue/join", json={"fn_index": one, "session_hash": "planted", **body}
            )
            assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY, body
    for field in ("oauth_token", "batched", "request", "simple_format", "event_id"):
        answer = await visitor.join(one, [], "fields", **{field: "x"})
        assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY, field


async def test_the_frameworks_own_uploads_downloads_and_proxies_are_closed_to_everybody(scene: Scene) -> None:
    path = confidential_file(scene)
    for visitor in (scene.victim, scene.agent, scene.foreign, scene.nobody):
        posted = await visitor.client.post("/gradio_api/upload", files={"files": ("faq.csv", CONFIDENTIAL_FAQ)})
        assert posted.status_code == httpx.codes.NOT_FOUND
        for closed in ("upload_progress?upload_id=x", f"file={path}", f"file/{path}", "proxy=http://127.0.0.1/"):
            assert (await visitor.client.get(f"/gradio_api/{closed}")).status_code == httpx.codes.NOT_FOUND, closed


async def test_only_an_admin_uploads_from_our_own_page_and_into_their_own_workspace(scene: Scene) -> None:
    file = {"file": ("faq.csv", CONFIDENTIAL_FAQ)}

    async def upload(visitor: Visitor, **headers: str) -> httpx.Response:
        cookie_only = {"Authorization": "", **headers}
        return await visitor.client.post("/workbench/documents", files=file, headers=cookie_only)

    assert (await upload(scene.nobody)).status_code == httpx.codes.UNAUTHORIZED
    assert (await upload(scene.agent)).status_code == httpx.codes.FORBIDDEN
    assert (await upload(scene.victim, Origin="https://evil.example")).status_code == httpx.codes.FORBIDDEN
    before = await scene.served.process.store.knowledge.catalogue.list("victim")
    loaded = await upload(scene.foreign)
    assert loaded.status_code == httpx.codes.ACCEPTED
    catalogue = scene.served.process.store.knowledge.catalogue
    assert [document.id for document in await catalogue.list("other")] == [loaded.json()["id"]]
    assert await catalogue.list("victim") == before
    await catalogue.delete("other", loaded.json()["id"])
    limit = scene.served.process.settings.web.max_upload_mb
    huge = await scene.foreign.client.post(
        "/workbench/documents",
        files={"file": ("a.txt", b"x" * (limit * 1024 * 1024 + 1))},
        timeout=60,  # A busy machine reads slowly.
    )
    assert huge.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE
