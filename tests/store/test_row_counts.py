"""A statement that finds other rows than it was given stops its transaction, alone or within a pipeline."""

import ast
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import LiteralString

import pytest

from fairlead.core.model import Balance, Subscription
from fairlead.core.refusals import OutsideSchedule
from fairlead.core.returns import RefundPolicy
from fairlead.core.subscription import EVERY_LEAD
from fairlead.flows.distribute import LastKnownBalances, distribute
from fairlead.store.access.user_language import write_user_language
from fairlead.store.configuration.conflict_groups import ConflictGroupRow, delete_conflict_group, write_name
from fairlead.store.configuration.niche_archive import set_archived
from fairlead.store.configuration.rows import ProviderRow, SubscriptionRow
from fairlead.store.configuration.writes import write_own_profile, write_states, write_terms
from fairlead.store.connection import Connection, Database
from fairlead.store.distribution import writes
from fairlead.store.distribution.limit_counters import shut
from fairlead.store.distribution.rosters import RosterCache
from fairlead.store.ids import new_id
from fairlead.store.leads import state
from fairlead.store.leads.intake import IntakePolicy, write_intake_policy
from fairlead.store.money.assignments import ProviderAnswer, set_answered, set_refunded, set_viewed
from fairlead.store.money.auto_top_ups import AutoTopUp, write_auto_top_up
from fairlead.store.money.bad_leads import set_report_rejected, set_reported, set_window_days
from fairlead.store.money.payment_doubts import resolve_doubt
from fairlead.store.money.payment_requests import settle_request
from fairlead.store.money.returns import give_turns_back, leave_limits, set_refund_policy, set_returned
from fairlead.store.money.saved_methods import SavedMethodRow, write_saved
from fairlead.store.money.spending_pace import write_days_alerts
from fairlead.store.notifications.preferences import write_preferences
from fairlead.store.row_counts import RowsMissed, change_rows
from tests.race.marketplaces import Provider, Terms, add_leads, add_providers, open_niche, subscribe

STORE = Path(__file__).parents[2] / "src" / "fairlead" / "store"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
LOCAL = "create temporary table counted (n integer) on commit drop"


def niche_with_a_waiting_lead(database: Database) -> str:
    """Its id. "a" can pay for one lead and "b" for more; "c" cannot, which no flow has noticed yet."""
    providers = [Provider("a", 5000, (1,)), Provider("b", 10_000, (1,)), Provider("c", 100, (1,))]
    with database.transaction() as conn:
        niche = open_niche(conn, "counting", (Terms(3000, 3, 1, "weighted"),))
        subscribe(conn, niche, providers, add_providers(conn, providers, "all"))
        add_leads(conn, niche, (40,))
    return niche.niche_id


def count(conn: Connection, promise: str, rows: int, n: int) -> None:
    change_rows(conn, promise, rows, "update counted set n = n + 1 where n = %s", (n,))


def test_a_statement_that_finds_fewer_rows_raises_by_its_name(database: Database) -> None:
    with database.transaction() as conn:
        conn.execute(LOCAL)
        with pytest.raises(RowsMissed, match="some_promise: 0 of 1 rows") as missed:
            count(conn, "some_promise", 1, 7)
    assert missed.value.promise == "some_promise"


def test_within_a_pipeline_it_raises_where_that_ends(database: Database) -> None:
    done: list[str] = []

    def in_pipelines(conn: Connection) -> None:
        with conn.pipeline():
            with conn.pipeline():
                count(conn, "in_time", 1, 1)
            done.append("inner")
            count(conn, "late", 2, 2)
            done.append("sent")

    with database.transaction() as conn:
        conn.execute(LOCAL)
        conn.execute("insert into counted values (1)")
        with pytest.raises(RowsMissed, match="late: 1 of 2 rows"):
            in_pipelines(conn)
    assert done == ["inner", "sent"]


def test_an_error_within_a_pipeline_leaves_no_check_for_the_next(database: Database) -> None:
    def given_up(conn: Connection) -> None:
        with conn.pipeline():
            count(conn, "given_up", 1, 1)
            raise ZeroDivisionError

    with database.transaction() as conn:
        conn.execute(LOCAL)
        with pytest.raises(ZeroDivisionError):
            given_up(conn)
        with conn.pipeline():
            conn.execute("select 1")


