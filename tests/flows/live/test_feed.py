"""The feed: what commits, once, in commit order, the same for all; and for providers only what is their own."""

import threading
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from fairlead.core.errors import Broken
from fairlead.flows.assignment_actions import accept_assignment
from fairlead.flows.configuration.provider_status import suspend_provider
from fairlead.flows.distributor import Distributor
from fairlead.flows.failures.failed_runs import record_failed_run
from fairlead.flows.live import feed as flow
from fairlead.flows.live.event_types import ALWAYS, FOR_OPERATORS, FOR_PROVIDERS
from fairlead.flows.live.feed import begin_to_watch, bring_up_to_date, forget_old_entries, operator_page, own_page
from fairlead.flows.live.messages import Message
from fairlead.flows.live.positions import operator_id
from fairlead.flows.maintenance.clean_up import clean_up
from fairlead.flows.money.adjust_balance import adjust_balance
from fairlead.flows.money.bad_leads import accept_bad_lead, reject_bad_lead, report_bad_lead
from fairlead.flows.money.refund import refund_assignment
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.live import sequencing as store
from tests.flows.live.feeds import begin, of_type, open_market, operators_see, provider_sees, sell
from tests.flows.maintenance.workers import maintenance_of
from tests.flows.sales import query
from tests.race.marketplaces import add_leads
from tests.race.processes import opened, wait_until_blocked
from tests.waiting import PATIENCE_SECONDS

MEMO = "the number is not in use at all"


def test_a_decision_is_one_message_and_one_for_each_assignment(database: Database) -> None:
    market = open_market(database)
    after = begin(database)
    [lead_id] = sell(database, market.niches["moving"])
    messages = operators_see(database, after)
    decision, *assignments = messages
    assert [message.type for message in assignments] == ["assignment.created"] * 3
    assert [operator_id(message.position) for message in messages] == [f"{after + 1}-{n}" for n in range(4)]
    assert decision.members == {
        "niche": "moving",
        "journal_seq": query(database, "select journal_seq from niches")[0][0],
        "lead_id": lead_id,
        "attempt": 1,
        "outcome": "success",
        "start_order_position": 1,
        "assignment_count": 3,
    }
    stored = query(
        database,
        "select id::text, provider_id::text, subscription_id::text, competition_level_id::text, price_cents from "
        "assignments",
    )
    told = [message.members for message in assignments]
    members = ("assignment_id", "provider_id", "subscription_id", "level_id", "price_cents")
    assert {tuple(each[member] for member in members) for each in told} == set(stored)
    assert {each["lead_id"] for each in told} == {lead_id}


def test_every_message_has_the_members_that_are_promised(database: Database) -> None:
    market = open_market(database)
    after = begin(database)
    ana, ben, cyd = market.provider_ids.values()
    leads = sell(database, market.niches["moving"], 2)
    bought = dict(query(database, "select provider_id::text, id::text from assignments where lead_id = %s", leads[0]))
    report_bad_lead(database, ana, bought[ana], "wrong_contact", None, OPERATOR)
    accept_bad_lead(database, bought[ana], MEMO, OPERATOR)
    report_bad_lead(database, ben, bought[ben], "wrong_contact", None, OPERATOR)
    reject_bad_lead(database, bought[ben], MEMO, OPERATOR)
    refund_assignment(database, bought[ben], MEMO, OPERATOR)
    accept_assignment(database, cyd, bought[cyd], OPERATOR)
    adjust_balance(database, cyd, "debit", balance_of(database, cyd), MEMO, OPERATOR)  # leaves nothing for either level
    suspend_provider(database, ana, OPERATOR)
    with database.transaction() as conn:
        [failing] = add_leads(conn, market.niches["moving"], [40])
    assert record_failed_run(database, failing, Broken("the books are wrong"), 0.5)
    operators = operators_see(database, after)
    for message in operators:
        assert tuple(message.body("x")) == ALWAYS + FOR_OPERATORS[message.type], message
    assert {message.type for message in operators} >= {
        "decision.recorded",
        "assignment.created",
        "assignment.accepted",
        "assignment.refunded",
        "bad_lead.reported",
        "bad_lead.accepted",
        "bad_lead.rejected",
        "provider.changed",
        "subscription.changed",
        "job.failed",
        "dead_letter.opened",
    }
    assert MEMO not in str(operators)
    assert of_type(operators, "job.failed") == [
        {"niche": "moving", "lead_id": failing, "error": "Broken: the books are wrong"}
    ]
    [letter] = of_type(operators, "dead_letter.opened")
    assert (letter["queue"], letter["lead_id"], letter["attempts"]) == ("distribute", failing, 1)
    refunded = of_type(operators, "assignment.refunded")
    assert [(each["assignment_id"], each["provider_id"]) for each in refunded] == [
        (bought[ana], ana),
        (bought[ben], ben),
    ]
    own = provider_sees(database, [ana, ben, cyd], after)
    for provider_id, messages in own.items():
        assert provider_sees(database, [provider_id], after) == {provider_id: messages}
        for message in messages:
            assert tuple(message.body("x")) == ALWAYS + FOR_PROVIDERS[message.type], message
        assert len(of_type(messages, "assignment.created")) == 2
        assert {each["assignment_id"] for each in of_type(messages, "assignment.refunded")} <= {bought[provider_id]}
    assert [message.type for message in own[ana]][2:] == ["bad_lead.accepted", "assignment.refunded"]
    assert [message.type for message in own[ben]][2:] == ["bad_lead.rejected", "assignment.refunded"]
    stopped = of_type(own[cyd], "subscription.changed")
    assert {each["deactivation_reason"] for each in stopped} == {"insufficient_funds"}
    assert {each["level_name"] for each in stopped} == {"L1", "L2"}


