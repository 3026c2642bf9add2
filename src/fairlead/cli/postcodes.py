"""`fairlead postcodes`: postcode tables with their places, for filters by distance."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from fairlead.cli.marketplace import marketplace
from fairlead.cli.output import print_json, say, table
from fairlead.cli.text_file import read_text_file
from fairlead.core.canonical import timestamp_text
from fairlead.flows.configuration.filter_renewals import renew_filters
from fairlead.flows.configuration.postcode_tables import list_postcode_tables, load_postcode_table
from fairlead.store.audit.log import OPERATOR
from fairlead.store.configuration.postcode_tables import PostcodeTableRow

app = typer.Typer(help="Postcode tables with their places: load, list, renew filters.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs.")]


@app.command()
def load(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Lines of a postcode, its latitude and longitude.")],
    name: Annotated[str, typer.Option(metavar="NAME", help="What filters call the table, such as de.")],
    as_json: AsJson = False,
) -> None:
    """Load a file as the newest version of a table. Filters go on with the version that they were written with.

    Example: fairlead postcodes load plz.csv --name de
    """
    text = read_text_file(file)
    with marketplace() as database:
        done = load_postcode_table(database, name, text, OPERATOR)
    if as_json:
        print_json({**_for_programs(done.row), "took_effect": done.took_effect})
    else:
        count = f"{done.row.postcode_count:,} postcodes"
        say(f"{name}, version {done.row.version}: {count}{'' if done.took_effect else ', as before'}")


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the tables, every version of each.

    Example: fairlead postcodes list --json
    """
    with marketplace() as database:
        found = list_postcode_tables(database)
    if as_json:
        print_json([_for_programs(each) for each in found])
    elif found:
        rows = [(each.name, each.version, each.postcode_count, f"{each.created_at:%Y-%m-%d %H:%M}") for each in found]
        table("", ("name", "version", "postcodes", "loaded"), rows, right=[1, 2])
    else:
        say("No postcode tables.")


@app.command()
def renew(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What filters call the table, such as de.")],
    as_json: AsJson = False,
) -> None:
    """Have all filters that go by an older version of the table go by its newest one, from the next decision on.

    A filter that has no place in the newest version stays as it is, and is named.

    Example: fairlead postcodes renew de
    """
    with marketplace() as database:
        done = renew_filters(database, name, OPERATOR)
    if as_json:
        print_json(asdict(done))
        return
    say(f"{name}, version {done.version}: filters renewed {done.renewed_count:,}, kept {len(done.not_renewed):,}")
    for each in done.not_renewed:
        say(f"{each.provider_name}, subscription {each.subscription_id}, stays as it is: {each.detail}")


def _for_programs(row: PostcodeTableRow) -> dict[str, object]:
    return {**asdict(row), "created_at": timestamp_text(row.created_at)}
