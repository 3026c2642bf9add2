"""Every command that the runbook and the guide tell the reader to type is one that Fairlead understands."""

import re
import shlex

import pytest
from typer.main import get_command

from fairlead.cli.program import app
from tests.ops.files import ROOT

PAGES = ("docs/runbook.md", "docs/guide/operations.md")
_INLINE = re.compile(r"`(?:FAIRLEAD_\S+ )?(fairlead [a-z][^`]*)`")
_ALONE = re.compile(r"^ *(?:FAIRLEAD_\S+ )?(fairlead [a-z].*)$", re.MULTILINE)
AN_ID = "01900000-0000-7000-8000-000000000000"


def commands() -> list[str]:
    text = "\n".join((ROOT / page).read_text(encoding="utf-8") for page in PAGES)
    return sorted({*_INLINE.findall(text), *_ALONE.findall(text)})


def parse(command: str) -> None:
    """The words are taken apart as the program does it, down to the verb's own options; nothing is run."""
    words = [re.sub(r"^[A-Z]+(_[A-Z]+)*$", AN_ID, word) for word in shlex.split(command)[1:]]
    verb = get_command(app)
    context = verb.make_context("fairlead", words)
    while hasattr(verb, "resolve_command"):
        remaining = [*context._protected_args, *context.args]
        name, verb, remaining = verb.resolve_command(context, remaining)  # pyright: ignore
        assert verb is not None
        context = verb.make_context(name, remaining, parent=context)


@pytest.mark.parametrize("command", commands())
def test_it_is_understood(command: str) -> None:
    parse(command)


@pytest.mark.parametrize("command", ["fairlead jobs mend X", "fairlead jobs resolve X", "fairlead status --loud"])
def test_what_is_not_understood_is_found(command: str) -> None:
    with pytest.raises(Exception, match=r"(?i)no such|missing"):
        parse(command)


def test_there_are_commands_to_look_at() -> None:
    assert {"fairlead verify", "fairlead reconcile", "fairlead migrate"} <= set(commands())
