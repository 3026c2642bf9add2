"""`fairlead leads`: bring leads in, approve them, look at them."""

from dataclasses import asdict
from typing import Annotated

import typer

from fairlead.cli.lead_import import import_file
from fairlead.cli.marketplace import marketplace
from fairlead.cli.output import errors, print_json, say, table
from fairlead.cli.progress import progress_bar
from fairlead.core.canonical import timestamp_text
from fairlead.core.errors import BadInput
from fairlead.flows.approve_lead import ApprovedLeads, approve_leads, approve_niche
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.leads.listing import LeadFilter, ListedLead, lead_page
from fairlead.store.leads.rows import LEAD_STATUSES, count_pending
from fairlead.store.lookups import niche_id_of

app = typer.Typer(help="Bring leads in, approve them, list them.", no_args_is_help=True)
app.command("import")(import_file)

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs.")]


@app.command()
def approve(
    lead_ids: Annotated[list[str] | None, typer.Argument(metavar="[LEAD_ID]...", help="Leads to approve.")] = None,
    niche: Annotated[str | None, typer.Option(help="All pending leads of this niche (its slug); with --all.")] = None,
    approve_all: Annotated[bool, typer.Option("--all", help="All pending leads of --niche.")] = False,
    as_json: AsJson = False,
) -> None:
    """Approve leads: from then on they await their distribution.

    A lead that is approved already stays so. Ends with status 1 when a lead could not be approved.

    Examples:

        fairlead leads approve 01900000-0000-7000-8000-000000000000

        fairlead leads approve --niche vps-hosting --all
    """
    if lead_ids and (niche is not None or approve_all):
        raise BadInput(["say which: some LEAD_IDs, or --niche SLUG --all"])
    if not lead_ids and (niche is None or not approve_all):
        raise BadInput(["say which: some LEAD_IDs, or --niche SLUG --all for every pending lead of a niche"])
    with marketplace() as database:
        if niche is not None:
            _approve_niche(database, niche, as_json)
        else:
            _approve_some(database, lead_ids or [], as_json)


def _approve_some(database: Database, lead_ids: list[str], as_json: bool) -> None:
    with progress_bar("leads") as bar:
        task = bar.add_task("Approving", total=len(set(lead_ids)))

        def show(done: ApprovedLeads) -> None:
            bar.update(task, completed=len(done.approved) + len(done.already) + len(done.refused))

        result = approve_leads(database, lead_ids, OPERATOR, show)
    if as_json:
        print_json(asdict(result))
    else:
        for refused in result.refused:
            errors.print(f"error: {refused.message}", style="red", markup=False, soft_wrap=True)
        already = f", {len(result.already):,} were already" if result.already else ""
        say(f"{len(result.approved):,} approved{already}")
    if result.refused:
        raise typer.Exit(1)


def _approve_niche(database: Database, slug: str, as_json: bool) -> None:
    niche_id = database.read(lambda conn: niche_id_of(conn, slug))
    with progress_bar("leads") as bar:
        with database.snapshot() as conn:
            task = bar.add_task("Approving", total=count_pending(conn, niche_id))
        count = approve_niche(database, niche_id, OPERATOR, lambda done: bar.update(task, completed=done))
    if as_json:
        print_json({"niche": slug, "approved_count": count})
    else:
        say(f"{count:,} approved in {slug}" if count else f"{slug} has no lead that is pending approval")


@app.command("list")
def list_(
    niche: Annotated[str | None, typer.Option(help="Only this niche (its slug).")] = None,
    status: Annotated[str | None, typer.Option(help=f"Only this status: {', '.join(LEAD_STATUSES)}.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many, the newest first.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List leads, the newest first. Nothing personal is shown.

    Example: fairlead leads list --niche vps-hosting --status approved --limit 50
    """
    if status is not None and status not in LEAD_STATUSES:
        raise BadInput([f"--status: there is no status {status!r}; there are {', '.join(LEAD_STATUSES)}"])
    with marketplace() as database, database.snapshot() as conn:
        if niche is not None:
            niche_id_of(conn, niche)  # raises where there is none: an empty list would hide a misspelt slug
        leads = lead_page(conn, LeadFilter(niche, status), None, limit).items
    if as_json:
        print_json([_for_programs(lead) for lead in leads])
    elif leads:
        columns = ("lead", "niche", "status", "attempts", "outcome", "created")
        table("", columns, [_for_people(lead) for lead in leads], right=[3])
    else:
        say("No leads.")


def _for_programs(lead: ListedLead) -> dict[str, object]:
    known = asdict(lead)
    del known["contact_name"]  # nothing personal
    return {
        **known,
        "created_at": timestamp_text(lead.created_at),
        "approved_at": lead.approved_at and timestamp_text(lead.approved_at),
    }


def _for_people(lead: ListedLead) -> tuple[object, ...]:
    status = f"{lead.status}, waits" if lead.awaits_decision else lead.status
    created = lead.created_at.strftime("%Y-%m-%d %H:%M:%S")
    return lead.lead_id, lead.niche, status, lead.distribution_attempts, lead.last_outcome or "", created
