"""The program: its verbs, and how whatever goes wrong becomes one clear line and an exit status."""

import logging
import os
import sys

import typer

from fairlead import __version__
from fairlead.cli import (
    admin,
    apply,
    database,
    demo,
    distribute,
    explain,
    export,
    jobs,
    keys,
    leads,
    migrate,
    notifications,
    openapi,
    reconcile,
    serve,
    status,
    templates,
    verify,
    web,
    webhooks,
    worker,
)
from fairlead.cli.output import errors
from fairlead.core.errors import BadInput, Broken, FairleadError
from fairlead.settings import SettingsError

app = typer.Typer(
    name="fairlead",
    help="Sells each lead to the right service providers: fairly, atomically, exactly once, and able to prove it.",
    epilog="Start with `fairlead demo`. Every verb explains itself with --help.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("demo")(demo.demo)
app.command("serve")(serve.serve)
app.command("web")(web.web)
app.command("worker")(worker.worker)
app.add_typer(database.app, name="db")
app.add_typer(leads.app, name="leads")
app.add_typer(jobs.app, name="jobs")
app.add_typer(notifications.app, name="notifications")
app.add_typer(admin.app, name="admin")
app.add_typer(keys.app, name="keys")
app.add_typer(templates.app, name="templates")
app.add_typer(webhooks.app, name="webhooks")
app.command("apply")(apply.apply)
app.command("distribute")(distribute.distribute)
app.command("explain")(explain.explain)
app.command("verify")(verify.verify)
app.command("reconcile")(reconcile.reconcile)
app.command("export")(export.export)
app.command("openapi")(openapi.openapi)
app.command("migrate")(migrate.migrate)
app.command("status")(status.status)


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

    Typer sees to the two ends that are nobody's mistake: Ctrl-C is 130, and a reader that went away (`| head`) is 1.
    """
    # What the pool has to say about a server that is away, a verb says better, in one line.
    logging.getLogger("psycopg.pool").setLevel(logging.CRITICAL)
    try:
        app()
    except BadInput as error:
        for problem in error.problems:
            errors.print(f"error: {problem}", style="red", markup=False, highlight=False, soft_wrap=True)
        sys.exit(2)
    except (FairleadError, SettingsError) as error:
        _end(f"error: {error}", 70 if isinstance(error, Broken) else 1)
    except Exception as error:
        if os.environ.get("FAIRLEAD_DEBUG"):
            raise
        _end(f"internal error: {type(error).__name__}: {error} (FAIRLEAD_DEBUG=1 shows where)", 70)


def _end(line: str, status: int) -> None:
    errors.print(" ".join(line.split()), style="red", markup=False, highlight=False, soft_wrap=True)
    sys.exit(status)
