"""`fairlead jobs`: the queues, and dead letters: what was given up and needs a person."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import typer

from fairlead.cli.marketplace import marketplace
from fairlead.cli.output import errors, print_json, say, table
from fairlead.cli.progress import progress_bar
from fairlead.core.canonical import timestamp_text
from fairlead.core.errors import BadInput
from fairlead.flows.failures import dead_letters as flow
from fairlead.store.audit.log import OPERATOR
from fairlead.store.failures.dead_letters import DeadLetter
from fairlead.store.jobs.queue import QUEUE_OF
from fairlead.store.leads.runs import JobAttempt
from fairlead.store.watching.gauges import read_gauges, watching
from fairlead.telemetry.gauges import QueueGauges

app = typer.Typer(help="See the queues; see to what was given up (dead letters).", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs.")]
OfQueue = Annotated[str | None, typer.Option("--queue", help=f"Only this queue: {', '.join(QUEUE_OF.values())}.")]
DeadLetterId = Annotated[str, typer.Argument(metavar="ID", help="The dead letter's id.", show_default=False)]


@app.command("list")
def list_(
    queue: OfQueue = None,
    show_all: Annotated[bool, typer.Option("--all", help="Also those that are resolved.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many, the newest first.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List dead letters, the newest first. Nothing personal is shown.

    Example: fairlead jobs list --queue distribute --all
    """
    _check_queue(queue)
    with marketplace() as database:
        letters = flow.list_dead_letters(database, queue=queue, only_open=not show_all, limit=limit)
    if as_json:
        print_json([_for_programs(letter) for letter in letters])
    elif letters:
        columns = ("dead letter", "queue", "about", "attempts", "failed", "state", "error")
        table("", columns, [_row(letter) for letter in letters], right=[3])
    else:
        say("No dead letters." if show_all else "No open dead letters.")


@app.command()
def show(dead_letter_id: DeadLetterId, as_json: AsJson = False) -> None:
    """Show one dead letter: what it is about, why it was given up, and the runs that led to it.

    Example: fairlead jobs show 01900000-0000-7000-8000-000000000000
    """
    with marketplace() as database:
        inspected = flow.inspect_dead_letter(database, dead_letter_id)
    if as_json:
        runs = [_attempt_for_programs(attempt) for attempt in inspected.attempts]
        print_json({**_for_programs(inspected.letter), "runs": runs})
        return
    letter = inspected.letter
    for name, value in (
        ("dead letter", letter.dead_letter_id),
        ("queue", f"{letter.queue}, {letter.task}"),
        ("about", _about(letter)),
        ("failed", f"{_moment(letter.failed_at)}, after {letter.attempts} attempts"),
        ("state", _state(letter)),
        ("memo", letter.memo),
        ("error", letter.error),
    ):
        if value is not None:
            say(f"{name:<12} {value}")
    if letter.trace is not None:
        say("")
        for line in letter.trace.splitlines():
            say(f"  {line}", "dim")
    if inspected.attempts:
        say("")
        rows = [(_moment(run.ended_at), run.outcome, run.error or "") for run in inspected.attempts]
        table("runs on record", ("ended", "outcome", "error"), rows)


