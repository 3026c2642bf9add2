"""Limits and schedules over HTTP: set by operators and by providers, shown with what is used, two providers each."""

from collections.abc import Generator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from fairlead.api.schemas.terms import LimitsDocument
from fairlead.core.calendar.limits import CAPS
from fairlead.flows.distributor import Distributor
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.simulated_clock import SimulatedClock
from tests.api.asking import a_provider, an_admin, application
from tests.api.permitting import STALE, problem
from tests.closing_sweep import sweep
from tests.flows.marketplaces import declare, provider_id
from tests.flows.sales import audited, query

ADMIN, OWN, ANY = "/api/v1/admin", "/api/v1/provider", {"If-Match": "*"}
NOON = datetime(2026, 3, 3, 12, tzinfo=UTC)
OFFICE = {"weekly": [{"days": ["tue", "wed"], "opens": "09:00", "closes": "17:00"}]}
MARKET = """
[[niche]]
slug = "storage"
name = "Storage"
level = [{ name = "only", price_cents = 100, max_recipients = 2, order_position = 1 }]

[[provider]]
email = "anchor@example.com"
name = "Anchor"
timezone = "Asia/Kolkata"
deposit = [{ external_id = "anchor", amount_cents = 90000 }]
subscription = [{ niche = "storage", level = "only" }]

[[provider]]
email = "bowline@example.com"
name = "Bowline"
timezone = "Australia/Lord_Howe"
deposit = [{ external_id = "bowline", amount_cents = 90000 }]
subscription = [{ niche = "storage", level = "only" }]
"""


@dataclass(frozen=True)
class Market:
    """Anchor in Kolkata, Bowline at Lord Howe, at noon in UTC. Ann is an operator, Sam is of Anchor, Bea of Bowline."""

    database: Database
    clock: SimulatedClock
    app: FastAPI
    ann: TestClient
    sam: TestClient
    bea: TestClient
    anchor: str
    bowline: str

    def subscription(self, provider_id: str) -> str:
        return str(query(self.database, "select id::text from subscriptions where provider_id = %s", provider_id)[0][0])

    def at(self, moment: datetime) -> TestClient:
        """It is that moment, at which the sessions of before are over; another user of Anchor has just logged in."""
        self.clock.set(moment)
        return a_provider(self.app, self.database, self.anchor, "late@anchor.example")

    def sell(self, count: int) -> dict[str, int]:
        """How many of the next leads each of the two receives."""
        submit_leads(self.database, "storage", [{}] * count, OPERATOR, approve=True)
        [(niche_id,)] = query(self.database, "select id::text from niches")
        received = {self.anchor: 0, self.bowline: 0}
        for decision in Distributor(self.database).distribute_waiting(niche_id).decisions:
            for recipient in decision.recipients:
                received[recipient.provider_id] += 1
        return {"anchor": received[self.anchor], "bowline": received[self.bowline]}


@pytest.fixture
def market(database_url: str) -> Generator[Market]:
    clock = SimulatedClock(NOON)
    with Database(database_url, "fairlead", simulated_clock=clock) as database:
        declare(database, MARKET)
        anchor, bowline = provider_id(database, "anchor@example.com"), provider_id(database, "bowline@example.com")
        app = application(database)
        sam = a_provider(app, database, anchor)
        bea = a_provider(app, database, bowline, "sales@bowline.example")
        yield Market(database, clock, app, an_admin(app, database), sam, bea, anchor, bowline)
        sweep(database, frozenset())


def done(answer: Any, status: int = 200) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    return answer.json()


def uses(answer: Any) -> list[tuple[str, str, int, int, int]]:
    return [(use["owner"], use["name"], use["limit"], use["used"], use["left"]) for use in done(answer)["uses"]]


def test_the_document_has_every_limit_that_there_is() -> None:
    assert [cap.name for cap in CAPS] == [*LimitsDocument.model_fields]


