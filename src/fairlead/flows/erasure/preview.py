"""What an erasure would do, before it is done."""

from dataclasses import dataclass

from fairlead.core.errors import Refused
from fairlead.flows.erasure.person import keys_of_person
from fairlead.flows.exporting.kinds import KINDS_THAT_MAY_NAME
from fairlead.store.connection import Connection, Database
from fairlead.store.leads.erasure import unerased_of_person
from fairlead.store.leads.erasure_preview import LeadToErase, files_to_drop, leads_to_erase
from fairlead.store.lookups import checked_id

MOST_LEADS = 1_000
"""Of a person with more leads, so many are shown; all are erased."""


@dataclass(frozen=True, slots=True)
class ErasurePreview:
    """The leads, each with what would go and stay, and how many files of exports would be dropped with them."""

    leads: tuple[LeadToErase, ...]
    export_files: int


def preview_lead(database: Database, lead_id: str) -> ErasurePreview:
    """What erasing the lead would do. Locks nothing. Raises `BadInput`, and `Refused`: `lead_unknown`."""
    checked = checked_id(lead_id, "lead")

    def view(conn: Connection) -> ErasurePreview:
        found = leads_to_erase(conn, [checked])
        if not found:
            raise Refused("lead_unknown", f"there is no lead {checked}")
        return _preview(conn, found)

    return database.read(view)


def preview_person(database: Database, person: str) -> ErasurePreview:
    """What erasing every lead with this address or telephone number would do. Locks nothing. Raises `BadInput`."""

    def view(conn: Connection) -> ErasurePreview:
        keys = keys_of_person(conn, person)
        return _preview(
            conn, leads_to_erase(conn, unerased_of_person(conn, keys.emails, keys.phones, None, MOST_LEADS))
        )

    return database.read(view)


def _preview(conn: Connection, leads: list[LeadToErase]) -> ErasurePreview:
    todo = [lead.created_at for lead in leads if lead.erased_at is None]
    files = files_to_drop(conn, KINDS_THAT_MAY_NAME, min(todo)) if todo else 0
    return ErasurePreview(tuple(leads), files)
