"""`fairlead notifications`: what providers and operators are told, and how far that has come."""

from dataclasses import asdict
from typing import Annotated

import typer

from fairlead.cli.marketplace import marketplace
from fairlead.cli.output import errors, print_json, say, table
from fairlead.core.canonical import timestamp_text
from fairlead.core.errors import BadInput, Refused
from fairlead.flows.notifications.replay import Replayed, replay_notification
from fairlead.store.audit.log import OPERATOR
from fairlead.store.leads.runs import JobAttempt, attempts_of
from fairlead.store.lookups import checked_id, provider_id_of
from fairlead.store.notifications.lists import (
    NOTIFICATION_STATES,
    ListedNotification,
    list_notifications,
    listed_notification,
)

app = typer.Typer(help="What providers and operators are told.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs.")]
CHANNELS = ("email", "webhook")


@app.command("list")
def list_(
    state: Annotated[str | None, typer.Option(help=f"Only this state: {', '.join(NOTIFICATION_STATES)}.")] = None,
    channel: Annotated[str | None, typer.Option(help="Only this channel: email, webhook.")] = None,
    provider: Annotated[str | None, typer.Option(help="Only this provider's (its id or email).")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many, the newest first.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List notifications, the newest first.

    Example: fairlead notifications list --state failed --channel webhook
    """
    if state is not None and state not in NOTIFICATION_STATES:
        raise BadInput([f"--state: there is no state {state!r}; there are {', '.join(NOTIFICATION_STATES)}"])
    if channel is not None and channel not in CHANNELS:
        raise BadInput([f"--channel: there is no channel {channel!r}; there are {', '.join(CHANNELS)}"])
    with marketplace() as database, database.snapshot() as conn:
        provider_id = None if provider is None else provider_id_of(conn, provider)
        found = list_notifications(conn, state=state, channel=channel, provider_id=provider_id, limit=limit)
    if as_json:
        print_json([_for_programs(each) for each in found])
    elif found:
        columns = ("notification", "kind", "channel", "state", "attempts", "last answer", "created")
        table("", columns, [_for_people(each) for each in found], right=[4])
    else:
        say("No notifications.")


@app.command()
def show(
    notification_id: Annotated[str, typer.Argument(metavar="NOTIFICATION_ID")],
    as_json: AsJson = False,
) -> None:
    """Show a notification and the attempts at it that are on record: those that failed, and what came after.

    Example: fairlead notifications show 01900000-0000-7000-8000-000000000000
    """
    checked = checked_id(notification_id, "notification")
    with marketplace() as database, database.snapshot() as conn:
        found = listed_notification(conn, checked)
        if found is None:
            raise Refused("notification_unknown", f"there is no notification {checked}")
        attempts = attempts_of(conn, None, checked)
    if as_json:
        print_json(_for_programs(found) | {"runs": [_run_for_programs(each) for each in attempts]})
        return
    for name, value in _for_programs(found).items():
        if value is not None:
            say(f"{name:<20} {value}")
    if attempts:
        say("")
        rows = [(each.ended_at.strftime("%Y-%m-%d %H:%M:%S"), each.outcome, each.error or "") for each in attempts]
        table("", ("ended", "outcome", "error"), rows)


@app.command()
def replay(
    notification_ids: Annotated[list[str], typer.Argument(metavar="NOTIFICATION_ID...")],
    as_json: AsJson = False,
) -> None:
    """Send notifications again, whether they failed or were sent.

    One that waits to be sent stays as it is. Ends with status 1 when one could not be sent again.

    Example: fairlead notifications replay 01900000-0000-7000-8000-000000000000
    """
    checked = [checked_id(each, "notification") for each in dict.fromkeys(notification_ids)]
    replayed: list[Replayed] = []
    refused: list[dict[str, str]] = []
    with marketplace() as database:
        for notification_id in checked:
            try:
                replayed.append(replay_notification(database, notification_id, OPERATOR))
            except Refused as error:
                refused.append({"notification_id": notification_id, "code": error.code, "message": str(error)})
    if as_json:
        print_json({"replayed": [asdict(each) for each in replayed], "refused": refused})
    else:
        for each in refused:
            line = f"error: {each['notification_id']}: {each['message']}"
            errors.print(line, style="red", markup=False, soft_wrap=True)
        waiting = sum(not each.took_effect for each in replayed)
        already = f", {waiting:,} waited already" if waiting else ""
        say(f"{len(replayed) - waiting:,} to be sent again{already}")
    if refused:
        raise typer.Exit(1)


def _for_programs(each: ListedNotification) -> dict[str, object]:
    return {
        **asdict(each),
        "created_at": timestamp_text(each.created_at),
        "last_attempt_at": each.last_attempt_at and timestamp_text(each.last_attempt_at),
        "sent_at": each.sent_at and timestamp_text(each.sent_at),
    }


def _run_for_programs(each: JobAttempt) -> dict[str, object]:
    return {
        "job_id": each.job_id,
        "outcome": each.outcome,
        "started_at": each.started_at and timestamp_text(each.started_at),
        "ended_at": timestamp_text(each.ended_at),
        "error": each.error,
    }


def _for_people(each: ListedNotification) -> tuple[object, ...]:
    state = "queued, held" if each.is_held else each.state
    created = each.created_at.strftime("%Y-%m-%d %H:%M:%S")
    return each.notification_id, each.kind, each.channel, state, each.attempts, each.last_answer or "", created
