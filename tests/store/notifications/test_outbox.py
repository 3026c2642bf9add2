"""What is handed to the outbox is in it as it was given, once, and one job hands it all out."""

from fairlead.flows.configuration.providers import create_provider
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.leads.rows import clock
from fairlead.store.notifications.outbox import Notification, notify
from tests.flows.sales import query

ODD = 'a "quoted" \\ one, {of} null\nand NULL'
DISPATCHES = "select count(*) from jobs where task = 'dispatch_notifications'"


def alert(title: str, once: str | None = None) -> Notification:
    detail = {"title": title, "lines": [ODD]}
    return Notification("operator_alert", detail=detail if once is None else {**detail, "once": once})


def tell(database: Database, *notifications: Notification) -> int:
    """They are in the outbox; returns how many jobs there are now to hand them out."""
    with database.transaction() as conn:
        notify(conn, notifications, clock(conn))
    [(jobs,)] = query(database, DISPATCHES)
    return jobs


def test_notifications_are_stored_as_they_were_given_and_one_job_hands_them_out(database: Database) -> None:
    provider_id = create_provider(database, "anchor@example.com", "Anchor", OPERATOR).row.provider_id
    low = Notification("low_balance", provider_id=provider_id, detail={"balance_cents": 1}, correlation_id=ODD)
    assert tell(database, low, alert("two"), alert("three")) == 1
    stored = query(
        database,
        "select kind, channel, provider_id::text, correlation_id, detail, state, last_answer from notifications "
        "order by id",
    )
    assert stored == [
        ("low_balance", "email", provider_id, ODD, {"balance_cents": 1}, "queued", None),
        ("operator_alert", "email", None, None, {"title": "two", "lines": [ODD]}, "queued", None),
        ("operator_alert", "email", None, None, {"title": "three", "lines": [ODD]}, "queued", None),
    ]


def test_what_is_told_alone_has_its_job_too_and_nothing_has_none(database: Database) -> None:
    assert tell(database) == 0
    assert tell(database, alert("one")) == 1


def test_an_alert_that_is_for_once_is_written_once(database: Database) -> None:
    assert tell(database, alert("first", once="a book")) == 1
    assert tell(database, alert("second", once="a book")) == 1
    assert tell(database, alert("third", once="another book")) == 2
    titles = query(database, "select detail ->> 'title' from notifications order by id")
    assert titles == [("first",), ("third",)]


def test_what_is_skipped_is_on_record_and_has_no_job(database: Database) -> None:
    assert tell(database, alert("quiet")._replace(skip_because=ODD)) == 0
    assert query(database, "select state, last_answer from notifications") == [("skipped", ODD)]
    assert tell(database, alert("quiet")._replace(skip_because=ODD), alert("loud")) == 1
    assert query(database, "select state from notifications order by id") == [("skipped",), ("skipped",), ("queued",)]
