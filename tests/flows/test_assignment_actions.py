"""What a provider does with its own lead: see it, accept it, reject it."""

from collections.abc import Callable

import pytest

from fairlead.core.errors import BadInput, Refused
from fairlead.flows.assignment_actions import (
    accept_assignment,
    answer_assignments,
    reject_assignment,
    view_assignment,
)
from fairlead.flows.money.refund import refund_assignment
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.money.assignments import ProviderAnswer
from tests.flows.marketplaces import everything
from tests.flows.sales import MEMO, PORTAL, audited, balances, query, sell


def refusal(database: Database, call: Callable[[], object]) -> str:
    """The code of the refusal, which changed nothing."""
    before = everything(database)
    with pytest.raises(Refused) as caught:
        call()
    assert everything(database) == before
    return caught.value.code


def test_it_is_seen_for_the_first_time_once(database: Database) -> None:
    sale = sell(database)
    first = view_assignment(database, sale.anchor_id, sale.anchor)
    again = view_assignment(database, sale.anchor_id, sale.anchor)
    assert (first.took_effect, again.took_effect, again.viewed_at) == (True, False, first.viewed_at)
    seen = query(database, "select id::text, viewed_at from assignments where viewed_at is not null")
    assert seen == [(sale.anchor, first.viewed_at)]


def test_accepting_says_so_and_counts_as_seen(database: Database) -> None:
    sale = sell(database)
    done = accept_assignment(database, sale.anchor_id, sale.anchor, PORTAL)
    assert (done.status, done.took_effect, done.viewed_at) == ("accepted", True, done.answered_at)
    again = accept_assignment(database, sale.anchor_id, sale.anchor, PORTAL)
    assert (again.took_effect, again.answered_at) == (False, done.answered_at)
    assert audited(database, "assignment.accepted") == [
        (sale.anchor, {"status": "active"}, {"status": "accepted"}, None, "anchor")
    ]
    other = lambda: reject_assignment(database, sale.anchor_id, sale.anchor, "no", PORTAL)  # noqa: E731
    assert refusal(database, other) == "assignment_accepted"


def test_rejecting_keeps_the_reason_with_the_assignment_and_returns_no_money(database: Database) -> None:
    sale = sell(database)
    view = view_assignment(database, sale.anchor_id, sale.anchor)
    done = reject_assignment(database, sale.anchor_id, sale.anchor, " Ms Sample moved\naway ", PORTAL)
    assert (done.status, done.viewed_at) == ("rejected", view.viewed_at)
    stored = query(database, "select status, rejection_reason from assignments where id = %s", sale.anchor)
    assert stored == [("rejected", "Ms Sample moved\naway")]
    assert balances(database)["Anchor"] == 3000
    del (kept := everything(database))["assignments"]
    assert not any("Ms Sample" in line for lines in kept.values() for line in lines)
    other = lambda: accept_assignment(database, sale.anchor_id, sale.anchor, PORTAL)  # noqa: E731
    assert refusal(database, other) == "assignment_rejected"
    refund_assignment(database, sale.anchor, MEMO, OPERATOR)
    again = lambda: reject_assignment(database, sale.anchor_id, sale.anchor, "no", PORTAL)  # noqa: E731
    assert refusal(database, again) == "assignment_refunded"


def test_another_provider_s_assignment_is_not_there(database: Database) -> None:
    sale = sell(database)
    for call in (
        lambda: view_assignment(database, sale.bowline_id, sale.anchor),
        lambda: accept_assignment(database, sale.bowline_id, sale.anchor, PORTAL),
        lambda: reject_assignment(database, sale.bowline_id, sale.anchor, "no", PORTAL),
    ):
        assert refusal(database, call) == "assignment_unknown"


def test_a_rejection_needs_words_that_can_be_shown(database: Database) -> None:
    sale = sell(database)
    for reason in ("", "  ", "x" * 501, "a bell \a"):
        with pytest.raises(BadInput, match="reason: must be 1 to 500 characters"):
            reject_assignment(database, sale.anchor_id, sale.anchor, reason, PORTAL)


def test_many_are_seen_and_answered_at_once_as_each_would_be_alone(database: Database) -> None:
    sale = sell(database)
    [other] = query(database, "select id::text from assignments where id <> %s limit 1", sale.anchor)[0]
    no = [ProviderAnswer(sale.anchor, "rejected", " too far ")]
    assert answer_assignments(database, [other], no, PORTAL) == 2
    stored = query(
        database,
        "select id::text, status, rejection_reason, viewed_at is not null from assignments where viewed_at > %s",
        "2000-01-01",
    )
    assert sorted(stored) == sorted([(sale.anchor, "rejected", "too far", True), (other, "active", None, True)])
    assert audited(database, "assignment.rejected") == [
        (sale.anchor, {"status": "active"}, {"status": "rejected"}, None, "anchor")
    ]
    before = everything(database)
    yes = [ProviderAnswer(sale.anchor, "accepted"), ProviderAnswer("01900000-0000-7000-8000-000000000000", "accepted")]
    assert answer_assignments(database, [other], yes, PORTAL) == 0, "what was said before stays"
    with pytest.raises(BadInput, match="reason"):
        answer_assignments(database, [], [ProviderAnswer(other, "rejected", " ")], PORTAL)
    assert everything(database) == before
