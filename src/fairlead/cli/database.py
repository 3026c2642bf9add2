"""`fairlead db`: the embedded PostgreSQL, by hand."""

from dataclasses import asdict
from typing import Annotated

import typer

from fairlead.cli.output import print_json, say
from fairlead.core.errors import Refused
from fairlead.settings import load_settings
from fairlead.store.embedded import Cluster, ClusterStatus, embedded_cluster
from fairlead.store.embedded.probe import server_version

NOT_RUNNING = 3

app = typer.Typer(
    help="The embedded PostgreSQL, which Fairlead runs where FAIRLEAD_DATABASE_URL names no server.",
    no_args_is_help=True,
)

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs.")]


@app.command(epilog='Example: fairlead db start && psql "$(fairlead db status --url)"')
def start(as_json: AsJson = False) -> None:
    """Start the embedded PostgreSQL and keep it up until `fairlead db stop`.

    Other verbs start it themselves and stop it when the last of them ends; kept up, they begin at once.
    """
    cluster = _own_cluster()
    cluster.keep_running()
    status = cluster.status()
    if as_json:
        print_json(_for_programs(status))
        return
    say(f"PostgreSQL {status.version} runs on 127.0.0.1:{status.port} until: fairlead db stop")


@app.command(epilog="Examples: fairlead db stop; fairlead db stop --force")
def stop(
    force: Annotated[bool, typer.Option("--force", help="Also when other fairlead processes use it.")] = False,
    as_json: AsJson = False,
) -> None:
    """Stop the embedded PostgreSQL, and no longer keep it up.

    While other fairlead processes use it, it is left to them and stops with the last one (exit status 1).
    """
    cluster = _own_cluster()
    was_running = cluster.stop(force=force)
    if as_json:
        print_json({"was_running": was_running, **_for_programs(cluster.status())})
        return
    say("PostgreSQL is stopped." if was_running else "PostgreSQL was not running.")


@app.command(epilog="Examples: fairlead db status --json; pg_dump -Fc $(fairlead db status --url) > fairlead.dump")
def status(
    url: Annotated[bool, typer.Option("--url", help="Print only the URL, with its password.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show whether the database runs, where, its size and who started it (exit status 3: not running)."""
    settings = load_settings()
    if settings.database_url is not None:
        _external(settings.database_url.get_secret_value(), url=url, as_json=as_json)
        return
    cluster = embedded_cluster(settings)
    if url:
        say(cluster.url)
        return
    seen = cluster.status()
    if as_json:
        print_json(_for_programs(seen))
    else:
        for line in _for_people(seen):
            say(line)
    if not seen.running:
        raise typer.Exit(NOT_RUNNING)


def _external(address: str, *, url: bool, as_json: bool) -> None:
    if url:
        say(address)
        return
    version = server_version(address)
    if as_json:
        print_json({"embedded": False, "running": version is not None, "version": version})
    elif version is None:
        say("The server that FAIRLEAD_DATABASE_URL names does not answer.")
    else:
        say(f"PostgreSQL {version} answers where FAIRLEAD_DATABASE_URL points; the embedded one is not used.")
    if version is None:
        raise typer.Exit(NOT_RUNNING)


def _own_cluster() -> Cluster:
    settings = load_settings()
    if settings.database_url is not None:
        raise Refused(
            "database_not_embedded",
            "FAIRLEAD_DATABASE_URL is set: that server is yours to start and stop, the embedded one is idle",
        )
    return embedded_cluster(settings)


def _for_programs(status: ClusterStatus) -> dict[str, object]:
    return {"embedded": True, **asdict(status), "data_dir": str(status.data_dir)}


def _for_people(status: ClusterStatus) -> list[str]:
    if status.version is None:
        return [f"There is no embedded database yet; it will be made in {status.data_dir}"]
    lines = [
        f"PostgreSQL {status.version} runs on 127.0.0.1:{status.port} (process {status.pid})"
        if status.running
        else f"PostgreSQL {status.version} is not running",
        f"data      {status.data_dir}, {status.size_bytes / 1e6:.0f} MB",
    ]
    if status.running:
        lines.append(f"started   {status.started_at} by {status.started_by}")
        until = "until: fairlead db stop" if status.stays_up else "until the last fairlead process ends"
        lines.append(f"stays up  {until}")
    return lines
