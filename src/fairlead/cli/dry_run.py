"""`fairlead try`: a lead that does not exist walks the whole way."""

import json
from pathlib import Path
from typing import Annotated, cast

import typer

from fairlead.api.routes.admin.leads.dry_runs import shown_dry_run
from fairlead.cli.explain import say_all
from fairlead.cli.marketplace import marketplace
from fairlead.cli.moments import moment_in
from fairlead.cli.output import print_json
from fairlead.cli.text_file import read_text_file
from fairlead.core.errors import BadInput
from fairlead.flows.explaining.decision_lines import dry_run_lines
from fairlead.flows.try_lead import try_lead


def dry_run(
    file: Annotated[Path, typer.Argument(metavar="FILE.json", help="The answers, as one JSON object; - reads them.")],
    niche: Annotated[str, typer.Option(help="The lead's niche (its slug).")],
    at: Annotated[
        str | None,
        typer.Option(metavar="MOMENT", help="As if it were then: 2026-12-24T09:00:00Z, at most a year ahead."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The same as JSON.")] = False,
) -> None:
    """Say what would become of a lead with these answers if it were decided now, and who would pay what.

    It is decided by the code that decides, from one moment of the marketplace. Nothing is written, no turn moves and
    nothing is locked: a lead that comes next may be decided otherwise. With --at, schedules, windows of limits and
    hours of prices are those of then; turns, balances and filters are those of now.

    Examples:

        fairlead try answers.json --niche vps-hosting

        echo '{"cores": 8, "region": "eu"}' | fairlead try - --niche vps-hosting --json
    """
    answers, moment = _answers_in(file), None if at is None else moment_in(at, "--at")
    with marketplace() as database:
        tried = try_lead(database, niche, answers, moment)
    if as_json:
        print_json(shown_dry_run(tried).model_dump(mode="json"))
    else:
        say_all(dry_run_lines(tried))


def _answers_in(file: Path) -> dict[str, object]:
    try:
        read = json.loads(read_text_file(Path("/dev/stdin") if str(file) == "-" else file))
    except ValueError as error:
        raise BadInput([f"{file} is no JSON: {error}"]) from None
    if not isinstance(read, dict):
        raise BadInput([f"{file} must be one JSON object: the answers by the keys of the form"])
    return cast("dict[str, object]", read)
