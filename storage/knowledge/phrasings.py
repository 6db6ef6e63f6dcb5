"""The texts that stand for a chunk when it is searched."""

from storage.records import Chunk, ChunkKind


def texts_of(chunk: Chunk) -> tuple[str, ...]:
    """A FAQ entry's question, its alternatives, then question and answer; a passage under its title."""
    whole = f"{chunk.title}\n{chunk.text}".strip()
    if chunk.kind is ChunkKind.PASSAGE:
        return (whole,)
    return tuple(dict.fromkeys((chunk.title, *chunk.alternatives, whole)))
