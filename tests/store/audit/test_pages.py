"""The pages and the file of what was done hold what the view `audit_events` holds, each event once, in one order."""

from typing import Any

import pytest

from fairlead.core.errors import BadInput
from fairlead.flows.distributor import Distributor
from fairlead.flows.money.refund import refund_assignment
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit import pages as audit_pages
from fairlead.store.audit.log import Actor
from fairlead.store.audit.pages import AuditRecord, audit_page
from fairlead.store.audit.sources import AuditFilter
from fairlead.store.audit.stream import audit_stream
from fairlead.store.connection import Database
from tests.flows.marketplaces import HOSTING, declare
from tests.flows.sales import MEMO, Sale, query, sell

CLERK = Actor("clerk", "admin", "req-1")


def busy(database: Database) -> Sale:
    """Two niches, five decisions (three in one transaction), a refund; Bowline was passed over for want of money."""
    declare(database, HOSTING.replace('"hosting"', '"storage"'))
    sale = sell(database)  # Bowline pays from what it had for storage, where no flow has looked since
    refund_assignment(database, sale.anchor, MEMO, CLERK)
    submit_leads(database, "hosting", [{"cores": 8, "region": "north"}] * 3, CLERK, approve=True)
    submit_leads(database, "storage", [{"cores": 8, "region": "north"}], CLERK, approve=True)
    for (niche_id,) in query(database, "select id::text from niches"):
        Distributor(database).distribute_waiting(niche_id)
    return sale


def all_pages(database: Database, wanted: AuditFilter, limit: int) -> list[AuditRecord]:
    items: list[AuditRecord] = []
    after = None
    for _ in range(2_000):
        page = database.read(lambda conn, after=after: audit_page(conn, wanted, after, limit))
        items += page.items
        if (after := page.next_after) is None:
            return items
    raise AssertionError("the pages come to no end")


def whole_view(database: Database, condition: str = "true", *values: object) -> list[tuple[Any, ...]]:
    """The view, sorted as it stands, in the order of the pages."""
    return query(
        database,
        f"""
        select source, niche_id::text, seq, actor, actor_role, action, entity, entity_id, old, new, memo, created_at,
               request_id
        from audit_events where {condition}
        order by created_at desc, source = 'audit_log' desc, niche_id desc, seq desc, part desc
        """,
        *values,
    )


def told(record: AuditRecord) -> tuple[Any, ...]:
    return (
        record.source,
        record.niche_id,
        record.seq,
        record.actor,
        record.actor_role,
        record.action,
        record.entity,
        record.entity_id,
        record.old,
        record.new,
        record.memo,
        record.created_at,
        record.request_id,
    )


@pytest.mark.parametrize("limit", [1, 7, 1_000])
def test_pages_and_file_hold_the_whole_view_in_its_order(database: Database, limit: int) -> None:
    busy(database)
    expected = whole_view(database)
    found = all_pages(database, AuditFilter(), limit)
    assert [told(record) for record in found] == expected
    assert len({record.event_id for record in found}) == len(expected)
    actions = {record.action for record in found}
    assert actions > {
        "distribution.started",
        "distribution.completed",
        "distribution.skipped_provider",
        "assignment.created",
        "assignment.refunded",
        "level.changed",
        "subscription.changed",
    }
    with database.snapshot() as conn:
        assert [told(record) for record in audit_stream(conn, AuditFilter())] == expected[::-1]


def test_filters_let_through_what_they_say_and_nothing_else(database: Database) -> None:
    sale = busy(database)
    [(started,)] = query(database, "select min(created_at) from audit_events where action = 'distribution.completed'")
    [(level,)] = query(database, "select min(id::text) from competition_levels")
    [(subscription,)] = query(database, "select min(id::text) from subscriptions")
    for wanted, condition, values in [
        (AuditFilter(actor="clerk"), "actor = %s", ("clerk",)),
        (AuditFilter(actor="fairlead"), "actor = %s", ("fairlead",)),
        (AuditFilter(action_prefix="assignment."), "action like 'assignment.%%' and %s", (True,)),
        (AuditFilter(action_prefix="distribution.s"), "action like 'distribution.s%%' and %s", (True,)),
        (AuditFilter(action_prefix="l"), "action like 'l%%' and %s", (True,)),
        (AuditFilter(actor="clerk", action_prefix="assignment.r"), "action like 'assignment.r%%' and %s", (True,)),
        (AuditFilter(entity="lead", entity_id=sale.lead_id), "entity_id = %s and entity = 'lead'", (sale.lead_id,)),
        (AuditFilter(entity="assignment", entity_id=sale.anchor), "entity_id = %s", (sale.anchor,)),
        (AuditFilter(entity="provider", entity_id=sale.bowline_id), "entity_id = %s", (sale.bowline_id,)),
        (AuditFilter(entity="level", entity_id=level), "entity_id = %s", (level,)),
        (AuditFilter(entity="subscription", entity_id=subscription), "entity_id = %s", (subscription,)),
        (AuditFilter(entity="subscription"), "entity = %s", ("subscription",)),
        (AuditFilter(niche_slug="storage"), "niche_id = (select id from niches where slug = %s)", ("storage",)),
        (AuditFilter(created_from=started), "created_at >= %s", (started,)),
        (AuditFilter(created_before=started), "created_at < %s", (started,)),
    ]:  # fmt: skip
        expected = whole_view(database, condition, *values)
        assert expected, wanted
        for limit in (3, 1_000):
            assert [told(record) for record in all_pages(database, wanted, limit)] == expected, wanted
        with database.snapshot() as conn:
            assert [told(record) for record in audit_stream(conn, wanted)] == expected[::-1], wanted
    for unmet in (
        AuditFilter(actor="nobody"),
        AuditFilter(action_prefix="x"),
        AuditFilter(entity="assignment", entity_id="no id"),
        AuditFilter(niche_slug="storage", actor="clerk"),
    ):
        assert all_pages(database, unmet, 3) == []


def test_what_lies_deep_is_found_page_after_page(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a look back of two rows, most pages are short or empty, and together they hold everything."""
    sale = busy(database)
    monkeypatch.setattr(audit_pages, "SCANNED_ROWS", 2)
    monkeypatch.setattr(audit_pages, "UNFOLDED_ENTRIES", 2)
    wanted = AuditFilter(entity="provider", entity_id=sale.bowline_id)
    assert [told(each) for each in all_pages(database, wanted, 5)] == whole_view(
        database, "entity = 'provider' and entity_id = %s", sale.bowline_id
    )
    assert [told(each) for each in all_pages(database, AuditFilter(), 5)] == whole_view(database)


@pytest.mark.parametrize(
    "after",
    ["", "log:", "log:x", "log:999999", "journal:a:1:0", "journal:01900000-0000-7000-8000-000000000000:1:0",
     "journal:01900000-0000-7000-8000-000000000000:1", "journal:01900000-0000-7000-8000-000000000000:1:-9", "x:1:2:3"],
)  # fmt: skip
def test_what_is_no_place_is_refused(database: Database, after: str) -> None:
    busy(database)
    with pytest.raises(BadInput, match="is no position"):
        database.read(lambda conn: audit_page(conn, AuditFilter(), after, 5))