MOVED: dict[str, LiteralString] = {
    "niches_head_follows": "update niches set journal_seq = journal_seq + 1",
    "leads_decided_were_waiting": "update leads set awaits_decision = false",
    "subscriptions_served_can_be": "update subscriptions set filter_is_valid = false",
    "subscriptions_passes_rise": "update subscriptions set pass = 9007199254740992",
    "competition_levels_moved_are_weighted": "update competition_levels set queue_order = 'least_recently_served'",
    "providers_balance_follows_its_entries": "update providers set balance_cents = balance_cents + 1",
    "subscriptions_switched_off_were_on": """
        update subscriptions set is_active = false, deactivation_reason = 'paused'
        where provider_id in (select id from providers where name = 'c')
    """,
}


@pytest.mark.parametrize("promise", MOVED)
def test_a_batch_of_which_a_row_has_moved_is_not_written(
    promise: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever moved the row behind the locks: nothing of the batch is committed."""
    niche_id = niche_with_a_waiting_lead(database)

    def moved_and_recorded(conn: Connection, batch: writes.Batch) -> None:
        conn.execute(MOVED[promise])
        writes.record(conn, batch)

    with monkeypatch.context() as patched:
        patched.setattr("fairlead.flows.distribute.record", moved_and_recorded)
        with pytest.raises(RowsMissed, match=promise):
            distribute(database, RosterCache(), LastKnownBalances(), niche_id, 10)
    done = distribute(database, RosterCache(), LastKnownBalances(), niche_id, 10)
    assert done is not None
    assert (len(done.decisions[0].recipients), len(done.deactivated)) == (2, 2)


def test_the_same_batch_is_not_written_twice(database: Database) -> None:
    """Its journal entries are refused by their key; without them, the niche's head is not where the batch begins."""
    niche_id = niche_with_a_waiting_lead(database)
    done = distribute(database, RosterCache(), LastKnownBalances(), niche_id, 10)
    assert done is not None
    with pytest.raises(RowsMissed, match="niches_head_follows"), database.transaction() as conn:
        writes._move_niche(conn, done)


UNKNOWN = new_id()
UNKNOWN_METHOD = SavedMethodRow(UNKNOWN, UNKNOWN, "stripe", "open", NOW, None, None, None, None, 0, None)
SUBSCRIBED = SubscriptionRow(UNKNOWN, "a@b.test", Subscription(UNKNOWN, UNKNOWN, UNKNOWN, True, None, EVERY_LEAD, True))
STRANGER = ProviderRow(UNKNOWN, "a@b.test", "A", "active", "UTC", None, Balance(0, 0, 0))
CHANGES: dict[str, Callable[[Connection], object]] = {
    "leads_confirmed_were_waiting_for_it": lambda conn: state.set_confirmed(conn, UNKNOWN),
    "leads_approved_were_pending": lambda conn: state.set_approved(conn, [UNKNOWN], "an operator", NOW, None),
    "leads_rejected_were_unsold": lambda conn: state.set_rejected(conn, [UNKNOWN], "spam", "an operator", NOW, None),
    "leads_bad_were_good": lambda conn: state.set_bad(conn, UNKNOWN),
    "leads_awaiting_were_approved": lambda conn: state.set_awaiting(conn, [UNKNOWN], None),
    "leads_offered_again_were_approved": lambda conn: state.count_reoffer(conn, [UNKNOWN]),
    "leads_failed_were_waiting": lambda conn: state.add_failed_run(conn, UNKNOWN, "an error", NOW),
    "leads_blamed_were_waiting": lambda conn: state.blame_for_crash(conn, UNKNOWN),
    "leads_given_up_were_waiting": lambda conn: state.give_up(conn, UNKNOWN, "an error", NOW),
    "assignments_refunded_were_paid": lambda conn: set_refunded(conn, [UNKNOWN], "an operator", "a memo", NOW),
    "assignments_viewed_were_unseen": lambda conn: set_viewed(conn, [UNKNOWN], NOW),
    "assignments_answered_were_active": lambda conn: set_answered(conn, [ProviderAnswer(UNKNOWN, "accepted")], NOW),
    "assignments_reported_had_no_report": lambda conn: set_reported(conn, UNKNOWN, "spam", None, None, NOW),
    "assignments_decided_had_an_open_report": lambda conn: set_report_rejected(conn, UNKNOWN, "an operator", "m", NOW),
    "payment_requests_settled_had_not_succeeded": lambda conn: settle_request(
        conn, UNKNOWN, "failed", "expired", None, NOW
    ),
    "providers_with_an_auto_top_up_are_there": lambda conn: write_auto_top_up(
        conn, AutoTopUp(UNKNOWN, 100, 100, 100, is_on=False)
    ),
    "saved_methods_saved_were_open": lambda conn: write_saved(conn, UNKNOWN_METHOD, "cus_1:pm_1", "Visa 4242", NOW),
    "payment_doubts_resolved_were_open": lambda conn: resolve_doubt(
        conn, UNKNOWN, "closed", "an operator", "looked at it", NOW
    ),
    "niches_with_an_intake_policy_are_there": lambda conn: write_intake_policy(
        conn, UNKNOWN, IntakePolicy(True, False)
    ),
    "niches_with_a_refund_policy_are_there": lambda conn: set_refund_policy(conn, UNKNOWN, RefundPolicy()),
    "subscriptions_given_a_turn_back_had_it": lambda conn: give_turns_back(conn, UNKNOWN, [(UNKNOWN, None, 0)]),
    "assignments_returned_were_refunded": lambda conn: set_returned(conn, [(UNKNOWN, 1, RefundPolicy(True, False))]),
    "subscriptions_opened_were_shut": lambda conn: leave_limits(conn, [UNKNOWN], [UNKNOWN]),
    "niches_with_a_window_are_there": lambda conn: set_window_days(conn, UNKNOWN, 7),
    "providers_with_preferences_are_there": lambda conn: write_preferences(conn, UNKNOWN, {}),
    "providers_with_a_threshold_are_there": lambda conn: write_own_profile(conn, STRANGER),
    "niches_archived_are_there": lambda conn: set_archived(conn, UNKNOWN, is_archived=True),
    "users_with_a_language_are_there": lambda conn: write_user_language(conn, UNKNOWN, "de"),
    "leads_answers_erased_once": lambda conn: state.set_answers_erased(conn, [UNKNOWN], NOW),
    "leads_contact_erased_once": lambda conn: state.set_contact_erased(conn, [UNKNOWN], NOW),
    "leads_erased_once": lambda conn: state.set_erased(conn, [UNKNOWN], NOW),
    "providers_told_in_days_are_there": lambda conn: write_days_alerts(conn, {UNKNOWN: True}, [], NOW),
    "providers_with_terms_are_there": lambda conn: write_terms(conn, STRANGER),
    "leads_withdrawn_once": lambda conn: state.set_withdrawn(conn, UNKNOWN, NOW),
    "subscriptions_shut_are_living": lambda conn: shut(conn, {UNKNOWN: OutsideSchedule(None)}),
    "conflict_groups_renamed_were_there": lambda conn: write_name(conn, ConflictGroupRow(UNKNOWN, "One owner")),
    "conflict_groups_deleted_were_there": lambda conn: delete_conflict_group(conn, UNKNOWN),
    "configuration_is_written": lambda conn: write_states(conn, [SUBSCRIBED], NOW),
}


@pytest.mark.parametrize("promise", CHANGES)
def test_a_row_that_is_not_there_is_missed(promise: str, database: Database) -> None:
    with pytest.raises(RowsMissed, match=promise), database.transaction() as conn:
        CHANGES[promise](conn)


def test_every_row_count_is_missed_here() -> None:
    counted = {
        argument.value
        for path in STORE.rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "change_rows"
        for argument in call.args[1:2]
        if isinstance(argument, ast.Constant)
    }
    assert counted == {*MOVED, *CHANGES}
