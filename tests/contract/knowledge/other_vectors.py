"""Another process at the same vectors.

Run as `python -m tests.contract.knowledge.other_vectors add|remake FOLDER URL WORKSPACE`.
"""

import sys
from pathlib import Path
from urllib.parse import urlsplit

import chromadb
import numpy as np
from chromadb.config import Settings as ChromaOptions

from storage.knowledge.vectors import open_vectors
from storage.settings import Settings


def main(act: str, folder: Path, url: str, workspace_id: str) -> None:
    """Add a vector, or delete the collection and add it to a new one of the same name."""
    settings = Settings.model_validate({"data_dir": folder, "chroma": {"url": url}})
    vectors = open_vectors(settings, "a model")
    if act == "remake":
        port = urlsplit(url).port or 0
        options = ChromaOptions(anonymized_telemetry=False)
        remote = chromadb.HttpClient("127.0.0.1", port, settings=options) if url else None
        chroma = remote or chromadb.PersistentClient(folder / "chroma", settings=options)
        chroma.delete_collection(vectors._name(workspace_id))
    vectors.upsert(workspace_id, ["theirs:0"], np.array([[0.0, 0.0, 1.0]], np.float32), ["their document"])
    vectors.close()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3], sys.argv[4])