def balance_of(database: Database, provider_id: str) -> int:
    return query(database, "select balance_cents from providers where id = %s", provider_id)[0][0]


def test_a_provider_sees_nothing_of_others(database: Database) -> None:
    market = open_market(database, "moving", "storage")
    after = begin(database)
    for niche in market.niches.values():
        sell(database, niche, 5)
    ana, ben, _ = market.provider_ids.values()
    for own, other in ((ana, ben), (ben, ana)):
        messages = provider_sees(database, [own], after)[own]
        ids = {each["assignment_id"] for each in of_type(messages, "assignment.created")}
        owned = query(database, "select id::text from assignments where provider_id = %s", own)
        assert ids == {row[0] for row in owned}
        foreign = query(
            database,
            "select id::text from assignments where provider_id <> %(own)s::uuid union all "
            "select subscription_id::text from assignments where provider_id <> %(own)s::uuid".replace("%(own)s", "%s"),
            own,
            own,
        )
        assert not any(row[0] in str(messages) for row in foreign)
        assert other not in str(messages)
    both = provider_sees(database, [ana, ben], after)
    assert {key: len(messages) for key, messages in both.items()} == {ana: 10, ben: 10}


def test_concurrent_decisions_in_several_niches_come_in_commit_order_once_and_without_gaps(database: Database) -> None:
    market = open_market(database, "moving", "storage", "hosting", "legal")
    after = begin(database)
    with database.transaction() as conn:
        for niche in market.niches.values():
            add_leads(conn, niche, [40] * 25)

    def decide(niche_id: str) -> None:
        distributor = Distributor(database, 3)
        while distributor.distribute_waiting(niche_id).decisions:
            pass

    def follow() -> list[Message]:
        found: list[Message] = []
        position = after
        while len(found) < 4 * 25 * 4:
            bring_up_to_date(database)
            page = operator_page(database, position)
            found, position = [*found, *page.messages], page.up_to_id
        return found

    with ThreadPoolExecutor(7) as pool:
        followers = [pool.submit(follow) for _ in range(3)]
        deciders = [pool.submit(decide, niche.niche_id) for niche in market.niches.values()]
        for each in deciders:
            each.result()
        seen = [each.result() for each in followers]
    messages = operators_see(database, after)
    ids = [message.position.entry_id for message in messages]
    assert ids == sorted(ids)
    assert {*ids} == {*range(after + 1, max(ids) + 1)}
    seqs: dict[str, list[int]] = defaultdict(list)
    for each in of_type(messages, "decision.recorded"):
        seqs[each["niche"]].append(each["journal_seq"])
    assert {slug: len(found) for slug, found in seqs.items()} == dict.fromkeys(market.niches, 25)
    assert all(found == sorted(found) for found in seqs.values())
    assert len(of_type(messages, "assignment.created")) == 4 * 25 * 3
    assert seen == [messages] * 3


def test_what_committed_before_it_was_looked_for_comes_before_what_committed_after(database: Database) -> None:
    market = open_market(database, "moving", "storage")
    after = begin(database)
    [first] = sell(database, market.niches["storage"])
    bring_up_to_date(database)
    [second] = sell(database, market.niches["moving"])
    [third] = sell(database, market.niches["storage"])
    told = of_type(operators_see(database, after), "decision.recorded")
    assert [each["lead_id"] for each in told] == [first, second, third]


def test_a_transaction_that_is_still_open_is_not_waited_for_and_not_lost(database: Database) -> None:
    """What was begun earlier and commits later gets the later id."""
    market = open_market(database, "moving", "storage")
    after = begin(database)
    began, go_on = threading.Event(), threading.Event()

    def slow() -> None:
        with database.transaction() as conn:
            conn.execute("select 1")
            conn.execute("select from niches where id = %s for no key update", (market.niches["moving"].niche_id,))
            began.set()
            assert go_on.wait(20)

    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(slow)
        assert began.wait(10)
        [other] = sell(database, market.niches["storage"])
        assert [each["lead_id"] for each in of_type(operators_see(database, after), "decision.recorded")] == [other]
        go_on.set()
        held.result()
    [late] = sell(database, market.niches["moving"])
    told = of_type(operators_see(database, after), "decision.recorded")
    assert [each["lead_id"] for each in told] == [other, late]


