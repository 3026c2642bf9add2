"""Recipients per lead and conflict groups that change under decisions: each lead goes to whom the journal says so far.

What is right is read from the journal here a second time: which change stands before which decision.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from fairlead.flows.configuration.conflict_groups import create_conflict_group, set_conflict_group
from fairlead.flows.configuration.niches import NicheChange, change_niche
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.flows.sales import query
from tests.race.processes import Workers, deadlocks, decide_all
from tests.race.test_limits import open_market

LEADS = 60


@contextmanager
def changing(change: Callable[[int], object]) -> Iterator[None]:
    """Meanwhile one change follows the other. There was at least one, and none failed."""
    is_over, turns, failed = threading.Event(), [0], list[Exception]()

    def go_on() -> None:
        try:
            while not is_over.is_set():
                change(turns[0])
                turns[0] += 1
        except Exception as error:  # it is told where the test sees it
            failed.append(error)

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()
    assert not failed, failed
    assert turns[0] > 1


def decide_at_once(database_url: str, niche_id: str) -> None:
    workers = Workers()
    for _ in range(3):
        workers.start(decide_all, database_url, [niche_id], 2)
    workers.results()


def entries(database: Database, niche_id: str) -> list[tuple[str, Any]]:
    return query(database, "select kind, payload from niche_journal where niche_id = %s order by seq", niche_id)


def recipients(payload: Any) -> list[str]:
    return [each["provider_id"] for level in payload["levels"] for each in level["recipients"]]


def test_recipients_per_lead_change_while_leads_are_sold(database: Database, database_url: str) -> None:
    [niche_id] = open_market(database, ("one",), "", "")
    submit_leads(database, "one", [{}] * LEADS, OPERATOR, approve=True)

    def change(turn: int) -> None:
        change_niche(database, niche_id, NicheChange(max_recipients_per_lead=(1, 2, None)[turn % 3]), OPERATOR)

    with changing(change):
        decide_at_once(database_url, niche_id)
    most, sold = 2, list[int]()
    for kind, payload in entries(database, niche_id):
        if kind == "niche":
            most = payload.get("max_recipients_per_lead") or 2
        if kind == "decision":
            assert len(recipients(payload)) == most
            sold.append(len(recipients(payload)))
    assert len(sold) == LEADS
    assert query(database, "select count(*), sum(price_cents) from assignments") == [(sum(sold), 100 * sum(sold))]
    assert deadlocks(database_url) == 0


def test_providers_join_and_leave_a_conflict_group_while_leads_are_sold(database: Database, database_url: str) -> None:
    [niche_id] = open_market(database, ("one",), "", "")
    group_id = create_conflict_group(database, "one owner", OPERATOR).row.group_id
    ids = [row[0] for row in query(database, "select id::text from providers order by id")]
    set_conflict_group(database, ids[0], group_id, OPERATOR)
    submit_leads(database, "one", [{}] * LEADS, OPERATOR, approve=True)

    def change(turn: int) -> None:
        set_conflict_group(database, ids[1], group_id if turn % 2 else None, OPERATOR)

    with changing(change):
        decide_at_once(database_url, niche_id)
    groups: dict[str, str | None] = {}
    sold = list[int]()
    for kind, payload in entries(database, niche_id):
        if kind == "provider":
            groups[payload["provider_id"]] = payload.get("conflict_group_id")
        if kind == "decision":
            are_one = groups[ids[0]] is not None and groups[ids[0]] == groups[ids[1]]
            assert len(recipients(payload)) == (1 if are_one else 2)
            sold.append(len(recipients(payload)))
    assert len(sold) == LEADS
    assert query(database, "select count(*), sum(price_cents) from assignments") == [(sum(sold), 100 * sum(sold))]
    assert deadlocks(database_url) == 0
