"""Entering one lead by hand."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from fairlead.core.entry.contact import CheckedDetails, checked_details
from fairlead.core.errors import BadInput, Refused
from fairlead.core.form import check_attributes, parse_form_schema, spelt_attributes
from fairlead.flows.idempotency import IdempotencyKey, run_idempotent
from fairlead.flows.lead_jobs import lead_jobs
from fairlead.store.audit.log import Actor, AuditEvent, append_audit
from fairlead.store.connection import Connection, Database
from fairlead.store.ids import new_id, new_salt
from fairlead.store.jobs.queue import enqueue
from fairlead.store.leads.rows import NewLead, NicheForm, clock, insert_leads, niche_form


@dataclass(frozen=True, slots=True)
class EnteredLead:
    """What was entered: answers to the niche's form, and details by the names of `LEAD_DETAILS`."""

    niche_slug: str
    attributes: Mapping[str, object] = field(repr=False)
    details: Mapping[str, str] = field(repr=False, default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class CreatedLead:
    """A lead that exists now."""

    lead_id: str
    status: str
    awaits_decision: bool


def create_lead(
    database: Database,
    entered: EnteredLead,
    actor: Actor,
    *,
    approve: bool,
    idempotency_key: IdempotencyKey | None = None,
) -> CreatedLead:
    """The lead exists: pending approval, or approved, and then it awaits a decision and its job is enqueued.

    In a niche that waits for a manual trigger no job is. Each call makes a lead of its own; recognised by `once` when
    it is sent again. One transaction, audited, which says nothing of what was entered; locks no row.

    Raises `BadInput`, naming each field that does not fit the form and each detail that cannot be one, and `Refused`:
    `niche_unknown`, `idempotency_key_reused`.
    """
    lead_id, salt = new_id(database), new_salt()

    def work(conn: Connection) -> CreatedLead:
        niche = niche_form(conn, entered.niche_slug)
        if niche is None:
            raise Refused("niche_unknown", f"there is no niche {entered.niche_slug!r}")
        attributes, details = _checked(niche, entered)
        lead = NewLead.of(lead_id, json.dumps(attributes), salt, details)
        now = clock(conn)
        inserted = insert_leads(conn, niche.niche_id, [lead], now, actor.name if approve else None, actor.request_id)
        enqueue(conn, lead_jobs(inserted.awaiting_ids, actor, now))
        status = "approved" if approve else "pending_approval"
        new = {"status": status, "niche_id": niche.niche_id}
        append_audit(conn, [AuditEvent(actor, "lead.created", "lead", lead_id, new=new)], now)
        return CreatedLead(lead_id, status, awaits_decision=bool(inserted.awaiting_ids))

    return database.run(lambda conn: run_idempotent(conn, idempotency_key, CreatedLead, lambda: work(conn)))


def fitting_answers(niche: NicheForm, given: Mapping[str, object]) -> tuple[dict[str, object], list[str]]:
    """The answers as they are stored, and what does not fit the niche's form, in words; none where all does."""
    schema = parse_form_schema(niche.form_schema)
    attributes = spelt_attributes(schema, given)
    return attributes, [
        f"attributes.{problem.path}: {problem.message}" for problem in check_attributes(schema, attributes)
    ]


def _checked(niche: NicheForm, entered: EnteredLead) -> tuple[dict[str, object], CheckedDetails]:
    """The answers and the details as they are stored."""
    attributes, problems = fitting_answers(niche, entered.attributes)
    details = checked_details(entered.details, niche.phone_region)
    problems += [f"{problem.path}: {problem.message}" for problem in details.problems]
    if problems:
        raise BadInput(problems)
    return attributes, details
