"""The command line lists its commands without importing what they need."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from commands.database import cli as database
from commands.lazy_group import LazyCommand
from deskhand import COMMANDS, cli

ROOT = Path(__file__).parents[3]
HEAVY = ("alembic", "chromadb", "fastapi", "gradio", "langgraph", "onnxruntime", "pydantic", "sqlalchemy")
LOADED = """
import json, sys
from deskhand import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
print(json.dumps([name for name in %r if name in sys.modules]))
"""


def loaded_by(*words: str) -> list[str]:
    """The heavy packages that a command has imported when it ends, in a fresh process."""
    ran = subprocess.run(  # noqa: S603 - this project's own command
        [sys.executable, "-c", LOADED % (HEAVY,), *words], cwd=ROOT, capture_output=True, text=True, check=True
    )
    found: list[str] = json.loads(ran.stdout.splitlines()[-1])
    return found


def test_help_imports_nothing_heavy() -> None:
    assert loaded_by("--help") == []


@pytest.mark.parametrize("command", ["member", "channel", "ingest", "db"])
def test_the_help_of_a_small_command_imports_no_database_no_web_and_no_model(command: str) -> None:
    assert set(loaded_by(command, "--help")) <= {"pydantic"}


@pytest.mark.parametrize("command", [*COMMANDS, *database.COMMANDS], ids=lambda command: command.name)
def test_the_list_says_of_a_command_what_the_command_says_of_itself(command: LazyCommand) -> None:
    said = command.load().help
    assert said.partition("\n")[0] == command.help


def test_a_group_has_its_own_commands() -> None:
    shown = CliRunner().invoke(cli, ["member", "--help"])
    assert shown.exit_code == 0, shown.output
    assert {"add", "list", "reset"} <= set(shown.output.split())


def test_an_unknown_command_is_refused_with_the_nearest_one() -> None:
    asked = CliRunner().invoke(cli, ["docter"])
    assert asked.exit_code == 2
    assert "doctor" in asked.output
