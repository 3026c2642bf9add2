"""`fairlead apply`: make the marketplace what a file declares."""

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from fairlead.cli.marketplace import marketplace
from fairlead.cli.output import errors, print_json, say, working
from fairlead.cli.text_file import read_file_beside, read_text_file
from fairlead.flows.declaring.apply_marketplace import Applied, apply_marketplace, parse_declaration
from fairlead.store.audit.log import OPERATOR

LINES_SHOWN = 20
STYLES = {"create": "green", "change": "yellow", "delete": "red"}


def apply(
    file: Annotated[Path, typer.Argument(help="The marketplace file (TOML).", show_default=False)],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Every change as JSON.")] = False,
) -> None:
    """Make the marketplace what a file declares: niches, levels, providers, deposits, subscriptions.

    What the file does not mention is left alone. Applied again, it changes nothing: a deposit is credited once. The
    whole file takes effect, or none of it.

    Examples:

        fairlead apply marketplace.toml --dry-run

        fairlead apply marketplace.toml
    """
    document = parse_declaration(read_text_file(file), lambda path: read_file_beside(file, path))
    with marketplace() as database, working(f"Applying {file} ..."):
        applied = apply_marketplace(database, document, OPERATOR, dry_run=dry_run)
    if as_json:
        _print_json(applied)
    else:
        _show(applied)
        for warning in applied.warnings:
            errors.print(f"warning: {warning}", markup=False, highlight=False, soft_wrap=True)


def _print_json(applied: Applied) -> None:
    changes = [
        {"kind": change.kind, "entity": change.entity, "name": change.name, "old": change.old, "new": change.new}
        for change in applied.changes
    ]
    print_json(
        {
            "dry_run": applied.is_dry_run,
            "currency": applied.currency,
            "changes": changes,
            "warnings": list(applied.warnings),
        }
    )


def _show(applied: Applied) -> None:
    if not applied.changes:
        say("nothing to change")
        return
    shown: Counter[str] = Counter()
    totals = Counter(change.entity for change in applied.changes)
    for change in applied.changes:
        shown[change.entity] += 1
        if shown[change.entity] <= LINES_SHOWN:
            say(change.line, STYLES[change.kind])
        elif shown[change.entity] == totals[change.entity]:
            more = totals[change.entity] - LINES_SHOWN
            say(f"  and {more:,} more of {change.entity} (--json lists them all)", "dim")
    summary = ", ".join(f"{count:,} {entity}" for entity, count in totals.items())
    if applied.is_dry_run:
        say(f"would change: {summary}. This was a dry run: nothing was changed.", "bold")
    else:
        say(f"changed: {summary}", "bold")
