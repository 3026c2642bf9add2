"""What was erased, and who has been told of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fairlead.store.connection import Connection, Database
from fairlead.store.leads.erasure import Erasure, erasures_of_lead, erasures_page
from fairlead.store.lookups import checked_id, lead_state
from fairlead.store.notifications.erasure import ErasureNotice, notices_of_erasure


@dataclass(frozen=True, slots=True)
class LeadErasures:
    """What was erased of a lead, and how far the notices to those who bought it have come."""

    lead_id: str
    items: Sequence[Erasure]
    notices: Sequence[ErasureNotice]


def lead_erasures(database: Database, lead_id: str) -> LeadErasures:
    """What was erased of the lead. Locks nothing. Raises `BadInput`, and `Refused`: `lead_unknown`."""
    checked = checked_id(lead_id, "lead")

    def view(conn: Connection) -> LeadErasures:
        lead_state(conn, checked)
        return LeadErasures(checked, erasures_of_lead(conn, checked), notices_of_erasure(conn, checked))

    return database.read(view)


def erasure_page(database: Database, after: tuple[datetime, str] | None, limit: int) -> Sequence[Erasure]:
    """The next erasures, the newest first, after the one that was seen last."""
    return database.read(lambda conn: erasures_page(conn, after, limit))
