"""A group of verbs that imports the module of a verb when that verb is called, and not before.

`fairlead --help` and a shell's completion show the verbs with their summaries: neither needs a database driver, a web
framework or a template language.
"""

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command, get_group


@dataclass(frozen=True, slots=True)
class Verb:
    """A verb, the module below `fairlead.cli` that carries it out, and its summary in the list of verbs.

    The module holds a group named `app`, or a function of the module's own name. The summary is the first paragraph
    of the group's or the function's own help, which the tests hold it to.
    """

    name: str
    module: str
    summary: str


class LazyGroup(TyperGroup):
    """A group whose `verbs` are placeholders until one of them is resolved in order to be called."""

    verbs: tuple[Verb, ...] = ()

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._verbs = {verb.name: verb for verb in self.verbs}
        for verb in self.verbs:
            self.add_command(TyperCommand(verb.name, help=verb.summary, short_help=verb.summary))

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """The verb's real command, its module imported, and the words that are left for it."""
        name, command, remaining = super().resolve_command(ctx, args)
        return name, command if name is None else load(self._verbs[name]), remaining


def load(verb: Verb) -> TyperCommand | TyperGroup:
    """The verb's own command or group. Imports its module."""
    module = import_module(f"fairlead.cli.{verb.module}")
    group: typer.Typer | None = getattr(module, "app", None)
    if group is not None:
        command = get_group(group)
    else:
        alone = typer.Typer(add_completion=False)
        alone.command(verb.name)(getattr(module, verb.module))
        command = get_command(alone)
    assert isinstance(command, TyperCommand | TyperGroup)
    command.name = verb.name
    return command
