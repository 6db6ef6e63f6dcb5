"""How much of the embedder's speed the load job keeps."""

import asyncio
import time
from statistics import median

from bench.laboratory import WORKSPACE, Laboratory
from bench.questions import filler_faq
from bench.sizes import Sizes
from storage.knowledge.documents.readers import read
from storage.records import Chunk, DocumentStatus


async def ingestion(laboratory: Laboratory, sizes: Sizes) -> dict[str, float]:
    """`ingestion_over_raw`: the load job, enqueued to ready, alternates with embedding exactly its texts."""
    ratios = [await _once(laboratory, sizes.passages, seed) for seed in range(sizes.loads)]
    return {"ingestion_over_raw": median(ratios)}


async def _once(laboratory: Laboratory, passages: int, seed: int) -> float:
    content = filler_faq(passages, seed)
    texts = _texts(content)
    before = await _raw(laboratory, texts)
    document = await laboratory.store.knowledge.catalogue.create(WORKSPACE, f"filler-{seed}.json", content)
    start = time.perf_counter()
    loaded = await laboratory.store.knowledge.catalogue.load_document(document.id)
    seconds = time.perf_counter() - start
    if loaded.status is not DocumentStatus.READY or loaded.entries != passages:
        raise RuntimeError(f"the load job ended {loaded.status} with {loaded.entries} entries")
    after = await _raw(laboratory, texts)
    return (before + after) / 2 / seconds


async def _raw(laboratory: Laboratory, texts: list[str]) -> float:
    """Seconds to embed the texts in one call."""
    start = time.perf_counter()
    await asyncio.to_thread(laboratory.embedder.embed, texts)
    return time.perf_counter() - start


def _texts(content: bytes) -> list[str]:
    """The texts that the load job embeds."""
    parsed = read("filler.json", content).chunks
    chunks = (
        Chunk(
            id=str(number),
            workspace_id=WORKSPACE,
            document_id="",
            kind=piece.kind,
            title=piece.title,
            text=piece.text,
            alternatives=piece.alternatives,
            position=number,
        )
        for number, piece in enumerate(parsed)
    )
    return [text for chunk in chunks for text in chunk.search_texts()]