def test_what_is_used_and_left_and_when_the_window_turns(market: Market) -> None:
    assert market.sell(2) == {"anchor": 2, "bowline": 2}
    own = f"{OWN}/subscriptions/{market.subscription(market.anchor)}"
    set_ = market.sam.put(f"{own}/limits", json={"limits": {"leads_per_day": 3}}, headers=ANY)
    assert uses(set_) == [("subscription", "leads_per_day", 3, 2, 1)]
    of_all = {"limits": {"spend_cents_per_week": 900, "leads_total": 9}}
    done(market.sam.put(f"{OWN}/limits", json=of_all, headers=ANY))
    assert market.sell(3) == {"anchor": 1, "bowline": 3}
    shown = market.sam.get(f"{own}/limits")
    assert uses(shown) == [
        ("subscription", "leads_per_day", 3, 3, 0),
        ("provider", "leads_total", 9, 3, 6),
        ("provider", "spend_cents_per_week", 900, 300, 600),
    ]
    day, total, week = shown.json()["uses"]
    assert (day["opened_at"], day["closes_at"]) == ("2026-03-02T18:30:00Z", "2026-03-03T18:30:00Z")
    assert day["closes_at_local"] == "2026-03-04T00:00:00+05:30"
    assert (total["closes_at"], total["closes_at_local"]) == (None, None)
    assert (week["period"], week["unit"], week["closes_at_local"]) == ("week", "cents", "2026-03-09T00:00:00+05:30")
    # The operators see the same, and Bowline nothing of it.
    of_ann = done(market.ann.get(f"{ADMIN}/subscriptions/{market.subscription(market.anchor)}/limits"))
    assert of_ann["uses"] == shown.json()["uses"]
    assert problem(market.bea.get(f"{own}/limits")) == (404, "subscription_unknown")
    assert uses(market.bea.get(f"{OWN}/limits")) == []
    tom = market.at(NOON.replace(hour=18, minute=30))
    assert uses(tom.get(f"{own}/limits"))[0] == ("subscription", "leads_per_day", 3, 0, 3)
    assert market.sell(1) == {"anchor": 1, "bowline": 1}
    assert uses(tom.get(f"{own}/limits"))[0] == ("subscription", "leads_per_day", 3, 1, 2)


def test_a_limit_that_is_lowered_takes_nothing_back(market: Market) -> None:
    market.sell(4)
    limits = {"limits": {"leads_per_month": 2}}
    assert uses(market.bea.put(f"{OWN}/limits", json=limits, headers=ANY)) == [("provider", "leads_per_month", 2, 4, 0)]
    assert market.sell(1) == {"anchor": 1, "bowline": 0}
    assert uses(market.bea.put(f"{OWN}/limits", json={"limits": {}}, headers=ANY)) == []
    assert market.sell(1) == {"anchor": 1, "bowline": 1}


def test_a_schedule_says_when_it_opens_and_closes(market: Market) -> None:
    always = done(market.sam.get(f"{OWN}/schedule"))
    assert (always["schedule"], always["in_force"], always["owner"], always["is_open"]) == (None, None, None, True)
    shown = done(market.sam.put(f"{OWN}/schedule", json={"schedule": OFFICE}, headers=ANY))
    # In Kolkata it is half past five on a Tuesday.
    assert (shown["is_open"], shown["owner"], shown["in_force"]) == (False, "provider", OFFICE)
    assert shown["opens_at_local"] == "2026-03-04T09:00:00+05:30"
    assert market.sell(1) == {"anchor": 0, "bowline": 1}
    own = f"{OWN}/subscriptions/{market.subscription(market.anchor)}/schedule"
    of_all = done(market.sam.get(own))
    assert (of_all["schedule"], of_all["in_force"], of_all["owner"]) == (None, OFFICE, "provider")
    evening = {"weekly": [{"days": ["tue"], "opens": "17:00", "closes": "02:00"}]}
    mine = done(market.sam.put(own, json={"schedule": evening}, headers=ANY))
    assert (mine["is_open"], mine["owner"], mine["closes_at"]) == (True, "subscription", "2026-03-03T20:30:00Z")
    assert market.sell(1) == {"anchor": 1, "bowline": 1}
    back = done(market.ann.put(own.replace(OWN, ADMIN), json={"schedule": None}, headers=ANY))
    assert (back["owner"], back["is_open"]) == ("provider", False)
    assert done(market.bea.get(f"{OWN}/schedule"))["in_force"] is None


