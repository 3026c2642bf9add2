"""For how long providers may report the leads of a niche as bad."""

from collections.abc import Sequence
from dataclasses import dataclass

from fairlead.core.errors import Refused
from fairlead.flows.configuration.niches import locked_niche
from fairlead.flows.configuration.versions import require_version, setting_version
from fairlead.flows.input_types import canonical_values
from fairlead.flows.niche_locks import with_niche_locks
from fairlead.store.audit.log import Actor, AuditEvent, append_audit
from fairlead.store.configuration.rows import niche_rows
from fairlead.store.connection import Connection, Database
from fairlead.store.leads.rows import clock
from fairlead.store.lookups import checked_id
from fairlead.store.money.bad_leads import set_window_days, window_days


@dataclass(frozen=True, slots=True)
class BadLeadWindow:
    """A niche's window in days, and its opaque version. `took_effect` is False where it was so before."""

    niche_id: str
    bad_lead_window_days: int
    version: str
    took_effect: bool = False


def read_bad_lead_window(database: Database, niche_id: str) -> BadLeadWindow:
    """The niche's window. Raises `Refused`: `niche_unknown`."""
    checked = checked_id(niche_id, "niche")
    with database.snapshot() as conn:
        if not niche_rows(conn, [checked]):
            raise Refused("niche_unknown", f"there is no niche {checked}")
        return _window(checked, window_days(conn, checked))


def change_bad_lead_window(
    database: Database,
    niche_id: str,
    days: int,
    actor: Actor,
    *,
    memo: str | None = None,
    expected_version: str | None = None,
) -> BadLeadWindow:
    """A lead of the niche can be reported as bad for so many days (1 to 365) after its assignment.

    It holds at once, also for leads that were assigned before; reports that were made stay. The journal says nothing
    of it. Locks the niche. Raises `BadInput` and `Refused`: `niche_unknown`, `version_conflict`.
    """
    checked = checked_id(niche_id, "niche")
    memo = canonical_values({"bad_lead_window_days": days, "memo": memo})["memo"]

    def work(conn: Connection, _: Sequence[str]) -> BadLeadWindow:
        _locked, niche = locked_niche(conn, checked)
        before = window_days(conn, checked)
        if before == days:
            return _window(checked, before)
        require_version(expected_version, _window(checked, before).version, f"the window of the niche {niche.slug!r}")
        set_window_days(conn, checked, days)
        old, new = {"bad_lead_window_days": before}, {"bad_lead_window_days": days}
        event = AuditEvent(actor, "niche.bad_lead_window_changed", "niche", checked, old, new, memo)
        append_audit(conn, [event], clock(conn))
        return _window(checked, days, took_effect=True)

    return with_niche_locks(database, work)


def _window(niche_id: str, days: int, *, took_effect: bool = False) -> BadLeadWindow:
    version = setting_version("bad_lead_window", niche_id, {"bad_lead_window_days": days})
    return BadLeadWindow(niche_id, days, version, took_effect)
