"""What only a Chroma server can do: be away, hang, come back empty; the desk notices in time and goes on by itself."""

import http.server
import signal
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from storage.embeddings.protocol import Embedder
from storage.errors import UnavailableError
from storage.knowledge.vectors import VectorStore, open_vectors
from storage.operations.doctor import run_checks
from storage.records import ConversationStatus
from storage.settings import Settings
from tests.contract.desk.test_desk import KNOWN, talking
from tests.contract.knowledge.test_vectors import X, write
from tests.support.chroma_server import ChromaServer, free_port
from tests.support.rows import audit_trail
from tests.support.settings import settings_for


@pytest.fixture
def impatient(tmp_path: Path, own_chroma_server: ChromaServer) -> Settings:
    return settings_for(tmp_path, chroma={"url": own_chroma_server.url, "timeout_seconds": 1.0})


EVERY_CALL: tuple[Callable[[VectorStore], object], ...] = (
    lambda vectors: write(vectors, "demo"),
    lambda vectors: vectors.query("demo", X, 1),
    lambda vectors: vectors.cosines("demo", X, ["x:0"]),
    lambda vectors: vectors.owners("demo"),
    lambda vectors: vectors.remove("demo", "first"),
    lambda vectors: vectors.prune("demo", ["x:0"]),
    lambda vectors: vectors.count("demo"),
    lambda vectors: vectors.check(),
)


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGKILL])
def test_a_server_that_is_away_says_so_and_its_vectors_are_there_when_it_is_back(
    own_chroma_server: ChromaServer, impatient: Settings, sign: signal.Signals
) -> None:
    with closing(open_vectors(impatient, "a model")) as vectors:
        write(vectors, "demo")
        own_chroma_server.stop(sign)
        for call in EVERY_CALL:
            with pytest.raises(UnavailableError, match="does not answer"):
                call(vectors)
        own_chroma_server.start()
        assert list(vectors.query("demo", X, 1)) == ["x:0"]
        assert vectors.count("demo") == 3


def test_a_server_that_hangs_is_given_up_in_time_and_used_again_when_it_goes_on(
    own_chroma_server: ChromaServer, impatient: Settings
) -> None:
    with closing(open_vectors(impatient, "a model")) as vectors:
        write(vectors, "demo")
        own_chroma_server.freeze()
        for call in EVERY_CALL[:3]:
            with pytest.raises(UnavailableError, match="does not answer"):
                call(vectors)
        own_chroma_server.thaw()
        assert list(vectors.query("demo", X, 1)) == ["x:0"]


def test_a_server_that_lost_its_folder_gets_new_vectors_without_a_restart(
    own_chroma_server: ChromaServer, impatient: Settings, tmp_path: Path
) -> None:
    with closing(open_vectors(impatient, "a model")) as vectors:
        write(vectors, "demo")
        own_chroma_server.stop()
        own_chroma_server.folder = tmp_path / "an empty folder"
        own_chroma_server.start()
        assert vectors.query("demo", X, 1) == {}
        write(vectors, "demo")
        assert vectors.count("demo") == 3


class Stranger(http.server.BaseHTTPRequestHandler):
    """Something else on Chroma's port, such as a proxy without its server."""

    answer = (502, "text/html", b"<h1>Bad gateway</h1>")

    def do_GET(self) -> None:
        status, kind, body = self.answer
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 - http.server's names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's signature
        """Say nothing."""


@pytest.mark.parametrize(
    "answer",
    [
        (502, "text/html", b"<h1>Bad gateway</h1>"),
        (200, "text/html", b"<h1>Welcome</h1>"),
        (403, "application/json", b'{"detail": "forbidden"}'),
        (500, "application/json", b'["strange"]'),
    ],
)
def test_another_program_at_the_address_is_told_from_a_chroma_server(
    tmp_path: Path, answer: tuple[int, str, bytes]
) -> None:
    handler = type("Answering", (Stranger,), {"answer": answer})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as stranger:
        threading.Thread(target=stranger.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{stranger.server_port}"
        with pytest.raises(UnavailableError, match=f"the Chroma server at {url} does not answer") as caught:
            open_vectors(settings_for(tmp_path, chroma={"url": url}), "a model")
        stranger.shutdown()
    assert f"status {answer[0]}" in caught.value.detail
    assert "chroma.url" in caught.value.detail


async def test_the_doctor_says_that_the_server_is_away_and_what_to_do(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    findings = {finding.name: finding for finding in await run_checks(settings_for(tmp_path, chroma={"url": url}))}
    assert not findings["vectors"].good
    assert findings["vectors"].detail.startswith(f"the Chroma server at {url} does not answer (")
    assert "DESKHAND_CHROMA__URL" in findings["vectors"].detail


@pytest.mark.parametrize("away", ["stopped", "frozen", "emptied"])
async def test_turns_reach_a_person_while_the_vectors_are_away_and_are_answered_when_they_are_back(
    own_chroma_server: ChromaServer, impatient: Settings, embedder: Embedder, away: str
) -> None:
    settings = impatient.model_copy(update={"jobs": impatient.jobs.model_copy(update={"max_attempts": 2})})
    async with talking(settings, embedder) as talk:
        take_away(own_chroma_server, away)
        stranded = await talk.say(KNOWN, "during")
        assert await talk.authors(stranded) == ["customer", "system"]
        assert await talk.status(stranded) is ConversationStatus.ASSIGNED
        trail = await audit_trail(talk.store, "demo", stranded)
        reasons = [str(event.data) for event in trail if event.kind == "conversation.handed-to-person"]
        words = "deskhand db reindex" if away == "emptied" else "The vector store does not answer"
        assert len(reasons) == 1
        assert words in reasons[0]
        bring_back(own_chroma_server, away)
        if away == "emptied":
            await talk.store.knowledge.index.reindex("demo")
        answered = await talk.say(KNOWN, "after")
        assert await talk.authors(answered) == ["customer", "bot"]


def take_away(server: ChromaServer, away: str) -> None:
    if away == "frozen":
        server.freeze()
        return
    server.stop()
    if away == "emptied":
        server.folder = server.folder.with_name("an empty folder")
        server.start()


def bring_back(server: ChromaServer, away: str) -> None:
    if away == "frozen":
        server.thaw()
    elif away == "stopped":
        server.start()
