"""The node searches for what the customer means, and not for small talk."""

from langgraph.runtime import Runtime

from graph.nodes.retrieve import retrieve
from graph.state import Deps, State, TurnInput
from graph.triage.classifier import Classifier
from storage.knowledge.documents.parsed import ParsedChunk, ParsedFile
from storage.records import ChunkKind, GuardAction, GuardResult, Triage
from storage.settings import Settings
from storage.store import Store

ENTRIES = (
    ParsedChunk(ChunkKind.FAQ, "How do I reset my password?", "Click the link."),
    ParsedChunk(ChunkKind.FAQ, "How do I change my password?", "In the profile."),
    ParsedChunk(ChunkKind.FAQ, "Where are my invoices?", "Under Billing."),
)


async def found(store: Store, **changes: object) -> list[str]:
    if not await store.knowledge.catalogue.list("demo"):
        await store.knowledge.catalogue.store("demo", "entries", ParsedFile(ENTRIES))
    turn = TurnInput(
        workspace_id="demo", conversation_id="c", turn_id="0" * 32, channel="web", question="and how do I get it?"
    )
    state: State = {
        "turn": turn,
        "guard": GuardResult(action=GuardAction.PASS, text=turn.question),
        "triage": Triage(standalone_question="How do I reset my password?"),
    }
    classifier = Classifier.__new__(Classifier)  # the node must not need it
    deps = Deps(settings=Settings(), knowledge=store.knowledge.index, classifier=classifier, model=None)
    hits = (await retrieve({**state, **changes}, Runtime(context=deps)))["hits"]  # type: ignore[typeddict-item]
    return [hit.chunk.title for hit in hits]


async def test_the_question_is_searched_as_it_reads_without_the_conversation(store: Store) -> None:
    assert (await found(store))[0] == "How do I reset my password?"


async def test_a_rejected_answer_is_not_proposed_again(store: Store) -> None:
    document = await store.knowledge.catalogue.store("demo", "entries", ParsedFile(ENTRIES))
    rejected_chunks, *_ = await store.knowledge.catalogue.chunks("demo", document.id)
    assert "How do I reset my password?" not in await found(store, rejected_chunks=(rejected_chunks.id,))


async def test_guidance_turns_the_search(store: Store) -> None:
    assert (await found(store, guidance=("Tell them where their invoices are: under Billing, invoices!",)))[0] == (
        "Where are my invoices?"
    )


async def test_small_talk_finds_nothing(store: Store) -> None:
    assert await found(store, triage=Triage(intent="greeting")) == []
