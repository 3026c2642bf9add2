"""`fairlead erase`: personal data gone, what was decided still provable."""

from dataclasses import asdict
from typing import Annotated

import typer

from fairlead.cli.marketplace import marketplace
from fairlead.cli.output import print_json, say, table
from fairlead.core.erasure_terms import OPERATOR_REASONS
from fairlead.core.errors import BadInput
from fairlead.flows.erasure.erase import checked_reason, erase_lead, erase_person
from fairlead.flows.erasure.person_file import person_file
from fairlead.flows.erasure.preview import ErasurePreview, preview_lead, preview_person
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.leads.erasure_preview import LeadToErase

_COLUMNS = ("lead", "niche", "status", "answers", "contact", "consents", "links", "notes", "waiting messages", "buyers")


def erase(
    lead_id: Annotated[str | None, typer.Argument(help="The lead.")] = None,
    person: Annotated[
        str | None,
        typer.Option(
            metavar="EMAIL|PHONE",
            help="Every lead with this email address or telephone number, however it was written.",
        ),
    ] = None,
    reason: Annotated[
        str, typer.Option(help=f"Why, for the record: {', '.join(OPERATOR_REASONS)}.")
    ] = "consumer_request",
    show: Annotated[
        bool,
        typer.Option("--show", help="With --person: write all that is held of the person as JSON, for the person."),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would go and what would stay.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs.")] = False,
) -> None:
    """Erase the personal data of a lead, or of all leads of a person; what was decided stays provable.

    It cannot be undone.

    Gone are answers, contact data, consent, links, notes, waiting messages and files of exports that may name the
    person. An unsold lead is closed and never sold. Decisions, prices and money stay, without saying whose lead it was,
    and `fairlead verify` goes on proving them. Providers that bought a lead are told to erase it, too.

    Look first with --dry-run. Doing it again changes nothing. With --show nothing is erased: it writes all that is held
    of a person, and the audit log says so.

    Examples:

        fairlead erase 01900000-0000-7000-8000-000000000000 --dry-run

        fairlead erase --person ann@example.com --show > ann.json

        fairlead erase --person ann@example.com --reason consent_withdrawn
    """
    if show and (person is None or dry_run):
        raise BadInput(["--show: goes with --person EMAIL|PHONE, and erases nothing"])
    if (lead_id is None) == (person is None):
        raise BadInput(["say which: a LEAD_ID, or --person EMAIL|PHONE"])
    checked_reason(reason)
    with marketplace() as database:
        if show:
            print_json(asdict(person_file(database, person or "", OPERATOR)))
        elif dry_run:
            _show(preview_lead(database, lead_id) if lead_id else preview_person(database, person or ""), as_json)
        elif lead_id is not None:
            _erase_lead(database, lead_id, reason, as_json)
        else:
            _erase_person(database, person or "", reason, as_json)


def _erase_lead(database: Database, lead_id: str, reason: str, as_json: bool) -> None:
    erased = erase_lead(database, lead_id, reason, OPERATOR)
    if as_json:
        print_json(asdict(erased))
    elif erased.was_already:
        say("it was erased before; nothing was changed")
    else:
        say(f"1 lead erased{_told(erased.told_count)}")


def _erase_person(database: Database, person: str, reason: str, as_json: bool) -> None:
    erased = erase_person(database, person, reason, OPERATOR)
    if as_json:
        print_json(asdict(erased))
    elif erased.lead_ids:
        count = len(erased.lead_ids)
        say(f"{count:,} lead{'' if count == 1 else 's'} erased{_told(erased.told_count)}")
    else:
        say("no lead is of this person, or all were erased before; nothing was changed")


def _told(count: int) -> str:
    return f"; {count:,} who bought are told to erase, too" if count else ""


def _show(preview: ErasurePreview, as_json: bool) -> None:
    todo = [lead for lead in preview.leads if lead.erased_at is None]
    if as_json:
        print_json(asdict(preview))
    elif not todo:
        say("Nothing to erase.")
    else:
        table("Would be erased", _COLUMNS, [_row(lead) for lead in todo], right=range(3, 9))
        say(f"{preview.export_files:,} files of exports would be dropped, since they may name the person.")
        decisions = sum(lead.decisions for lead in todo)
        say(f"What stays: {decisions:,} decisions, who bought at which price, and the audit log; nothing personal.")
        say("Nothing was changed.", "dim")


def _row(lead: LeadToErase) -> tuple[object, ...]:
    numbers = (lead.answers, lead.contact_fields, lead.consents, lead.links, lead.notes, lead.waiting_messages)
    return lead.lead_id, lead.niche, lead.status, *numbers, ", ".join(lead.buyer_names)
