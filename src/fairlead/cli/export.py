"""`fairlead export`: leads, assignments, decisions, money, logs and reports as a file."""

import os
import sys
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from fairlead.cli.marketplace import marketplace
from fairlead.cli.output import errors
from fairlead.cli.progress import progress_bar
from fairlead.core.errors import BadInput
from fairlead.flows.declaring.export_marketplace import export_marketplace
from fairlead.flows.exporting.export import export as write_export
from fairlead.flows.exporting.file_formats import FORMATS
from fairlead.flows.exporting.kinds import KINDS
from fairlead.flows.exporting.rows import ExportRequest
from fairlead.flows.money.books import export_books
from fairlead.store.audit.log import OPERATOR

BOOKS, MARKETPLACE = "books", "marketplace"
POSTCODES = "postcodes"
"""Ends the name of the directory beside a marketplace file in which its postcode tables are."""
STANDARD_OUTPUT = Path("-")
_KINDS = (*KINDS, BOOKS, MARKETPLACE)


def export(
    context: typer.Context,
    what: Annotated[
        str, typer.Argument(metavar="KIND", help=f"What to export: {', '.join((*KINDS, BOOKS, MARKETPLACE))}.")
    ],
    niche: Annotated[str | None, typer.Option(help="Only this niche (its slug).")] = None,
    provider: Annotated[str | None, typer.Option(metavar="EMAIL", help="Only this provider.")] = None,
    filters: Annotated[
        list[str] | None,
        typer.Option("--where", metavar="NAME=VALUE", help="Only rows with this value, such as status=distributed."),
    ] = None,
    columns: Annotated[str | None, typer.Option(metavar="NAME,NAME", help="Only these columns.")] = None,
    timezone: Annotated[str, typer.Option(help="Where the days of a report begin.")] = "UTC",
    with_contact_data: Annotated[
        bool, typer.Option("--contact-data/--no-contact-data", help="Whether names and addresses are in the file.")
    ] = True,
    day_from: Annotated[str | None, typer.Option("--from", metavar="DATE", help="From this day on (UTC).")] = None,
    day_before: Annotated[str | None, typer.Option("--before", metavar="DATE", help="Before this day (UTC).")] = None,
    file_format: Annotated[str, typer.Option("--format", metavar="|".join(FORMATS), help="How it is written.")] = "csv",
    output: Annotated[Path | None, typer.Option(help="The file to write. Default, or -: standard output.")] = None,
    month: Annotated[
        str | None, typer.Option(metavar="YYYY-MM", help="Only of books: this month, by the marketplace's days.")
    ] = None,
    exact: Annotated[
        bool,
        typer.Option("--exact", help="CSV for programs: no byte order mark, and formulas are left as they are."),
    ] = False,
) -> None:
    """Export leads, assignments, decisions, ledger, receipts, books, logs or a report, as one snapshot has it.

    Times are UTC, amounts are cents with their currency. CSV is made for spreadsheets: it begins with a byte order
    mark, and a text that would run as a formula gets a ' before it. Every export is recorded in the audit log. Books
    are double-entry plain text that beancount reads, of a month or of all time.

    Examples:

        fairlead export ledger --from 2026-01-01 --before 2026-02-01 --output january.csv

        fairlead export journal --niche vps-hosting --format jsonl --output journal.jsonl

        fairlead export books --month 2026-01 --output january.beancount

        fairlead export leads --where status=distributed --format parquet --output leads.parquet

        fairlead export marketplace --output marketplace.toml    (the file that `fairlead apply` takes)
    """
    if output == STANDARD_OUTPUT:
        output = None
    if what == MARKETPLACE:
        _export_marketplace(context, output)
        return
    if what == BOOKS:
        _export_books(month, output)
        return
    if month is not None:
        raise BadInput(["--month is of books; of other exports --from and --before are"])
    time_from, time_before = _day("--from", day_from), _day("--before", day_before)
    if time_from and time_before and time_from >= time_before:
        raise BadInput(["--from must be a day before --before"])
    request = ExportRequest(
        what,
        file_format,
        niche,
        provider,
        time_from,
        time_before,
        exact,
        _named_values(filters or []),
        tuple(each.strip() for each in columns.split(",")) if columns else (),
        timezone,
        without_contact_data=not with_contact_data,
    )
    with marketplace() as database, progress_bar("rows") as bar:
        task = bar.add_task(f"Exporting {what}", total=None)
        with _output(output) as stream:
            rows = write_export(
                database,
                request,
                stream,
                OPERATOR,
                lambda done, total: bar.update(task, completed=done, total=total),
            )
    if output is not None:
        errors.print(f"{rows:,} rows written to {output}", markup=False, highlight=False, soft_wrap=True)


def _export_marketplace(context: typer.Context, output: Path | None) -> None:
    """The marketplace's file is written; whatever an option would choose of it is refused: it is exported whole."""
    others = context.params.keys() - {"what", "output"}
    sources = (context.get_parameter_source(name) for name in others)
    if any(source is not None and source.name == "COMMANDLINE" for source in sources):
        raise BadInput(["a marketplace is exported whole, as TOML: only --output goes with it"])
    tables_in = None if output is None else f"{output.stem}.{POSTCODES}"
    with marketplace() as database:
        file = export_marketplace(database, OPERATOR, tables_in=tables_in)
    if output is not None:
        _write_beside(output.parent, file.beside)
    with _output(output) as stream:
        stream.write(file.text.encode())
    for line in file.left_out:
        errors.print(f"left out: {line}", markup=False, highlight=False, soft_wrap=True)


def _write_beside(directory: Path, files: Mapping[str, str]) -> None:
    """Each text is the file at its path from the directory, before the file that names them is there."""
    for path, text in files.items():
        target = directory / path
        try:
            target.parent.mkdir(exist_ok=True)
        except OSError as error:
            raise BadInput([f"cannot write {target.parent}: {error.strerror}"]) from None
        with _output(target) as stream:
            stream.write(text.encode())


def _export_books(month: str | None, output: Path | None) -> None:
    with marketplace() as database, _output(output) as stream:
        entries = export_books(database, month, stream, OPERATOR)
    if output is not None:
        errors.print(f"{entries:,} entries written to {output}", markup=False, highlight=False, soft_wrap=True)


def _named_values(texts: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign or not value:
            raise BadInput([f"--where {text!r}: must be a name and a value such as status=distributed"])
        found[name] = value
    return found


def _day(option: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise BadInput([f"{option} {text!r}: must be a day such as 2026-01-31"]) from None
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


@contextmanager
def _output(path: Path | None) -> Generator[BinaryIO]:
    """Standard output, or a file that has its name only once it is complete."""
    if path is None:
        yield sys.stdout.buffer
        sys.stdout.flush()
        return
    try:
        handle, unfinished = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise BadInput([f"cannot write {path}: {error.strerror}"]) from None
    try:
        with open(handle, "wb") as stream:
            yield stream
        os.replace(unfinished, path)
    except OSError as error:
        raise BadInput([f"cannot write {path}: {error.strerror}"]) from None
    finally:
        Path(unfinished).unlink(missing_ok=True)