def test_a_schedule_that_never_opens_says_no_moment(market: Market) -> None:
    never = {"dates_off": [{"from": "2026-01-01", "to": "2031-01-01"}]}
    shown = done(market.sam.put(f"{OWN}/schedule", json={"schedule": never}, headers=ANY))
    assert (shown["is_open"], shown["opens_at"]) == (False, None)
    paused = {"paused_until": "2029-01-01T00:00:00Z"}
    shown = done(market.sam.put(f"{OWN}/schedule", json={"schedule": paused}, headers=ANY))
    assert shown["opens_at"] == "2029-01-01T00:00:00Z"
    tom = market.at(datetime(2029, 1, 1, tzinfo=UTC))
    shown = done(tom.get(f"{OWN}/schedule"))
    assert (shown["is_open"], shown["closes_at"]) == (True, None)


def test_who_set_it_is_seen_and_an_operator_is_not_named_to_the_provider(market: Market) -> None:
    assert done(market.ann.get(f"{ADMIN}/providers/{market.anchor}/limits"))["set_by"] is None
    asked = {"limits": {"leads_total": 9}, "memo": "trial"}
    by_ann = done(market.ann.put(f"{ADMIN}/providers/{market.anchor}/limits", json=asked, headers=ANY))["set_by"]
    assert (by_ann["actor"][:5], by_ann["actor_role"], by_ann["memo"]) == ("user:", "admin", "trial")
    to_sam = done(market.sam.get(f"{OWN}/limits"))["set_by"]
    assert (to_sam["actor"], to_sam["actor_role"], to_sam["memo"]) == ("operator", "admin", None)
    own = f"/subscriptions/{market.subscription(market.anchor)}"
    done(market.sam.put(f"{OWN}{own}/schedule", json={"schedule": OFFICE}, headers=ANY))
    seen = done(market.ann.get(f"{ADMIN}{own}/schedule"))["set_by"]
    assert (seen["actor_role"], seen["actor"][:5]) == ("provider", "user:")
    assert done(market.sam.get(f"{OWN}{own}/schedule"))["set_by"] == seen
    # A file says another one: then no person's word stands.
    late = MARKET.replace('level = "only" }]', 'level = "only", schedule = { dates_off = ["2027-01-01"] } }]')
    declare(market.database, late)
    assert done(market.ann.get(f"{ADMIN}{own}/schedule"))["set_by"] is None
    [(_, old, new, memo, _)] = audited(market.database, "provider.changed")
    assert (old, new, memo) == ({"limits": None}, {"limits": {"leads_total": 9}, "changed": ["limits"]}, "trial")
    [(_, _, new, _, _)] = audited(market.database, "subscription.schedule_changed")
    assert new["schedule"] == OFFICE


def test_a_change_names_the_version_that_was_seen(market: Market) -> None:
    address = f"{ADMIN}/providers/{market.bowline}/limits"
    asked = {"limits": {"leads_per_hour": 2}}
    assert problem(market.ann.put(address, json=asked)) == (428, "precondition_required")
    assert problem(market.ann.put(address, json=asked, headers=STALE)) == (412, "version_conflict")
    before = market.ann.get(address).headers["ETag"]
    changed = market.ann.put(address, json=asked, headers={"If-Match": before})
    assert changed.headers["ETag"] != before
    # It is the provider's own, and the one that Bea sees.
    assert market.ann.get(f"{ADMIN}/providers/{market.bowline}").headers["ETag"] == changed.headers["ETag"]
    assert market.bea.get(f"{OWN}/schedule").headers["ETag"] == changed.headers["ETag"]
    asked = {"limits": {"leads_per_hour": 3}}
    assert problem(market.bea.put(f"{OWN}/limits", json=asked, headers={"If-Match": before})) == (
        412,
        "version_conflict",
    )
    assert uses(market.bea.put(f"{OWN}/limits", json=asked, headers={"If-Match": changed.headers["ETag"]})) == [
        ("provider", "leads_per_hour", 3, 0, 3)
    ]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"limits": {"leads_per_day": 0}}, "/limits/leads_per_day"),
        ({"limits": {"leads_per_day": True}}, "/limits/leads_per_day"),
        ({"limits": {"leads_per_year": 5}}, "/limits/leads_per_year"),
        ({"limits": None}, "/limits"),
    ],
)
def test_limits_that_there_are_not_are_refused_at_their_place(market: Market, body: Any, pointer: str) -> None:
    refused = market.sam.put(f"{OWN}/limits", json=body, headers=ANY)
    assert problem(refused) == (422, "input_invalid")
    assert [each["pointer"] for each in refused.json()["errors"]] == [pointer]


