"""`deskhand eval`: offline evaluation of retrieval and confidence on labelled questions."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from commands.console import console, run, settings_or_exit
from graph.evaluation.runner import evaluate_folder
from storage.embeddings.opening import load_embedder


def evaluate_labelled_questions(
    folder: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="Holds faqs.jsonl and queries.jsonl.")],
) -> None:
    """Measure retrieval and confidence on a labelled set."""
    settings = settings_or_exit()
    run(asyncio.to_thread(lambda: console.print(evaluate_folder(folder, load_embedder(settings)))))
