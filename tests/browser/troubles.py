"""What goes wrong in a marketplace, by way of the flows: reports, a refund, a lead given up, a webhook that fails."""

from fairlead.core.errors import Broken
from fairlead.flows.failures.failed_runs import record_failed_run
from fairlead.flows.money.bad_leads import reject_bad_lead, report_bad_lead
from fairlead.flows.money.refund import refund_assignment
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR, Actor
from fairlead.store.connection import Database
from tests.flows.access.people import rows, value

MEMO = "the number is not in use"
EVIDENCE = "26 Nov 10:04 no answer\n26 Nov 16:30 no answer\n27 Nov 09:15 number not in service"
PORTAL = Actor("portal", "provider")


def add_troubles(database: Database) -> None:
    """Four reports, one of them rejected; two refunds; and a lead of the first niche that no worker could decide."""
    sold = rows(
        database,
        "select id::text, provider_id::text from assignments where status = 'active' and bad_lead_reported_at is null "
        "and provider_id <> (select id from providers where email = 'sales@anchor-cloud.example') "
        "order by id desc limit 6",
    )
    for (assignment_id, provider_id), reason in zip(
        sold[:4], ("unreachable", "wrong_contact", "duplicate", "spam"), strict=True
    ):
        report_bad_lead(database, provider_id, assignment_id, reason, "called three times", PORTAL, evidence=EVIDENCE)
    reject_bad_lead(database, sold[3][0], "the contact answered us at once", OPERATOR)
    for assignment_id, _ in sold[4:]:
        refund_assignment(database, assignment_id, MEMO, OPERATOR)
    slug, attributes = rows(
        database, "select n.slug, l.attributes from leads l join niches n on n.id = l.niche_id order by l.id limit 1"
    )[0]
    [lead_id] = submit_leads(database, slug, [attributes], OPERATOR, approve=True)
    record_failed_run(database, lead_id, Broken("the books are wrong"), 0.4)
    assert value(database, "select count(*) from dead_letters where resolved_at is null") == 1
