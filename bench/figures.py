"""The figures of DESIGN section 7: what each is, and what it must hold."""

import operator
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Figure:
    """One number to hold."""

    what: str
    most: float | None = None
    least: float | None = None

    @property
    def bound(self) -> str:
        """The bound in words; empty if there is none."""
        if self.most is not None:
            return f"at most {self.most:g}"
        return f"at least {self.least:g}" if self.least is not None else ""

    def verdict(self, value: float) -> str:
        """`ok`, `NOT MET`, or nothing for a figure without a bound."""
        for bound, holds in ((self.most, operator.le), (self.least, operator.ge)):
            if bound is not None:
                return "ok" if holds(value, bound) else "NOT MET"
        return ""


FIGURES: Mapping[str, Figure] = MappingProxyType(
    {
        "floor_ms": Figure("one query embedding, one Chroma query, two durable commits"),
        "turnaround_over_floor": Figure("web message: accepted to delivered, over the floor", most=2.5),
        "throughput_times_floor": Figure("messages per second at 32 conversations, times the floor", least=0.5),
        "growth_turn_400": Figure("time per message at turn 400 of a conversation over turn 1", most=1.2),
        "growth_100k_chunks": Figure("time per message at 100,000 chunks over 1,000", most=2),
        "checkpoint_rows": Figure("rows in the checkpoint store after 10,000 finished turns", most=0),
        "ingestion_over_raw": Figure("passages per second of the load job over embedding alone", least=0.8),
        "start_seconds": Figure("`deskhand up` until /health is ready, warm", most=8),
        "idle_rss_mb": Figure("resident memory then, in MB", most=600),
        "postgres_2_workers_over_1": Figure("messages per second of two workers over one", least=1),
    }
)

EXTRAS: Mapping[str, Figure] = MappingProxyType(
    {
        "http_turnaround_over_floor": Figure("the same over HTTP: a POST with ?wait= until its answer"),
        "messages_per_second": Figure("throughput at 32 conversations"),
        "accept_ms": Figure("until a message is kept, in milliseconds"),
        "accept_loaded_over_idle": Figure("the same while a thousand conversations wait for their answers, over idle"),
        "postgres_4_workers_over_1": Figure("messages per second of four workers over one"),
        "messages_per_second_1_worker": Figure("throughput at 32 conversations with one worker process"),
        "messages_per_second_2_workers": Figure("the same with two"),
        "messages_per_second_4_workers": Figure("the same with four"),
        "worker_rss_mb": Figure("resident memory of a worker after its bursts, in MB"),
        "row_bytes_per_message": Figure("growth of the database per message, with all that an answer writes"),
        "transactions_per_message": Figure("PostgreSQL transactions per message, reading ones too"),
    }
)
"""Printed beside the figures, not written to results.json."""
