"""What leaks beside the answers: files that others can read, tracebacks in the log, tokens in caches; and HEAD."""

import stat
from pathlib import Path

import httpx
import pytest
import structlog

from storage.database.data_folder import check_data_dir
from tests.support.intruders import Scene
from tests.support.settings import settings_for
from tests.support.whole_desk import open_desk

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    # Gradio calls pandas so, now and then, to sum up its own queue.
    pytest.mark.filterwarnings("ignore:The copy keyword is deprecated"),
]


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_nobody_else_on_the_machine_can_read_the_rows(scene: Scene) -> None:
    folder = scene.served.process.settings.data_dir
    assert mode_of(folder) == 0o700
    kept = [path for path in folder.iterdir() if path.suffix in (".db", ".db-wal", ".db-shm") or path.name == "secret"]
    assert {path.name for path in kept} >= {"deskhand.db", "deskhand.db-wal", "checkpoints.db", "secret"}
    assert {mode_of(path) for path in kept} == {0o600}


async def test_what_an_earlier_version_left_open_is_closed_at_the_next_start(tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    async with open_desk(settings):
        pass
    settings.data_dir.chmod(0o755)
    for name in ("deskhand.db", "checkpoints.db", "secret"):
        (settings.data_dir / name).chmod(0o644)
    check_data_dir(settings.data_dir)
    assert mode_of(settings.data_dir) == 0o700
    assert {mode_of(settings.data_dir / name) for name in ("deskhand.db", "checkpoints.db", "secret")} == {0o600}


async def test_gradio_prints_no_exception_with_its_words(scene: Scene, capfd: pytest.CaptureFixture[str]) -> None:
    config = (await scene.foreign.client.get("/config")).json()
    words = "my card is 4929"
    with structlog.testing.capture_logs() as logged:
        for one in config["dependencies"]:
            await scene.foreign.event(one["id"], [words] * len(one["inputs"]))
    assert "gradio event failed" in {line["event"] for line in logged}
    printed = capfd.readouterr()
    assert "Traceback" not in printed.out + printed.err
    assert words not in printed.out + printed.err


@pytest.mark.parametrize(
    "path", ["/", "/login", "/chat", "/docs", "/health", "/health/live", "/workbench/ui/theme.css"]
)
async def test_head_is_get_without_the_body(scene: Scene, path: str) -> None:
    for visitor in (scene.victim, scene.nobody):
        read, asked = await visitor.client.get(path), await visitor.client.head(path)
        assert asked.status_code == read.status_code
        assert asked.content == b""
        names = {"content-type", "content-security-policy", "cache-control", "location"}
        for name in names:
            assert asked.headers.get(name) == read.headers.get(name), name


async def test_tokens_are_kept_by_no_cache(scene: Scene) -> None:
    opened = await scene.nobody.client.post("/api/v1/conversations", json={"workspace": "other"})
    assert opened.status_code == httpx.codes.CREATED
    assert opened.headers["cache-control"] == "no-store"
    assert (await scene.agent.client.get("/api/v1/auth/me")).headers["cache-control"] == "no-store"
