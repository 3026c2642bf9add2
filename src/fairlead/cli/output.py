"""How results are shown: colour on a terminal, plain text elsewhere, JSON for programs."""

import json
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.table import Table
from rich.text import Text

console = Console(highlight=False, width=None if sys.stdout.isatty() else 200)
errors = Console(stderr=True, highlight=False)


@contextmanager
def working(what: str) -> Generator[None]:
    """While the block runs, a terminal shows that something is going on whose end cannot be foreseen."""
    if errors.is_terminal:
        with errors.status(what):
            yield
    else:
        yield


def print_json(value: Mapping[str, object] | Sequence[object]) -> None:
    """The value as JSON on standard output, one document."""
    json.dump(value, sys.stdout, indent=2, ensure_ascii=False, default=str)
    sys.stdout.write("\n")


def say(line: str, style: str | None = None) -> None:
    """One line on standard output; `style` only colours it. Never cut or wrapped, never read as markup."""
    console.print(line, style=style, markup=False, soft_wrap=True)


def say_aside(line: str) -> None:
    """One line on standard error, for what a person should know and a program does not read."""
    errors.print(line, style="yellow", markup=False, soft_wrap=True)


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]], right: Sequence[int] = ()) -> None:
    """A table on standard output; the columns numbered in `right` are aligned to the right."""
    shown = Table(title=title or None, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for number, name in enumerate(columns):
        shown.add_column(name, justify="right" if number in right else "left", overflow="fold", header_style="dim")
    for row in rows:
        shown.add_row(*(Text(str(cell)) for cell in row))
    console.print(shown)
