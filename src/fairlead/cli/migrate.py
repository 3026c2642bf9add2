"""`fairlead migrate`: bring the schema to the newest revision."""

from typing import Annotated

import typer

from fairlead.cli.marketplace import connected
from fairlead.cli.output import print_json, say
from fairlead.store import schema


def migrate(
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs.")] = False,
) -> None:
    """Bring the database's schema to the newest revision; running it again changes nothing.

    Safe beside a running marketplace and beside another migration, which it waits for.

    Example: FAIRLEAD_DATABASE_URL=postgresql://fairlead:secret@localhost/fairlead fairlead migrate
    """
    with connected() as database:
        done = schema.migrate(database)
    if as_json:
        print_json(
            {
                "schema": done.schema_name,
                "before": done.before,
                "after": done.after,
                "changed": done.before != done.after,
                "has_portal_role": done.has_portal_role,
            }
        )
    elif done.before == done.after:
        say(f"The schema {done.schema_name} is at {done.after} already.")
    else:
        say(f"The schema {done.schema_name} went from {done.before or 'nothing'} to {done.after}.", "green")
    if not as_json and not done.has_portal_role:
        say("The portal's database role could not be created: providers' requests are refused.", "yellow")
        say("fairlead status prints the statements that create it.", "yellow")