def test_a_feed_that_begins_does_not_tell_the_past(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    market = open_market(database)
    sell(database, market.niches["moving"], 3)
    head = bring_up_to_date(database)
    assert (head.entry_id, head.floor_id) == (1, 1)
    assert query(database, "select count(*) from live_entries") == [(0,)]
    # A decision for each lead, and one entry of the audit log that they came in.
    monkeypatch.setattr(store, "MOST_BEHIND_ENTRIES", 5)
    sell(database, market.niches["moving"], 4)
    assert bring_up_to_date(database).entry_id == 5
    sell(database, market.niches["moving"], 5)
    head = bring_up_to_date(database)
    assert (head.entry_id, head.floor_id) == (6, 6)
    page = operator_page(database, 5)
    assert (page.has_gap, page.after_id, page.up_to_id, page.messages) == (True, 5, 6, ())
    sell(database, market.niches["moving"])
    page = operator_page(database, bring_up_to_date(database).entry_id - 1)
    assert (page.has_gap, len(page.messages)) == (False, 4)


def test_what_is_older_than_what_is_kept_is_passed_over(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    market = open_market(database)
    after = begin(database)
    sell(database, market.niches["moving"], 3)
    monkeypatch.setattr(flow, "KEPT", timedelta(0))
    head = bring_up_to_date(database)
    assert (head.entry_id, head.floor_id) == (after + 1, after + 1)
    monkeypatch.undo()
    sell(database, market.niches["moving"])
    assert operator_page(database, after).has_gap
    assert len(operators_see(database, head.entry_id)) == 4


def test_many_batches_keep_the_order(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    market = open_market(database, "moving", "storage")
    after = begin(database)
    for _ in range(3):
        for niche in market.niches.values():
            sell(database, niche, 2)
    monkeypatch.setattr(flow, "BATCH_ENTRIES", 1)
    monkeypatch.setattr(flow, "PAGE_ENTRIES", 1)
    told = of_type(operators_see(database, after), "decision.recorded")
    assert [each["niche"] for each in told] == ["moving", "moving", "storage", "storage"] * 3


def test_old_entries_are_forgotten_and_who_stood_before_them_hears_of_a_gap(database: Database) -> None:
    market = open_market(database)
    after = begin(database)
    sell(database, market.niches["moving"], 3)
    bring_up_to_date(database)
    with database.transaction() as conn:
        conn.execute("update live_entries set sequenced_at = sequenced_at - interval '8 days'")
    sell(database, market.niches["moving"], 2)
    head = bring_up_to_date(database)
    assert clean_up(maintenance_of(database))["live_entries"] == 3
    assert forget_old_entries(database) == 0
    assert bring_up_to_date(database).floor_id == after + 3
    for page in (operator_page(database, after), operator_page(database, after + 2)):
        assert (page.has_gap, page.up_to_id, len(page.messages)) == (True, head.entry_id, 2 * 4)
    assert not operator_page(database, after + 3).has_gap
    [ana, *_] = market.provider_ids.values()
    own = own_page(database, [ana], after)
    assert (own.has_gap, len(own.messages[ana])) == (True, 2)


def test_two_who_put_in_order_at_once_do_not_wait_for_each_other(database: Database) -> None:
    market = open_market(database)
    after = begin(database)
    sell(database, market.niches["moving"])
    with database.transaction() as conn:
        conn.execute("select from live_head for no key update")
        assert bring_up_to_date(database).entry_id == after  # another process has its hands on it
    assert bring_up_to_date(database).entry_id == after + 1


def test_who_begins_to_watch_is_not_told_what_another_process_is_putting_in_order(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    market = open_market(database)
    after = begin(database)
    sell(database, market.niches["moving"], 3)
    monkeypatch.setattr(flow, "BATCH_ENTRIES", 1)
    with opened(database_url) as own, ThreadPoolExecutor(1) as pool:
        with database.transaction() as conn:
            conn.execute("select from live_head for no key update")
            began = pool.submit(begin_to_watch, own)
            wait_until_blocked(database_url, began)
        assert began.result(PATIENCE_SECONDS).entry_id == after + 3


def test_the_engine_pays_nothing(database: Database) -> None:
    """Nothing is written without a watcher, and the niches' rows are not touched by one."""
    market = open_market(database)
    sell(database, market.niches["moving"])
    assert query(database, "select count(*) from live_cursors") == [(0,)]
    with database.transaction() as conn:
        conn.execute("select from niches for update")  # the strongest lock there is
        assert bring_up_to_date(database).entry_id == 1
