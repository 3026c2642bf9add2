"""Taking in leads that are values already, as a form or another program sends them."""

import json
from collections.abc import Mapping, Sequence

from fairlead.core.entry.contact import checked_details
from fairlead.core.errors import BadInput, Refused
from fairlead.core.form import check_attributes, parse_form_schema, spelt_attributes
from fairlead.flows.lead_jobs import lead_jobs
from fairlead.store.audit.log import Actor, AuditEvent, append_audit
from fairlead.store.connection import Connection, Database
from fairlead.store.ids import new_id, new_salt
from fairlead.store.jobs.queue import enqueue
from fairlead.store.leads.rows import NewLead, clock, insert_leads, niche_form


def submit_leads(
    database: Database,
    niche_slug: str,
    submitted: Sequence[Mapping[str, object]],
    actor: Actor,
    *,
    approve: bool,
    details: Sequence[Mapping[str, str]] | None = None,
) -> list[str]:
    """Each of the submitted attributes is a lead of the niche, in this order; returns their ids. All of them, or none.

    `details` are those of each, by the names of `LEAD_DETAILS`; None: no lead has any.

    Approved leads await a decision, and their jobs are enqueued, unless the niche waits for a manual trigger. Each call
    makes new leads.

    Raises `Refused` (`niche_unknown`) and `BadInput`, naming each lead by its number, when one does not fit the form
    or has a detail that cannot be one.
    """
    given = details or [{} for _ in submitted]

    def work(conn: Connection) -> list[str]:
        niche = niche_form(conn, niche_slug)
        if niche is None:
            raise Refused("niche_unknown", f"there is no niche {niche_slug!r}")
        schema = parse_form_schema(niche.form_schema)
        spelt = [spelt_attributes(schema, attributes) for attributes in submitted]
        problems = [
            f"lead[{number}].{problem.path}: {problem.message}"
            for number, attributes in enumerate(spelt)
            for problem in check_attributes(schema, attributes)
        ]
        checked = [checked_details(each, niche.phone_region) for each in given]
        problems += [
            f"lead[{number}].{problem.path}: {problem.message}"
            for number, each in enumerate(checked)
            for problem in each.problems
        ]
        if problems:
            raise BadInput(problems)
        leads = [
            NewLead.of(lead_id, json.dumps(attributes), salt, each)
            for (lead_id, salt), attributes, each in zip(keys, spelt, checked, strict=True)
        ]
        now = clock(conn)
        approved_by = actor.name if approve else None
        inserted = insert_leads(conn, niche.niche_id, leads, now, approved_by, actor.request_id)
        enqueue(conn, lead_jobs(inserted.awaiting_ids, actor, now))
        if inserted.count:
            outcome = {"count": inserted.count, "approved": approve}
            append_audit(conn, [AuditEvent(actor, "leads.submitted", "niche", niche.niche_id, new=outcome)], now)
        return [lead.lead_id for lead in leads]

    keys = [(new_id(database), new_salt()) for _ in submitted]
    return database.run(work)
