"""`fairlead verify`: prove that everything recorded was right."""

import time
from typing import Annotated

import typer
from rich.progress import TaskID

from fairlead.cli.marketplace import marketplace
from fairlead.cli.output import print_json, say, say_aside
from fairlead.cli.progress import progress_bar
from fairlead.flows.proving import verify as flow
from fairlead.flows.proving.verifications import verify_and_keep
from fairlead.store.audit.log import OPERATOR


def verify(
    niche: Annotated[str | None, typer.Option(help="Replay only this niche's journal (its slug).")] = None,
    keep: Annotated[
        bool, typer.Option(help="Keep the result, for the console. A standby cannot, and takes --no-keep.")
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Every check as JSON.")] = False,
) -> None:
    """Prove the past: hash chains, every decision taken again, every balance and row.

    Reads one snapshot and repairs nothing. Says how many of each it checked; ends with status 1 and the first
    differences when anything is not as it must be, and also when there was nothing to check. Ctrl-C ends it at any
    moment, with status 130: then nothing is proven. What it found is kept and shown in the console; while another
    verification runs, it is refused.

    Examples:

        fairlead verify

        fairlead verify --niche vps-hosting --json
    """
    started = time.monotonic()
    with marketplace() as database, progress_bar("checked") as bar:
        tasks: dict[str, TaskID] = {}
        reached = ""

        def show(what: str, done: int, total: int) -> None:
            nonlocal reached
            reached = f", at {what}, {done:,} of {total:,}"
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total)
            bar.update(tasks[what], completed=done)

        try:
            result = (
                verify_and_keep(database, OPERATOR, niche, show)
                if keep
                else flow.verify(database, niche, progress=show)
            )
        except KeyboardInterrupt:
            bar.stop()
            say_aside(f"stopped before the end{reached}: nothing is proven, and nothing was changed")
            raise
    seconds = time.monotonic() - started
    if as_json:
        _show_as_json(result, seconds)
    else:
        _show(result, seconds)
    if not result.holds:
        raise typer.Exit(1)


def _show_as_json(result: flow.Verification, seconds: float) -> None:
    print_json(
        {
            "holds": result.holds,
            "seconds": round(seconds, 3),
            "checks": [
                {
                    "name": check.name,
                    "checked": check.checked,  # 0: there was nothing to check, which proves nothing
                    "holds": check.holds,
                    "differences": list(check.differences),
                }
                for check in result.checks
            ],
        }
    )


def _show(result: flow.Verification, seconds: float) -> None:
    for check in result.checks:
        mark, style = ("BAD", "red") if not check.holds else ("ok ", None) if check.checked else ("-- ", "dim")
        say(f"{mark} {check.checked:>9,}  {check.name}{'' if check.checked else ': nothing to check'}", style)
        for difference in check.differences:
            say(f"               {difference}", "red")
    failed = sum(not check.holds for check in result.checks)
    made = sum(check.checked > 0 for check in result.checks)
    verdict = f"{failed} checks FAILED" if failed else f"all {made} checks hold"
    say(f"{verdict} ({seconds:.1f} s)", "bold red" if failed else "bold green")
