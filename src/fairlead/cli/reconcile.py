"""`fairlead reconcile`: compare the books with themselves, now."""

from dataclasses import asdict
from typing import Annotated

import typer

from fairlead.cli.marketplace import marketplace
from fairlead.cli.output import print_json, say
from fairlead.cli.progress import progress_bar
from fairlead.core.canonical import timestamp_text
from fairlead.flows.maintenance import reconcile as flow
from fairlead.store.audit.log import OPERATOR


def reconcile(
    as_json: Annotated[bool, typer.Option("--json", help="Every comparison as JSON.")] = False,
) -> None:
    """Compare the books with themselves, with the journals and with the audit log. Workers do it every day.

    Reads one snapshot and repairs nothing. The result is kept, and operators are alerted to any difference; ends with
    status 1 and the first differences when there are any. `fairlead verify` makes the same checks of rows, and beside
    them hashes every entry and takes every decision again.

    Example: fairlead reconcile --json
    """
    with marketplace() as database, progress_bar("checks") as bar:
        task = bar.add_task("Comparing", total=None)
        result = flow.reconcile(
            database, OPERATOR, lambda _, done, total: bar.update(task, completed=done, total=total)
        )
    if as_json:
        print_json(
            {
                **asdict(result),
                "started_at": timestamp_text(result.started_at),
                "checked_count": result.checked_count,
                "difference_count": result.difference_count,
            }
        )
    else:
        _show(result)
    if result.differing:
        raise typer.Exit(1)


def _show(result: flow.Reconciliation) -> None:
    for each in result.comparisons:
        mark, style = ("BAD", "red") if each.difference_count else ("ok ", None)
        say(f"{mark} {each.checked_count:>9,}  {each.name}", style)
        for difference in each.first_differences:
            say(f"               {difference}", "red")
        if (more := each.difference_count - len(each.first_differences)) > 0:
            say(f"               and {more:,} more", "red")
    if result.differing:
        say(f"{result.difference_count:,} differences; nothing was changed, operators are alerted", "bold red")
    else:
        say("the books agree with themselves", "bold green")
