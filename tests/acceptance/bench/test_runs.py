"""The benchmarks run, small; the numbers themselves are for quiet machines."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

from bench.laboratory import new_place, open_laboratory
from bench.leftovers import checkpoint_rows, leftovers
from bench.sizes import QUICK
from tests.support.word_vectors import WordEmbedder

ROOT = Path(__file__).parents[3]


def quick(folder: Path, *options: str) -> tuple[str, dict[str, dict[str, float]]]:
    """What a tiny run prints and writes."""
    output = folder / "results.json"
    command = [sys.executable, "-m", "bench", "--quick", "--output", str(output), *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=170)  # noqa: S603 - our own command
    return done.stdout, json.loads(output.read_text())


def test_a_quick_run_writes_what_was_asked_for(tmp_path: Path) -> None:
    printed, results = quick(tmp_path, "--column", "embedded", "--only", "throughput_times_floor")
    assert list(results) == ["embedded"]
    # The rate alone is printed and not written: DESIGN does not name it.
    assert list(results["embedded"]) == ["throughput_times_floor"]
    assert results["embedded"]["throughput_times_floor"] > 0
    assert "messages_per_second" in printed


def test_a_quick_run_on_postgresql_measures_its_own_floor(tmp_path: Path) -> None:
    _, results = quick(tmp_path, "--column", "postgres", "--only", "turnaround_over_floor")
    assert set(results["postgres"]) == {"floor_ms", "turnaround_over_floor"}
    assert results["postgres"]["turnaround_over_floor"] > 1


def test_waiting_turns_are_rows_and_finished_ones_are_none() -> None:
    async def run() -> tuple[int, float]:
        with new_place("embedded") as settings:
            async with open_laboratory(settings, WordEmbedder()) as laboratory:
                left = await leftovers(laboratory, QUICK)
                customer = await laboratory.customers.arrive("reviewed")
                await customer.write("How do I reset my password?")
                await laboratory.customers.settle()
                return await checkpoint_rows(settings), left["checkpoint_rows"]

    waiting, left = asyncio.run(run())
    assert waiting > 0
    assert left == 0
