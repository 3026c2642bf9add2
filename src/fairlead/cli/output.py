"""How results are shown: colour and progress on a terminal, plain text elsewhere, JSON for programs."""

import json
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

console = Console(highlight=False, width=None if sys.stdout.isatty() else 200)
errors = Console(stderr=True, highlight=False)


class _Rate(TextColumn):
    def __init__(self, unit: str) -> None:
        super().__init__("")
        self._unit = unit

    def render(self, task) -> Text:  # type: ignore[no-untyped-def]
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f} {self._unit}/s", style="cyan")


def progress_bar(unit: str) -> Progress:
    """A progress bar on standard error with rate and time left, for work that may take more than a second.

    Shown on a terminal only: logs and pipes get no control characters.
    """
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(unit),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=errors,
        disable=not errors.is_terminal,
        transient=True,
    )


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
