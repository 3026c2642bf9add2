"""Every word of the command line that is text: the options and arguments of all verbs that are declared as `str`."""

import inspect
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any, Literal, get_args, get_origin, get_type_hints

import typer

from fairlead.cli.program import Verbs


def text_parameters() -> list[str]:
    """Each as "verb parameter", such as "leads list niche"."""
    return [f"{verb} {name}" for verb, function in _verbs() for name in texts_of(function)]


def texts_of(function: Callable[..., Any]) -> list[str]:
    """The parameters of a verb that take text."""
    hints = get_type_hints(function)
    return [name for name in inspect.signature(function).parameters if _holds_text(hints[name])]


def _verbs() -> Iterator[tuple[str, Callable[..., Any]]]:
    for verb in Verbs.verbs:
        module = import_module(f"fairlead.cli.{verb.module}")
        group: typer.Typer | None = getattr(module, "app", None)
        if group is None:
            yield verb.name, getattr(module, verb.module)
        else:
            yield from _of_group(group, verb.name)


def _of_group(group: typer.Typer, path: str) -> Iterator[tuple[str, Callable[..., Any]]]:
    for command in group.registered_commands:
        assert command.callback is not None
        yield f"{path} {command.name or command.callback.__name__}", command.callback
    for inner in group.registered_groups:
        assert inner.typer_instance is not None
        yield from _of_group(inner.typer_instance, f"{path} {inner.name}")


def _holds_text(annotation: Any) -> bool:
    return annotation is str or (get_origin(annotation) is not Literal and any(map(_holds_text, get_args(annotation))))
