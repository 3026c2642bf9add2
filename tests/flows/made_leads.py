"""One lead of each status, made by the flows that lead to it."""

from fairlead.flows.intake.policy import change_intake_policy
from fairlead.flows.money.bad_leads import mark_lead_bad
from fairlead.flows.reject_lead import reject_lead
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.leads.intake import IntakePolicy
from tests.flows.intake.senders import LEAD, visit
from tests.flows.sales import MEMO


def add_lead(database: Database, niche_id: str, status: str = "pending_approval") -> str:
    """A lead of the niche (of `tests.flows.niches`) with this status; its id."""
    with database.snapshot() as conn:
        [(slug,)] = conn.execute("select slug from niches where id = %s", (niche_id,)).fetchall()
    if status == "pending_confirmation":
        assert slug == LEAD.niche_slug
        change_intake_policy(database, slug, IntakePolicy(is_public=True), OPERATOR)
        return visit(database).lead_id
    [lead_id] = submit_leads(database, slug, [{"age": 30}], OPERATOR, approve=False)
    if status == "rejected":
        reject_lead(database, lead_id, MEMO, OPERATOR)
    if status == "bad":
        mark_lead_bad(database, lead_id, MEMO, OPERATOR)
    return lead_id
