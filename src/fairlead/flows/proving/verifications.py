"""Proofs of the past that are kept: asked for on a page, over the API or on the command line, one at a time."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fairlead.core.errors import FairleadError, Refused
from fairlead.flows.failures.descriptions import failure_text
from fairlead.flows.maintenance.maintenance import Maintenance
from fairlead.flows.notifications.alerts import alert_operators
from fairlead.flows.proving import verify as proof
from fairlead.flows.proving.verify import Progress, Verification
from fairlead.flows.reporting.reports import known_niche
from fairlead.store.audit.log import SYSTEM, Actor, AuditEvent, append_audit
from fairlead.store.connection import Connection, Database
from fairlead.store.ids import new_id
from fairlead.store.leads.rows import clock
from fairlead.store.verifications import (
    VerificationRow,
    add_verification,
    end_verification,
    find_verification,
    last_verification,
    open_verification,
    show_progress,
    start_verification,
    stop_silent_verifications,
    stop_verification,
)
from fairlead.telemetry.logs import get_logger

log = get_logger(__name__)

PROGRESS_SECONDS = 2.0
"""How often a verification says how far it is."""


def request_verification(database: Database, actor: Actor, niche_slug: str | None = None) -> VerificationRow:
    """A worker will verify the marketplace (or the niche's journal, and the rows as a whole); returns where it stands.

    Where one waits or runs already, that one is returned and nothing is added: two would only take each other's time.
    Raises `Refused`: `niche_unknown`.
    """

    def work(conn: Connection) -> VerificationRow:
        niche_id = None if niche_slug is None else known_niche(conn, niche_slug)
        stop_silent_verifications(conn)
        add_verification(conn, new_id(conn), niche_id, actor.name, clock(conn))
        found = open_verification(conn)
        assert found is not None, "it is there, or another is"
        return found

    return database.run(work)


@dataclass(frozen=True, slots=True)
class ProofState:
    """What is known of the past: the newest verification with a result, and the one that waits or runs."""

    last: VerificationRow | None
    under_way: VerificationRow | None


def proof_state(database: Database, niche_slug: str | None = None) -> ProofState:
    """Of the whole marketplace (or what says something of this niche, too)."""
    return database.read(lambda conn: ProofState(last_verification(conn, niche_slug), open_verification(conn)))


def read_verification(database: Database, verification_id: str) -> VerificationRow:
    """Where it stands. Raises `Refused`: `verification_unknown`."""
    found = database.read(lambda conn: find_verification(conn, verification_id))
    if found is None:
        raise Refused("verification_unknown", f"there is no verification {verification_id}")
    return found


def verify_and_keep(
    database: Database, actor: Actor, niche_slug: str | None = None, progress: Progress = lambda _w, _d, _t: None
) -> Verification:
    """The marketplace is verified here and now, and what came of it is on record; operators hear of differences.

    Raises as `verify` does, and `Refused`: `verification_running`, where one runs; one that waits is taken over.
    """
    asked = request_verification(database, actor, niche_slug)
    if asked.niche != niche_slug or not database.run(lambda conn: start_verification(conn, asked.verification_id)):
        since = (asked.started_at or asked.requested_at).isoformat(timespec="minutes")
        raise Refused("verification_running", f"{asked.requested_by} is verifying since {since}: wait for its end")
    return _run(database, asked.verification_id, niche_slug, actor, progress)


def verify_requested(maintenance: Maintenance) -> Mapping[str, int]:
    """The verification that waits, if any, is made. Returns how many were, and how many checks did not hold."""
    database = maintenance.database

    def take(conn: Connection) -> VerificationRow | None:
        stop_silent_verifications(conn)
        found = open_verification(conn)
        return found if found is not None and start_verification(conn, found.verification_id) else None

    asked = database.run(take)
    if asked is None:
        return {}
    try:
        found = _run(database, asked.verification_id, asked.niche, SYSTEM)
    except FairleadError as error:
        log.warning("a verification did not come to its end", error=failure_text(error))
        return {"verifications": 1}
    return {"verifications": 1, "differences": sum(not check.holds for check in found.checks)}


def _run(
    database: Database,
    verification_id: str,
    niche_slug: str | None,
    actor: Actor,
    progress: Progress = lambda _what, _done, _total: None,
) -> Verification:
    try:
        found = proof.verify(database, niche_slug, progress=_kept(database, verification_id, progress))
    except BaseException as error:
        text = str(error) if isinstance(error, Refused) else failure_text(error)
        database.run(lambda conn: stop_verification(conn, verification_id, text))
        raise
    database.run(lambda conn: _record(conn, verification_id, found, actor))
    return found


def _kept(database: Database, verification_id: str, progress: Progress) -> Callable[[str, int, int], None]:
    """Tells the progress on, and keeps it now and then, on a connection of its own beside the long snapshot."""
    told_at = time.monotonic()

    def tell(what: str, done: int, total: int) -> None:
        nonlocal told_at
        progress(what, done, total)
        if time.monotonic() - told_at >= PROGRESS_SECONDS:
            told_at = time.monotonic()
            database.run(lambda conn: show_progress(conn, verification_id, what, done, total))

    return tell


def _record(conn: Connection, verification_id: str, found: Verification, actor: Actor) -> None:
    differing = [check for check in found.checks if not check.holds]
    checks = [
        {"name": each.name, "checked": each.checked, "differences": list(each.differences)} for each in found.checks
    ]
    if not end_verification(conn, verification_id, found.decisions_replayed, len(differing), checks) or not differing:
        return
    now = clock(conn)
    lines = [f"does not hold: {each.name}" for each in differing]
    alert_operators(conn, "The past cannot be proven", [*lines, "Nothing was changed. See: fairlead verify"], now)
    new = {"difference_count": len(differing), "checks": [each.name for each in differing]}
    append_audit(conn, [AuditEvent(actor, "verification.differs", "verification", verification_id, new=new)], now)
