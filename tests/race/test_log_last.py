"""What waits for a row has not taken the audit log: its head is the last lock of every transaction.

Another transaction holds the row, and writes to the log next. With the head in the hands of the one that waits, each
would wait for the other.
"""

from concurrent.futures import ThreadPoolExecutor

from fairlead.flows.approve_lead import approve_lead
from fairlead.flows.erasure.erase import erase_lead
from fairlead.flows.exporting.rows import ExportRequest
from fairlead.flows.intake.confirmation import confirm_lead
from fairlead.flows.notifications.dispatch import dispatch_notifications
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Connection, Database
from fairlead.store.leads.consumer_links import insert_consumer_link
from fairlead.store.leads.rows import clock
from tests.delivery.receiver import receiver, says
from tests.flows.erasure.canaries import distribute, open_market, sent
from tests.flows.exporting.exports import built
from tests.flows.intake.senders import VISITOR, link, open_niche, visit
from tests.flows.intake.senders import send as send_lead
from tests.flows.notifications.hooks import endpoint_row, sell_for_anchor, send
from tests.flows.notifications.stage import open_marketplace, query, row_of, set_endpoint
from tests.race.processes import opened, wait_until_blocked
from tests.waiting import PATIENCE_SECONDS


def hold(conn: Connection, statement: str) -> None:
    """The row is this transaction's."""
    assert conn.execute(statement.encode()).rowcount == 1


def write_to_log(conn: Connection) -> None:
    """This transaction may write to the log at once."""
    conn.execute("select from audit_head for no key update nowait")


def test_an_erasure_that_drops_a_file_waits_for_messages(database: Database, database_url: str) -> None:
    open_market(database)
    lead_id = send_lead(database, sent()).lead_id
    approve_lead(database, lead_id, OPERATOR)
    distribute(database)
    file = built(database, ExportRequest("leads"))
    dispatch_notifications(database)
    with opened(database_url) as own, ThreadPoolExecutor(1) as pool:
        with database.transaction() as delivery:
            hold(delivery, "select from notifications where state = 'queued' order by id limit 1 for no key update")
            erasure = pool.submit(erase_lead, own, lead_id, "consumer_request", OPERATOR)
            wait_until_blocked(database_url, erasure)
            write_to_log(delivery)
        assert not erasure.result(PATIENCE_SECONDS).was_already
    assert query(database, "select entity_id from audit_log where action = 'export.dropped'") == [(file.export_id,)]


def test_a_link_that_is_made_at_the_same_moment_leads_nowhere(database: Database, database_url: str) -> None:
    """A message's links are made under its lock, by what its lead was before the erasure was committed."""
    open_niche(database, is_public=True)
    lead_id = visit(database).lead_id
    with opened(database_url) as own, ThreadPoolExecutor(1) as pool:
        with database.transaction() as delivery:
            hold(delivery, "select from notifications where kind = 'lead_confirmation' for no key update")
            erasure = pool.submit(erase_lead, own, lead_id, "consumer_request", OPERATOR)
            wait_until_blocked(database_url, erasure)
            now = clock(delivery)
            insert_consumer_link(delivery, bytes(32), lead_id, now, now.replace(year=now.year + 1))
        assert not erasure.result(PATIENCE_SECONDS).was_already
    assert query(database, "select from consumer_links") == []


def test_a_confirmation_waits_for_what_is_counted_of_its_network(database: Database, database_url: str) -> None:
    open_niche(database, is_public=True)
    token = link(database, visit(database).lead_id)
    with opened(database_url) as own, ThreadPoolExecutor(1) as pool:
        with database.transaction() as login:
            with database.transaction() as review:
                hold(review, "select from leads for no key update")
                confirmation = pool.submit(confirm_lead, own, token, VISITOR)
                wait_until_blocked(database_url, confirmation)
                hold(login, "select from rate_buckets where name like 'one_time_token%' for no key update")
            wait_until_blocked(database_url, confirmation)
            write_to_log(login)
        assert not confirmation.result(PATIENCE_SECONDS).was_already


def test_a_failing_endpoint_waits_for_no_message_of_another_transaction(database: Database, database_url: str) -> None:
    """It holds its own message: an erasure may have one of the two, and wait for the other."""
    open_marketplace(database)
    with receiver(says(410)) as crm, opened(database_url) as own, ThreadPoolExecutor(1) as pool:
        set_endpoint(database, crm.url())
        waiting, told = sell_for_anchor(database), sell_for_anchor(database)
        with database.transaction() as erasure:
            assert erasure.execute("select from notifications where id = %s for no key update", (waiting,)).rowcount
            pool.submit(send, own, told).result(PATIENCE_SECONDS)
            write_to_log(erasure)
        assert endpoint_row(database)["state"] == "disabled"
        assert row_of(database, waiting)["enqueued_at"] is not None
        assert send(database, waiting) is None
    assert (row_of(database, waiting)["state"], row_of(database, waiting)["enqueued_at"]) == ("queued", None)