@pytest.mark.parametrize(
    ("schedule", "pointer", "words"),
    [
        ({"weekly": [{"days": ["mon"], "opens": "9", "closes": "17:00"}]}, "/schedule/weekly/0/opens", "09:00"),
        ({"weekly": [{"days": ["mon"], "opens": "09:00", "closes": "09:00"}]}, "/schedule", "same time"),
        ({"weekly": []}, "/schedule/weekly", "at least 1"),
        ({"holidays": {"country": "DE", "region": "ZZ"}}, "/schedule", "no public holidays known of DE-ZZ"),
        ({"dates_off": [{"from": "2026-12-24", "to": "2026-12-01"}]}, "/schedule", "ends before it begins"),
        ({"paused_until": "tomorrow"}, "/schedule/paused_until", "offset"),
        ({"paused_until": "9999-12-31T23:59:59-23:59"}, "/schedule", "between the years 1970 and 8999"),
        ({"open": True}, "/schedule/open", ""),
    ],
)
def test_a_schedule_that_cannot_be_is_refused_in_words(market: Market, schedule: Any, pointer: str, words: str) -> None:
    refused = market.bea.put(f"{OWN}/schedule", json={"schedule": schedule}, headers=ANY)
    assert problem(refused) == (422, "input_invalid")
    [told] = refused.json()["errors"]
    assert told["pointer"] == pointer
    assert words in told["detail"]
    assert done(market.bea.get(f"{OWN}/schedule"))["schedule"] is None


def test_every_state_says_its_limits_and_its_schedule(market: Market) -> None:
    own = f"/subscriptions/{market.subscription(market.bowline)}"
    done(market.bea.put(f"{OWN}{own}/limits", json={"limits": {"leads_total": 4}}, headers=ANY))
    done(market.ann.put(f"{ADMIN}{own}/schedule", json={"schedule": OFFICE, "memo": "asked for"}, headers=ANY))
    for address, client in ((f"{ADMIN}{own}/history", market.ann), (f"{OWN}{own}/history", market.bea)):
        newest, before, first = done(client.get(address))["items"]
        assert (newest["limits"], newest["schedule"]) == ({"leads_total": 4}, OFFICE)
        assert (before["limits"], before["schedule"]) == ({"leads_total": 4}, None)
        assert (first["limits"], first["schedule"]) == ({}, None)
        assert newest["memo"] == ("asked for" if client is market.ann else None)
    assert done(market.bea.get(f"{OWN}{own}"))["limits"] == {"leads_total": 4}


def test_a_subscription_that_ended_keeps_its_limits(market: Market) -> None:
    own = f"{ADMIN}/subscriptions/{market.subscription(market.anchor)}"
    done(market.ann.put(f"{own}/limits", json={"limits": {"leads_total": 4}}, headers=ANY))
    done(market.ann.delete(own, headers=ANY))
    assert uses(market.ann.get(f"{own}/limits")) == [("subscription", "leads_total", 4, 0, 4)]
    refused = market.ann.put(f"{own}/limits", json={"limits": {}}, headers=ANY)
    assert problem(refused) == (409, "subscription_ended")
