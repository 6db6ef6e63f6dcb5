"""What nodes depend on, with nothing behind it."""

from collections.abc import Collection

from langgraph.runtime import Runtime

from graph.classification import TextScores
from graph.llm.protocol import ChatModel
from graph.state import Deps, State, TurnInput
from storage.errors import UnavailableError
from storage.records import Chunk, ChunkKind, GuardAction, GuardResult, Hit, Triage, WorkspaceSettings
from storage.settings import Settings

QUESTION = "How do I reset my password?"
HIT = Hit(
    chunk=Chunk(
        id="c",
        workspace_id="w",
        document_id="d",
        kind=ChunkKind.FAQ,
        title=QUESTION,
        text="Click the link.",
        position=0,
    ),
    score=0.9,
    dense=0.95,
    keyword=1.0,
    matched=QUESTION,
    agreement=0.9,
)


class StubClassifier:
    """Finds every text ordinary."""

    def scores(self, text: str) -> TextScores:
        assert text
        return TextScores(
            intents={"question": 0.9, "technical": 0.0, "billing": 0.0, "account": 0.1, "other": 0.0, "complaint": 0.0,
                     "refund": 0.0},
            wants_human=0.0,
            high_urgency=0.0,
            low_urgency=0.0,
            injection=0.0,
        )  # fmt: skip

    def is_cached(self, text: str) -> bool:
        return bool(text)


class StubKnowledge:
    """Gives the one hit, and notes what it was asked."""

    def __init__(self, *, broken: bool = False) -> None:
        self.broken = broken
        self.asked: list[tuple[str, str, int, frozenset[str]]] = []

    async def search(
        self, workspace_id: str, query: str, limit: int = 5, exclude: Collection[str] = frozenset()
    ) -> tuple[Hit, ...]:
        self.asked.append((workspace_id, query, limit, frozenset(exclude)))
        if self.broken:
            raise UnavailableError("gone")
        return (HIT,)


def runtime(knowledge: StubKnowledge | None = None, model: ChatModel | None = None) -> Runtime[Deps]:
    """A node's runtime."""
    # The search is all that the nodes use of the knowledge.
    found: object = knowledge or StubKnowledge()
    return Runtime(context=Deps(Settings(), found, StubClassifier(), model))  # type: ignore[arg-type]  # a part of it


def state(question: str = QUESTION, **settings: object) -> State:
    """A turn's state behind guard and triage."""
    turn = TurnInput(
        workspace_id="w",
        conversation_id="c",
        turn_id="0" * 32,
        channel="web",
        question=question,
        settings=WorkspaceSettings().model_copy(update=settings),
    )
    return State(
        turn=turn,
        guard=GuardResult(action=GuardAction.PASS, text=question),
        triage=Triage(intent="question", standalone_question=question),
        version=1,
    )
