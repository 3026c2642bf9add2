"""The program: its verbs, and how whatever goes wrong becomes one clear line and an exit status."""

import logging
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

import typer

from fairlead import __version__
from fairlead.cli.lazy_group import LazyGroup, Verb


class Verbs(LazyGroup):
    """What the program can do, in the order in which it is listed."""

    verbs = (
        Verb(
            "demo",
            "demo",
            "Watch leads being sold: a sample marketplace for VPS and dedicated servers, leads streaming in.",
        ),
        Verb("serve", "serve", "Run the web process and a worker together, until stopped: all that one machine needs."),
        Verb("web", "web", "Answer over HTTP: the API, and /livez, /readyz and /metrics. Runs until stopped."),
        Verb(
            "worker",
            "worker",
            "Do what waits: distribute approved leads, tell providers, keep the marketplace in order. "
            "Runs until stopped.",
        ),
        Verb(
            "apply",
            "apply",
            "Make the marketplace what a file declares: niches, levels, providers, deposits, subscriptions.",
        ),
        Verb("distribute", "distribute", "Distribute leads now: decide, charge, assign, each lead in one transaction."),
        Verb("explain", "explain", "Tell why a lead went to whom it went, level by level, and why not to others."),
        Verb(
            "try",
            "dry_run",
            "Say what would become of a lead with these answers if it were decided now, and who would pay what.",
        ),
        Verb("verify", "verify", "Prove the past: hash chains, every decision taken again, every balance and row."),
        Verb(
            "reconcile",
            "reconcile",
            "Compare the books with themselves, with the journals and with the audit log. Workers do it every day.",
        ),
        Verb(
            "export",
            "export",
            "Export leads, assignments, decisions, ledger, receipts, books, logs or a report, as one snapshot has it.",
        ),
        Verb("openapi", "openapi", "Print the OpenAPI 3.1 document of the HTTP API. Needs no database."),
        Verb(
            "migrate",
            "migrate",
            "Bring the database's schema to the newest revision; running it again changes nothing.",
        ),
        Verb("status", "status", "Show the database, its schema, workers and queues, and the marketplace in numbers."),
        Verb(
            "db",
            "database",
            "The embedded PostgreSQL, which Fairlead runs where FAIRLEAD_DATABASE_URL names no server.",
        ),
        Verb(
            "erase",
            "erase",
            "Erase the personal data of a lead, or of all leads of a person; what was decided stays provable.",
        ),
        Verb("deposit", "deposit", "Record a deposit that was made elsewhere, such as a bank transfer."),
        Verb("payments", "payments", "Payments: list and show them, and decide on those that are in doubt."),
        Verb("niches", "niches", "Niches: list them, archive those that are over, restore them."),
        Verb("leads", "leads", "Bring leads in, approve them, list them."),
        Verb("jobs", "jobs", "See the queues; see to what was given up (dead letters)."),
        Verb("notifications", "notifications", "What providers and operators are told."),
        Verb("admin", "admin", "Operators: let the first one in, and see to the others."),
        Verb("keys", "keys", "API keys: let machines in, within scopes."),
        Verb("templates", "templates", "What messages look like: list, edit, preview, restore."),
        Verb("postcodes", "postcodes", "Postcode tables with their places: load, list, renew filters."),
        Verb("webhooks", "webhooks", "Webhook endpoints: send providers their leads into their own systems."),
    )


app = typer.Typer(
    name="fairlead",
    cls=Verbs,
    help="Sells each lead to the right service providers: fairly, atomically, exactly once, and able to prove it.",
    epilog="Start with `fairlead demo`. Every verb explains itself with --help.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"fairlead {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(False, "--version", callback=_show_version, is_eager=True, help="Show the version."),
) -> None:
    pass


def main() -> None:
    """The program ran; exit status 0 is success, 1 refused or found wrong, 2 bad input, 70 a bug of ours.

    Typer sees to the two ends that are no mistake: Ctrl-C is 130, and a reader that went away (`| head`) is 1.
    """
    # What the pool has to say about a server that is away, a verb says better, in one line.
    logging.getLogger("psycopg.pool").setLevel(logging.CRITICAL)
    try:
        _require_text(sys.argv[1:])
        app()
    except Exception as error:
        _end(error)


def _require_text(words: Sequence[str]) -> None:
    """Raises `BadInput` for a word that is no text: Python lets bytes that it cannot read through as half characters.

    Neither a database nor a terminal takes them, in a name of a file as in any other word.
    """
    for place, word in enumerate(words, start=1):
        try:
            word.encode()
        except UnicodeEncodeError:
            from fairlead.core.errors import BadInput

            raise BadInput([f"word {place} of the command line is not UTF-8 text: {ascii(word)[:200]}"]) from None


def _end(error: Exception) -> NoReturn:
    """The error is told in one line, or in one per problem of the input."""
    # Imported here: most runs, and every --help, end without an error.
    from fairlead.cli.output import errors
    from fairlead.core.entry.text import escaped_line
    from fairlead.core.errors import BadInput, Broken, FairleadError
    from fairlead.settings import SettingsError

    if isinstance(error, BadInput):
        lines, status = [escaped_line(f"error: {problem}") for problem in error.problems], 2
    elif isinstance(error, FairleadError | SettingsError):
        lines, status = [_one_line(f"error: {error}")], 70 if isinstance(error, Broken) else 1
    elif os.environ.get("FAIRLEAD_DEBUG"):
        raise error
    else:
        what = f"internal error: {type(error).__name__}: {error} (FAIRLEAD_DEBUG=1 shows where)"
        lines, status = [_one_line(what)], 70
    for line in lines:
        errors.print(line, style="red", markup=False, highlight=False, soft_wrap=True)
    sys.exit(status)


def _one_line(text: str) -> str:
    from fairlead.core.entry.text import escaped_line

    return escaped_line(" ".join(text.split()))
