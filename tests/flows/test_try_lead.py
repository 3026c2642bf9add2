"""A dry run says what the real thing does, and leaves no trace."""

from collections.abc import Generator
from datetime import timedelta
from importlib.resources import files
from itertools import islice

import pytest

from fairlead.cli.demo.stream import demo_leads
from fairlead.core.decision import Decision
from fairlead.core.decision_queues import LevelQueue
from fairlead.core.errors import BadInput, Refused
from fairlead.flows.configuration.niches import NicheChange, change_niche
from fairlead.flows.distributor import Distributor
from fairlead.flows.explaining.decision_lines import dry_run_lines
from fairlead.flows.explaining.decision_queues import recorded_queues
from fairlead.flows.submit_leads import submit_leads
from fairlead.flows.try_lead import LATEST, TriedLead, try_lead
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.simulated_clock import SimulatedClock
from tests.closing_sweep import sweep
from tests.flows.access.people import value
from tests.flows.marketplaces import HOSTING, activity, declare, everything
from tests.flows.test_limits import NOON, Market


@pytest.fixture
def market(database_url: str) -> Generator[Market]:
    clock = SimulatedClock(NOON)
    with Database(database_url, "fairlead", simulated_clock=clock) as database:
        yield Market(database, clock)
        sweep(database, frozenset())


DEMO = files("fairlead.cli.demo").joinpath("marketplace.toml").read_text(encoding="utf-8")


def test_what_it_says_is_what_happens_next(database: Database) -> None:
    """Lead after lead: the same recipients at the same prices and balances, the same refusals, the same queues."""
    declare(database, DEMO)
    distributor = Distributor(database, 1)
    outcomes: set[str] = set()
    for lead in islice(demo_leads(11), 40):
        tried = try_lead(database, lead.niche_slug, lead.attributes)
        [lead_id] = submit_leads(database, lead.niche_slug, [lead.attributes], OPERATOR, approve=True)
        [happened] = distributor.distribute_waiting(tried.decision.niche_id, lead_id).decisions
        assert _what_follows(tried.decision) == _what_follows(happened)
        assert list(map(_who_stood_where, tried.levels)) == list(
            map(_who_stood_where, recorded_queues(database, lead_id).levels)
        )
        outcomes.add(tried.decision.outcome.value)
    assert outcomes >= {"success"}


def _what_follows(decision: Decision) -> object:
    """All that a decision says but for its time and the ids that are made anew."""
    return (
        decision.seq,
        decision.start_order_position,
        decision.next_start_order_position,
        decision.outcome,
        [
            (
                each.level,
                [(r.subscription_id, r.price_cents, r.served_seq, r.balance_before_cents) for r in each.recipients],
                each.refused,
                each.counts,
            )
            for each in decision.levels
        ],
    )


def _who_stood_where(queue: LevelQueue) -> object:
    reached = [(each.subscription_id, each.rank, each.served_ago, each.refusal) for each in queue.reached]
    outside = {reason: [each.subscription_id for each in own] for reason, own in queue.outside.items()}
    return reached, queue.behind_count, outside


def test_nothing_is_written_and_nothing_locked(database: Database) -> None:
    declare(database, HOSTING)
    before = everything(database)
    with database.transaction() as conn:
        conn.execute("select from niches for update")
        conn.execute("select from providers for update")
        tried = try_lead(database, "hosting", {"cores": 8, "region": "north"})
    assert everything(database) == before
    # Anchor at gold, and Bowline at silver from 6.00 EUR.
    assert tried.charged_cents == 2000 + 500
    assert [
        (tried.provider_names[each.provider_id], tried.level_names[each.level_id]) for each in tried.deactivated
    ] == [("Bowline", "silver")]
    assert activity(database)["bowline silver"] == "active"


def test_it_tells_it_as_a_person_would(database: Database) -> None:
    declare(database, HOSTING)
    told = [line.text for line in dry_run_lines(try_lead(database, "hosting", {"cores": 2, "region": "south"}))]
    assert told[0].startswith("A lead like this in hosting, were it decided now (")
    assert told[-2:] == ["  1 provider would pay 5.00 EUR.", "  Nothing was written, and no turn has moved."]
    assert any("Bowline" in line or "filter" in line for line in told)


