"""What a whole desk measures, as the composition root wires it, and what the documentation says of it."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from commands.process.composition import Process
from storage.records import Incoming, new_id
from storage.telemetry.metrics import Metrics
from tests.simulators.openai.server import OpenAISimulator
from tests.support.rows import database_of
from tests.support.settings import settings_for
from tests.support.whole_desk import open_desk

DOC = Path(__file__).parents[3] / "docs" / "observability.md"


@pytest.fixture
async def measured(tmp_path: Path) -> AsyncIterator[tuple[Process, Metrics]]:
    """A desk with a chat model that has answered one message."""
    with OpenAISimulator() as endpoint:
        settings = settings_for(tmp_path, model={"provider": "openai", "base_url": endpoint.base_url})
        async with open_desk(settings) as process:
            measures = Metrics(process.workbench.registry, database_of(process.store))
            await process.store.accounts.workspaces.create("demo", "Demo")
            await process.intake.accept(Incoming("demo", "web", new_id(), new_id(), "cleo", "How do I log in?"))
            await process.jobs.idle()
            yield process, measures


async def test_every_metric_of_a_desk_is_documented_and_every_documented_one_is_there(
    measured: tuple[Process, Metrics],
) -> None:
    families = await scraped(measured[1])
    ours = {name for name in families if name.startswith("deskhand_")}
    tables = [line for line in DOC.read_text(encoding="utf-8").splitlines() if line.startswith("| `deskhand_")]
    documented = {name for line in tables for name in re.findall(r"`(deskhand_\w+)`", line.split("|")[1])}
    assert ours == documented


async def test_nodes_jobs_and_the_chat_model_of_this_process_are_measured(measured: tuple[Process, Metrics]) -> None:
    families = await scraped(measured[1])
    assert value(families, "deskhand_node_seconds", "deskhand_node_seconds_count", node="guard") == 1
    assert value(families, "deskhand_jobs", "deskhand_jobs_total", kind="answer", result="done") == 1
    assert value(families, "deskhand_model_requests", "deskhand_model_requests_total") >= 1
    assert value(families, "deskhand_model_input_tokens", "deskhand_model_input_tokens_total") > 0


async def scraped(measures: Metrics) -> dict[str, Metric]:
    body = (await measures.scrape()).decode()
    # The time of a counter's birth is a family of its own in the old text format.
    return {
        family.name: family for family in text_string_to_metric_families(body) if not family.name.endswith("_created")
    }


def value(families: dict[str, Metric], family: str, name: str, **labels: str) -> float:
    (found,) = [sample.value for sample in families[family].samples if (sample.name, sample.labels) == (name, labels)]
    return float(found)
