"""Work that was given up, by way of the flows that give it up."""

from fairlead.core.errors import Broken
from fairlead.delivery.outcome import NotSent
from fairlead.flows.distributor import Distributor
from fairlead.flows.failures.failed_runs import record_failed_run
from fairlead.flows.notifications.dispatch import dispatch_notifications
from fairlead.flows.notifications.outcome import Tried, record_delivery
from fairlead.store.connection import Connection, Database
from fairlead.store.leads.rows import clock
from fairlead.store.notifications.rows import claim
from tests.race.marketplaces import Niche, Provider, Terms, add_leads, add_providers, open_niche, subscribe


def give_up_lead(database: Database, slug: str = "moving") -> tuple[Niche, str, str]:
    """A lead without a buyer is given up after one run; its niche, its id and that of its dead letter."""
    with database.transaction() as conn:
        niche = open_niche(conn, slug, [Terms(1000, 1, 1)])
        [lead_id] = add_leads(conn, niche, [40])
    assert record_failed_run(database, lead_id, Broken("the books are wrong"), 0.5)
    return niche, lead_id, letter_of(database, lead_id)


def give_up_notification(database: Database, slug: str = "storage") -> tuple[str, str]:
    """The email about a sold lead is refused for good; the id of the notification and of its dead letter."""
    with database.transaction() as conn:
        niche = open_niche(conn, slug, [Terms(1000, 1, 1)])
        providers = [Provider("ana", 5000, (1,))]
        subscribe(conn, niche, providers, add_providers(conn, providers, slug))
        add_leads(conn, niche, [40])
    Distributor(database).distribute_waiting(niche.niche_id)
    dispatch_notifications(database)

    def refuse(conn: Connection) -> str:
        query = "select id::text from notifications where kind = 'lead_assigned' and state = 'queued'"
        [[notification_id]] = conn.execute(query).fetchall()
        [claimed] = claim(conn, {notification_id: 1}, clock(conn))
        record_delivery(conn, Tried(claimed, 1, NotSent("550 no such user", is_permanent=True), 0.1), 1.0, clock(conn))
        return notification_id

    notification_id = database.run(refuse)
    database.run(lambda conn: conn.execute("delete from jobs where task = 'send_email'"))
    return notification_id, letter_of(database, notification_id)


def letter_of(database: Database, subject_id: str) -> str:
    """The id of the open dead letter of a lead or notification."""
    with database.snapshot() as conn:
        query = "select id::text from dead_letters where %s in (lead_id::text, notification_id::text)"
        [[dead_letter_id]] = conn.execute(query + " and resolved_at is null", (subject_id,)).fetchall()
    return dead_letter_id