@app.command()
def retry(
    dead_letter_ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Dead letters.")] = None,
    retry_all: Annotated[bool, typer.Option("--all", help="All that are open.")] = False,
    queue: OfQueue = None,
    as_json: AsJson = False,
) -> None:
    """Try again what was given up, from the beginning. What is resolved already is left alone.

    Ends with status 1 when one could not be retried.

    Examples:

        fairlead jobs retry 01900000-0000-7000-8000-000000000000

        fairlead jobs retry --all --queue email
    """
    if bool(dead_letter_ids) == retry_all or (queue is not None and not retry_all):
        raise BadInput(["say which: some IDs, or --all, with --queue QUEUE for those of one queue"])
    _check_queue(queue)
    with marketplace() as database, progress_bar("letters") as bar:
        task = bar.add_task("Retrying", total=len(dead_letter_ids) if dead_letter_ids else None)

        def show_progress(done: int) -> None:
            bar.update(task, completed=done)

        if dead_letter_ids:
            result = flow.retry_dead_letters(database, dead_letter_ids, OPERATOR, show_progress)
        else:
            result = flow.retry_all_dead_letters(database, queue, OPERATOR, show_progress)
    if as_json:
        print_json(asdict(result))
    else:
        for refused in result.refused:
            errors.print(f"error: {refused.message}", style="red", markup=False, soft_wrap=True)
        before = sum(not each.took_effect for each in result.closed)
        already = f", {before:,} were resolved already" if before else ""
        say(f"{len(result.closed) - before:,} retried{already}" if len(result) else "No open dead letters.")
    if result.refused:
        raise typer.Exit(1)


@app.command()
def resolve(
    dead_letter_id: DeadLetterId,
    memo: Annotated[str, typer.Option(help="Why it need not be tried again; 1 to 500 characters.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Close a dead letter without trying again.

    Example: fairlead jobs resolve 01900000-0000-7000-8000-000000000000 --memo "sold by telephone"
    """
    with marketplace() as database:
        closed = flow.resolve_dead_letter(database, dead_letter_id, memo, OPERATOR)
    if as_json:
        print_json(asdict(closed))
    else:
        say("resolved" if closed.took_effect else f"nothing to do: it was {closed.resolution} already")


@app.command()
def queues(as_json: AsJson = False) -> None:
    """Show how much waits in each queue, and for how long: jobs ready, scheduled for later, running; dead letters.

    Example: fairlead jobs queues --json
    """
    with marketplace() as database, watching(database) as conn:
        found = read_gauges(conn).queues
    if as_json:
        print_json([asdict(queue) for queue in found])
        return
    columns = ("queue", "ready", "scheduled", "running", "oldest waits", "dead letters", "oldest open")
    table("", columns, [_queue_row(queue) for queue in found], right=range(1, 7))


def _check_queue(queue: str | None) -> None:
    if queue is not None and queue not in QUEUE_OF.values():
        raise BadInput([f"--queue: there is no queue {queue!r}; there are {', '.join(QUEUE_OF.values())}"])


def _for_programs(letter: DeadLetter) -> dict[str, Any]:
    return _with_moments(asdict(letter))


def _attempt_for_programs(attempt: JobAttempt) -> dict[str, Any]:
    return _with_moments(asdict(attempt))


def _with_moments(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: timestamp_text(value) if isinstance(value, datetime) else value for name, value in fields.items()}


def _row(letter: DeadLetter) -> tuple[object, ...]:
    return (
        letter.dead_letter_id,
        letter.queue,
        _about(letter),
        letter.attempts,
        _moment(letter.failed_at),
        letter.resolution or "open",
        letter.error,
    )


def _queue_row(queue: QueueGauges) -> tuple[object, ...]:
    return (
        queue.queue,
        f"{queue.ready_jobs:,}",
        f"{queue.scheduled_jobs:,}",
        f"{queue.running_jobs:,}",
        _age(queue.oldest_ready_seconds),
        f"{queue.open_dead_letters:,}",
        _age(queue.oldest_dead_letter_seconds),
    )


def _about(letter: DeadLetter) -> str:
    return f"lead {letter.lead_id}" if letter.lead_id else f"notification {letter.notification_id}"


def _state(letter: DeadLetter) -> str:
    if letter.resolved_at is None:
        return "open"
    return f"{letter.resolution}, {_moment(letter.resolved_at)} by {letter.resolved_by}"


def _moment(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def _age(seconds: float) -> str:
    """How long, for people.

    >>> _age(0), _age(59.4), _age(3700), _age(90_000)
    ('', '59 s', '61 min', '25 h')
    """
    if seconds < 0.5:
        return ""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds // 60:.0f} min" if seconds < 7_200 else f"{seconds // 3_600:.0f} h"
