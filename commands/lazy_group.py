"""Lazy loading of subcommands: a command's module is imported when the command is invoked, not to list it.

After "Lazily Loading Subcommands" of Click's documentation, with the help texts in the table, so that `--help` loads
nothing: https://click.palletsprojects.com/en/stable/complex/#lazily-loading-subcommands
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command


@dataclass(frozen=True, slots=True)
class LazyCommand:
    """A subcommand that is not imported yet."""

    name: str
    target: str
    """`module:attribute` of a command's function, or of a Typer application with commands of its own."""
    help: str
    """The line of the list; `tests/unit/commands/test_lazy_group.py` holds it to the command's own."""

    def load(self) -> Any:
        """The command, imported now."""
        module, _, attribute = self.target.partition(":")
        found = getattr(import_module(module), attribute)
        if isinstance(found, typer.Typer):
            return get_command(found)
        alone = typer.Typer(add_completion=False)
        alone.command(self.name)(found)
        return get_command(alone)


def lazy_app(commands: Sequence[LazyCommand], **options: Any) -> typer.Typer:
    """A Typer application of these commands; `options` are Typer's own."""
    by_name = {command.name: command for command in commands}

    class LazyGroup(TyperGroup):
        """Lists the placeholders; what is invoked is the command itself."""

        def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
            """The command that the arguments name, imported."""
            name, placeholder, rest = super().resolve_command(ctx, args)
            return name, by_name[name].load() if name else placeholder, rest

    app = typer.Typer(cls=LazyGroup, **options)
    for command in commands:
        app.command(command.name, help=command.help)(_placeholder)
    return app


def _placeholder() -> None:
    """Stands in the list until its command is loaded."""
