"""`fairlead leads import`: a file of leads into a niche."""

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress, TaskID

from fairlead.cli.marketplace import marketplace
from fairlead.cli.output import errors, print_json, say
from fairlead.cli.progress import progress_bar
from fairlead.core.errors import BadInput
from fairlead.flows.importing.delimited import is_delimiter
from fairlead.flows.importing.import_leads import Imported, ImportOptions, import_leads
from fairlead.store.audit.log import OPERATOR


def import_file(
    file: Annotated[
        Path, typer.Argument(help="Delimited text or a workbook (.xlsx); its first row names the columns.")
    ],
    niche: Annotated[str, typer.Option(help="The niche that the leads are for (its slug).")],
    delimiter: Annotated[
        str | None, typer.Option(help="One character, or `tab`. Default: the header shows it (, ; tab |).")
    ] = None,
    encoding: Annotated[
        str | None,
        typer.Option(help="How the text is encoded, such as cp1252. Default: its byte order mark says, else UTF-8."),
    ] = None,
    sheet: Annotated[str | None, typer.Option(help="Which sheet of a workbook. Default: the first.")] = None,
    mapping: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="COLUMN=FIELD", help="Which column fills which field; '#3' is the third."),
    ] = None,
    dedupe: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN", help="Rows alike in these columns are the same lead."),
    ] = None,
    ignore: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN", help="A column that fills nothing, whatever its name.")
    ] = None,
    rejects: Annotated[Path | None, typer.Option(help="Where rejected rows go. Default: FILE.rejects.csv.")] = None,
    approve: Annotated[bool, typer.Option("--approve", help="Approve the leads on the way.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="End with status 1 if any row was rejected.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The summary as JSON.")] = False,
) -> None:
    """Import leads from a CSV file or an Excel workbook; the same file twice adds nothing.

    A column fills the field of the niche's form that has its name, or contact_name, contact_email,
    contact_phone, utm_source, utm_medium, utm_campaign, referrer or external_id. A bad row is written to
    the file of rejected rows, with its line and the reason, and the rest goes in.

    Examples:

        fairlead leads import leads.csv --niche vps-hosting --approve

        fairlead leads import crm.txt --niche vps-hosting --encoding cp1252 --map "Mail=contact_email"

        fairlead leads import leads.xlsx --niche vps-hosting --sheet March --map "#4=contact_phone" --ignore "#5"
    """
    options = ImportOptions(
        niche,
        delimiter=_delimiter(delimiter),
        encoding=encoding,
        sheet=sheet,
        mapping=_mapping(mapping or []),
        dedupe=dedupe or [],
        ignore=ignore or [],
        rejects_path=rejects,
        approve=approve,
    )
    _import(file, options, strict=strict, as_json=as_json)


def _import(file: Path, options: ImportOptions, *, strict: bool, as_json: bool) -> None:
    started = time.monotonic()
    so_far = Imported()
    with marketplace() as database, progress_bar("rows") as bar:
        task = bar.add_task("Importing", total=None)

        def show(done: Imported) -> None:
            nonlocal so_far
            so_far = done
            _show(bar, task, done)

        try:
            result = import_leads(database, file, options, OPERATOR, show)
        except KeyboardInterrupt:
            bar.stop()
            _say_interrupted(so_far)
            raise
    seconds = time.monotonic() - started
    if as_json:
        print_json(_for_programs(result, seconds))
    else:
        _summary(result, seconds, options)
    if strict and result.rejected:
        raise typer.Exit(1)


def _delimiter(text: str | None) -> str | None:
    if text is None:
        return None
    character = "\t" if text in ("tab", "\\t") else text
    if not is_delimiter(character):
        raise BadInput([f"--delimiter {text!r}: must be one character, or tab"])
    return character


def _mapping(words: list[str]) -> dict[str, str]:
    mapping: dict[str, str] = {}
    problems: list[str] = []
    for word in words:
        column, sign, target = word.rpartition("=")
        if not sign or not column or not target:
            problems.append(f"--map {word!r}: must be COLUMN=FIELD")
        elif mapping.setdefault(column, target) != target:
            problems.append(f"--map: the column {column!r} is given twice")
    if problems:
        raise BadInput(problems)
    return mapping


def _show(bar: Progress, task: TaskID, done: Imported) -> None:
    # How many rows there will be follows from how much of the file the rows so far have taken.
    total = round(done.read / done.share_read) if done.read and done.share_read else None
    bar.update(task, completed=done.read, total=total)


def _say_interrupted(done: Imported) -> None:
    line = f"interrupted: {done.added:,} added; the same command again goes on from there"
    errors.print(line, style="yellow", markup=False, soft_wrap=True)


def _for_programs(result: Imported, seconds: float) -> dict[str, object]:
    return {
        "read": result.read,
        "added": result.added,
        "already_there": result.already_there,
        "rejected": result.rejected,
        "empty": result.empty,
        "rejects_path": result.rejects_path and str(result.rejects_path),
        "ignored_columns": list(result.ignored_columns),
        "seconds": round(seconds, 3),
    }


def _summary(result: Imported, seconds: float, options: ImportOptions) -> None:
    rate = result.read / max(seconds, 0.001)
    say(
        f"{result.read:,} rows read in {seconds:.1f} s ({rate:,.0f}/s): {result.added:,} added, "
        f"{result.already_there:,} already there, {result.rejected:,} rejected"
        + (f"; {result.empty:,} empty rows were passed over" if result.empty else ""),
        "bold",
    )
    if result.ignored_columns:
        say(f"Columns that fill no field were ignored: {', '.join(result.ignored_columns)}", "yellow")
    if result.rejected:
        say(
            f"{result.rejected:,} rows were rejected; each with its line and reason: {result.rejects_path}",
            "yellow",
        )
    if result.added and not options.approve:
        say(f"They are pending approval: fairlead leads approve --niche {options.niche_slug} --all", "dim")