@pytest.mark.parametrize(
    ("attributes", "problem"),
    [
        ({"cores": "many"}, "attributes.cores: Cores: must be a number"),
        ({"cores": {"a": 1}}, "attributes.cores: Cores: must be a number"),
        ({"cores": float("nan")}, "attributes.cores"),
        ({"region": "west"}, "attributes.region"),
        ({"rank": 1}, "attributes.rank: the form has no field 'rank'"),
    ],
)
def test_answers_that_do_not_fit_are_named(database: Database, attributes: dict[str, object], problem: str) -> None:
    declare(database, HOSTING)
    with pytest.raises(BadInput) as refused:
        try_lead(database, "hosting", attributes)
    assert [each for each in refused.value.problems if each.startswith(problem)]


def test_a_niche_that_is_unknown_or_inactive(database: Database) -> None:
    declare(database, HOSTING)
    with pytest.raises(Refused, match="there is no niche"):
        try_lead(database, "moving", {})
    change_niche(database, value(database, "select id::text from niches"), NicheChange(is_active=False), OPERATOR)
    with pytest.raises(Refused, match="inactive"):
        try_lead(database, "hosting", {})


def test_limits_are_asked_as_a_decision_asks_them(database: Database) -> None:
    declare(database, LIMITED)
    distributor = Distributor(database, 1)
    said: list[str] = []
    for _ in range(3):
        tried = try_lead(database, "storage", {})
        [lead_id] = submit_leads(database, "storage", [{}], OPERATOR, approve=True)
        [happened] = distributor.distribute_waiting(tried.decision.niche_id, lead_id).decisions
        assert _what_follows(tried.decision) == _what_follows(happened)
        said.append(tried.decision.outcome.value)
    assert said == ["success", "no_eligible", "no_eligible"]


LIMITED = """
[[niche]]
slug = "storage"
name = "Storage"
level = [{ name = "only", price_cents = 100, max_recipients = 1, order_position = 1 }]

[[provider]]
email = "dinghy@example.com"
name = "Dinghy"
limits = { leads_total = 1 }
deposit = [{ external_id = "opening-dinghy", amount_cents = 9000 }]
subscription = [{ niche = "storage", level = "only", limits = { leads_per_week = 50 } }]
"""


def test_at_another_moment_windows_and_schedules_are_those_of_then(market: Market) -> None:
    market.declare(
        provider='schedule = { weekly = [{ days = ["tue", "thu"], opens = "00:00", closes = "24:00" }] }',
        subscription="limits = { leads_per_day = 1 }",
    )
    assert market.sold(1) == 1
    before = everything(market.database)
    midnight = NOON.replace(hour=18, minute=30)  # in Kolkata, the end of Tuesday
    moments = (NOON + timedelta(minutes=1), midnight - timedelta(seconds=1), midnight, midnight + timedelta(days=1))
    tried = [try_lead(market.database, "storage", {}, at) for at in moments]
    assert [(each.tried_at, each.is_later) for each in tried] == [(at, True) for at in moments]
    assert not try_lead(market.database, "storage", {}).is_later
    assert [_why(each) for each in tried] == ["cap_reached", "cap_reached", "outside_schedule", None]
    assert everything(market.database) == before
    assert "were it decided at 2026-03-04T18:30:00" in dry_run_lines(tried[-1])[0].text
    market.at(midnight + timedelta(days=1))
    assert market.sold(1) == 1, "what was tried happens"


def test_a_moment_that_is_over_or_too_far_ahead_is_named(market: Market) -> None:
    market.declare()
    try_lead(market.database, "storage", {}, NOON + LATEST)
    for at, problem in (
        (NOON - timedelta(seconds=1), "this moment is over"),
        (NOON + LATEST * 2, "more than 366 days"),
    ):
        with pytest.raises(BadInput, match=f"at: .*{problem}"):
            try_lead(market.database, "storage", {}, at)


def _why(tried: TriedLead) -> str | None:
    [level] = tried.levels
    [candidate] = [*level.reached, *(each for own in level.outside.values() for each in own)]
    return candidate.refusal and candidate.refusal.reason
