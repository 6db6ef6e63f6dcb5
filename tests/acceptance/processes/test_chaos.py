"""A short storm over both columns of DESIGN section 5; `make chaos` runs the long one."""

import os
from pathlib import Path

import pytest

from tests.chaos.desks import embedded_desk, scaled_desk
from tests.chaos.storm import (
    Report,
    Weather,
    moody,
    rage,
)
from tests.simulators.openai.server import OpenAISimulator
from tests.support.chroma_server import ChromaServer

pytestmark = pytest.mark.timeout(900)

SHORT = Weather(
    conversations=12,
    messages=6,
    kills=3,
    cuts=2,
    chroma_stops=1,
    pause_seconds=3,
    fault_seconds=2,
    seed=int(os.environ.get("DESKHAND_CHAOS_SEED", "7")),
)


def assert_all_held(report: Report) -> None:
    assert not report.faults, "\n".join(report.lines())
    assert len(report.tally.acknowledged) == SHORT.conversations * SHORT.messages
    assert report.kills == SHORT.kills


async def test_one_process_that_is_killed_again_and_again_loses_and_doubles_nothing(tmp_path: Path) -> None:
    async with OpenAISimulator(default=moody(SHORT.seed)) as model, embedded_desk(tmp_path, model.base_url) as desk:
        assert_all_held(await rage(desk, SHORT))


async def test_killed_workers_cut_connections_and_a_stopped_chroma_lose_and_double_nothing(
    tmp_path: Path, new_postgres_url: str, own_chroma_server: ChromaServer
) -> None:
    async with (
        OpenAISimulator(default=moody(SHORT.seed)) as model,
        scaled_desk(tmp_path, model.base_url, new_postgres_url, own_chroma_server) as desk,
    ):
        report = await rage(desk, SHORT)
    assert_all_held(report)
    assert report.cut_connections > 0
    assert report.chroma_stops == SHORT.chroma_stops
