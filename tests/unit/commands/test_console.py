"""Commands and processes run on uvloop where there is one, and without it all the same."""

import asyncio

import pytest

from commands import console


async def loop_of() -> str:
    return type(asyncio.get_running_loop()).__module__


def test_a_command_runs_on_uvloop() -> None:
    assert console.run(loop_of()).startswith("uvloop")


def test_where_there_is_none_it_runs_on_pythons_own_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "find_spec", lambda _: None)
    assert console.run(loop_of()).startswith("asyncio")
