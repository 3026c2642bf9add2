"""`fairlead niches`: which there are, and archiving those that are over."""

from dataclasses import asdict
from typing import Annotated

import typer

from fairlead.cli.marketplace import marketplace
from fairlead.cli.output import print_json, say, say_aside, table
from fairlead.core.canonical import timestamp_text
from fairlead.flows.configuration.niche_archive import archive_niche, preview_archive, restore_niche
from fairlead.store.audit.log import OPERATOR
from fairlead.store.configuration.niche_archive import WhatAnArchiveStops
from fairlead.store.configuration.pages import ListedNiche, every_niche
from fairlead.store.lookups import niche_id_of

app = typer.Typer(help="Niches: list them, archive those that are over, restore them.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs.")]
Slug = Annotated[str, typer.Argument(metavar="SLUG", help="The niche (its slug).")]
Reason = Annotated[str | None, typer.Option(help="Why, for the audit log; one line.")]


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List every niche, archived ones too, the oldest first.

    Example: fairlead niches list --json
    """
    with marketplace() as database:
        found = database.read(every_niche)
    if as_json:
        print_json([{**asdict(each), "created_at": timestamp_text(each.created_at)} for each in found])
    elif found:
        rows = [(each.slug, each.name, _state(each), each.level_count) for each in found]
        table("", ("niche", "name", "state", "levels"), rows, right=[3])
    else:
        say("No niches: fairlead apply FILE.toml declares them.")


@app.command()
def archive(
    slug: Slug,
    reason: Reason = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it would stop; change nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Archive a niche that is over: it takes in no lead, decides none, and is off the lists until it is restored.

    Nothing of it is deleted: its leads, subscriptions and places in queues are kept. Says what it stops; doing it
    again changes nothing.

    Examples:

        fairlead niches archive vps-hosting --dry-run

        fairlead niches archive vps-hosting --reason "merged into hosting"
    """
    with marketplace() as database:
        niche_id = database.read(lambda conn: niche_id_of(conn, slug))
        stops = preview_archive(database, niche_id)
        took_effect = not dry_run and archive_niche(database, niche_id, OPERATOR, memo=reason).took_effect
    if as_json:
        print_json({"niche_id": niche_id, "slug": slug, "took_effect": took_effect, "stops": asdict(stops)})
        return
    said = "is archived" if took_effect else "would be archived; nothing was changed" if dry_run else None
    if said is None:
        say(f"{slug} is archived already")
        return
    say(f"{slug} {said}")
    for line in _stopped(stops):
        say_aside(line)


@app.command()
def restore(slug: Slug, reason: Reason = None, as_json: AsJson = False) -> None:
    """Restore an archived niche. It stays inactive until it is made active, in the console or over the API.

    Example: fairlead niches restore vps-hosting --reason "the season begins"
    """
    with marketplace() as database:
        niche_id = database.read(lambda conn: niche_id_of(conn, slug))
        took_effect = restore_niche(database, niche_id, OPERATOR, memo=reason).took_effect
    if as_json:
        print_json({"niche_id": niche_id, "slug": slug, "took_effect": took_effect})
    else:
        say(f"{slug} is restored, and inactive until it is made active" if took_effect else f"{slug} is not archived")


def _stopped(stops: WhatAnArchiveStops) -> list[str]:
    """What goes on in the niche and comes to a halt with it, a line for each kind of which there is something."""
    leads = (
        ("wait for their consumer's confirmation", stops.unconfirmed_count),
        ("wait for approval", stops.pending_count),
        ("wait to be distributed", stops.waiting_count),
        ("were approved and not sold", stops.unsold_count),
    )
    lines = ["its public form takes in no lead"] if stops.is_active and stops.is_public else []
    lines += [f"leads that {what}, and stay so: {count:,}" for what, count in leads if count]
    if stops.subscription_count:
        lines.append(
            f"subscriptions that receive no lead of it: {stops.subscription_count:,}, "
            f"of providers: {stops.provider_count:,}"
        )
    return lines


def _state(niche: ListedNiche) -> str:
    return "archived" if niche.is_archived else "active" if niche.is_active else "inactive"
