"""The marketplace of the year: three niches, two hundred providers in twelve zones, every control in use.

It is a marketplace file (docs/reference/marketplace-file.md), drawn from a seed; the postcode table `year`, which its filters
name, is loaded by `year_set_up.py`. To look at the file:

    python examples/year/year_marketplace.py > year.toml
"""

import random
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tomli_w

Table = dict[str, Any]

ZONES = (
    "Europe/Berlin",
    "Europe/London",
    "America/New_York",
    "America/Sao_Paulo",
    "America/Havana",  # its midnight comes twice when clocks are put back
    "Africa/Cairo",
    "Asia/Kolkata",  # half an hour off
    "Asia/Kathmandu",  # three quarters
    "Asia/Tokyo",
    "Australia/Adelaide",  # half an hour off, with daylight saving
    "Australia/Lord_Howe",  # daylight saving of half an hour
    "Pacific/Auckland",
)
HOLIDAYS = {"Europe/Berlin": "DE", "Europe/London": "GB", "America/New_York": "US", "Pacific/Auckland": "NZ"}
NATIONAL = "car-insurance"
OPEN_IN_EUROPE = ("Europe/Berlin", "Europe/London", "Africa/Cairo")
"""Zones of the providers that sell car insurance, in working hours: what comes at night waits for the morning."""
DAYS_OF_A_YEAR = 366
CONFLICT_GROUPS = 20
REGIONS = ("north", "south", "east", "west")
WORKDAYS = ("mon", "tue", "wed", "thu", "fri")

WEEKEND = {"days": ["sat", "sun"], "opens": "00:00", "closes": "24:00"}
ONE_BY_WEIGHT = {"max_recipients": 1, "order": "weighted"}
EVENING = {"days": list(WORKDAYS), "opens": "18:30", "closes": "01:15"}


def _priced(name: str, price_cents: int, key: str, operator: str, value: int) -> Table:
    """A price rule for leads whose answer is such."""
    filter_ = {"version": 2, "rules": [{"field_key": key, "operator": operator, "value": value}]}
    return {"name": name, "price_cents": price_cents, "filter": filter_}


NICHES: Sequence[Table] = (
    {
        "slug": "vps-hosting",
        "name": "VPS hosting",
        "max_recipients_per_lead": 5,
        "field": [
            {"key": "cores", "type": "number", "required": True},
            {"key": "region", "type": "select", "options": list(REGIONS), "required": True},
            {"key": "managed", "type": "boolean", "required": True},
        ],
        "level": [
            {"name": "alone", "price_cents": 4_000, "order_position": 1, "exclusive": True, **ONE_BY_WEIGHT},
            {
                "name": "shared",
                "price_cents": 900,
                "max_recipients": 3,
                "order_position": 2,
                "price_rules": {"version": 1, "rules": [_priced("Large", 1_400, "cores", "gte", 32)]},
            },
            {"name": "open", "price_cents": 300, "max_recipients": 4, "order_position": 3},
        ],
    },
    {
        "slug": "solar-panels",
        "name": "Solar panels",
        "refunds": {"leaves_limits": True},
        "retention": {"contact_days": 30},
        "reoffer": {"every_minutes": 720, "max_times": 2, "max_hours": 48},
        "field": [
            {"key": "roof_m2", "type": "number", "required": True},
            {"key": "region", "type": "select", "options": list(REGIONS), "required": True},
            {"key": "storage", "type": "boolean", "required": True},
            {"key": "postcode", "type": "text", "required": True},
        ],
        "level": [
            {
                "name": "first",
                "price_cents": 6_000,
                "order_position": 1,
                **ONE_BY_WEIGHT,
                "price_rules": {
                    "version": 1,
                    "rules": [{"name": "Older than a day", "price_cents": 3_000, "lead_age_minutes": {"from": 1_440}}],
                },
            },
            {"name": "regional", "price_cents": 2_500, "max_recipients": 2, "order_position": 2},
        ],
    },
    {
        "slug": "car-insurance",
        "name": "Car insurance",
        "refunds": {"returns_turn": True, "leaves_limits": True},
        "retention": {"unsold_days": 7, "contact_days": 60},
        "max_recipients_per_lead": 3,
        "field": [
            {"key": "age", "type": "number", "required": True},
            {"key": "region", "type": "select", "options": list(REGIONS), "required": True},
            {"key": "changes_insurer", "type": "boolean", "required": True},
        ],
        "level": [
            {"name": "premium", "price_cents": 1_500, "order_position": 1, **ONE_BY_WEIGHT},
            {
                "name": "standard",
                "price_cents": 700,
                "max_recipients": 3,
                "order_position": 2,
                "price_rules": {
                    "version": 1,
                    "timezone": "Europe/Berlin",
                    "rules": [
                        _priced("Under 25", 1_100, "age", "lt", 25),
                        {"name": "Weekends", "price_cents": 500, "hours": [WEEKEND]},
                        {"name": "Late", "price_cents": 600, "hours": [EVENING], "lead_age_minutes": {"below": 60}},
                    ],
                },
            },
        ],
    },
)
NUMBER_OF = {"vps-hosting": ("cores", 1, 64), "solar-panels": ("roof_m2", 10, 200), "car-insurance": ("age", 18, 90)}
"""Of each niche the field with a number, and between which it lies."""


POSTCODES: Mapping[str, tuple[float, float]] = {
    f"{10_000 + 7 * number}": (round(51 + number % 40 * 0.08, 4), round(11 + number // 40 * 0.35, 4))
    for number in range(600)
}
"""With their latitude and longitude: the postcode table that the year loads, under the name `TABLE`."""
TABLE = "year"
TAKES_ALL = {
    19: (("vps-hosting", "shared"), ("vps-hosting", "open"), ("solar-panels", "regional")),
    9: (("vps-hosting", "alone"), ("solar-panels", "first")),
}
"""Of twenty providers these have one subscription at one of these levels, and nothing that would keep a lead from it.

The second kind is at levels that go by weights.
"""
WEIGHTS = (1, 1, 2, 3, 5, 10)


@dataclass(frozen=True, slots=True)
class Size:
    """How much happens in the year. Limits are drawn so that they are reached, however few leads come."""

    leads: int = 1_000_000
    providers: int = 200

    @property
    def leads_per_day(self) -> float:
        """Received by one provider, if each lead found three recipients and all had as many."""
        return 3 * self.leads / DAYS_OF_A_YEAR / self.providers


def year_marketplace(size: Size, seed: int) -> Table:
    """The whole marketplace as a marketplace file has it; the same for the same size and seed."""
    dice = random.Random(seed)
    providers = [_provider(number, size, dice) for number in range(size.providers)]
    return {"marketplace": {"currency": "EUR"}, "niche": list(NICHES), "provider": providers}


def _takes_all(number: int) -> Table:
    levels = TAKES_ALL[number % 20]
    slug, level = levels[number // 20 % len(levels)]
    return {
        "email": f"leads@provider-{number:03}.example",
        "name": f"Provider {number:03} takes all",
        "timezone": ZONES[number % len(ZONES)],
        "deposit": [{"external_id": f"opening-{number:03}", "amount_cents": 100_000_000_000}],
        "subscription": [{"niche": slug, "level": level, "weight": 1 + number // 40}],
    }


def _provider(number: int, size: Size, dice: random.Random) -> Table:
    if number % 20 in TAKES_ALL:
        return _takes_all(number)
    zone = ZONES[number % len(ZONES)]
    provider: Table = {
        "email": f"leads@provider-{number:03}.example",
        "name": f"Provider {number:03}",
        "timezone": zone,
        "credit_limit_cents": dice.choice([0, 0, 20_000]),
        "deposit": [{"external_id": f"opening-{number:03}", "amount_cents": dice.choice([50_000, 200_000, 500_000])}],
        "subscription": _subscriptions(zone, size, dice),
    }
    if dice.random() < 0.5:
        provider["limits"] = _limits(size, dice)
    if dice.random() < 0.6:
        provider["schedule"] = _schedule(zone, dice)
    if number < 2 * CONFLICT_GROUPS:
        provider["conflict_group"] = f"Owner {number % CONFLICT_GROUPS:02}"
    return provider


def _subscriptions(zone: str, size: Size, dice: random.Random) -> list[Table]:
    niches = [niche for niche in NICHES if niche["slug"] != NATIONAL or zone in OPEN_IN_EUROPE]
    chosen = [(niche, level) for niche in niches for level in niche["level"] if dice.random() < 0.45]
    if not chosen:
        chosen = [(NICHES[0], NICHES[0]["level"][-1])]
    return [_subscription(niche["slug"], level, size, dice) for niche, level in chosen]


def _subscription(slug: str, level: Table, size: Size, dice: random.Random) -> Table:
    subscription: Table = {"niche": slug, "level": level["name"], "filter": _filter(slug, dice)}
    if level.get("order") == "weighted":
        subscription["weight"] = dice.choice(WEIGHTS)
    if dice.random() < 0.5:
        subscription["limits"] = _limits(size, dice)
    if slug == NATIONAL:
        subscription["schedule"] = {"weekly": [_working_hours(dice)]}
    elif dice.random() < 0.2:
        subscription["schedule"] = {"weekly": [_night(dice)]}
    if dice.random() < 0.1:
        subscription["max_price_cents"] = dice.choice([550, 900, 1_000, 3_000])
    if slug == "solar-panels" and dice.random() < 0.4:
        subscription |= {"filter_version": 2, "filter": _filter_of_version_2(dice)}
    return subscription


def _filter_of_version_2(dice: random.Random) -> list[Table]:
    postcodes = sorted(POSTCODES)
    near = {"table": TABLE, "postcode": dice.choice(postcodes), "km": dice.randrange(40, 160)}
    lists = sorted(dice.sample(postcodes, 150))
    first = dice.randrange(len(postcodes) - 100)
    places: list[Table] = [
        {"field_key": "postcode", "operator": "within_km", "value": near},
        {"field_key": "postcode", "operator": "postcode_starts_with", "value": [f"1{dice.randrange(5)}"]},
        {"field_key": "postcode", "operator": "postcode_in", "value": lists},
        {"field_key": "postcode", "operator": "postcode_between", "value": [postcodes[first], postcodes[first + 99]]},
    ]
    small = {"field_key": "roof_m2", "operator": "lt", "value": dice.randrange(20, 80)}
    unwanted = {"all": [small, {"field_key": "storage", "operator": "eq", "value": False}]}
    return [{"any": dice.sample(places, 2)}, {"not": unwanted}]


def _filter(slug: str, dice: random.Random) -> list[Table]:
    rules: list[Table] = []
    if dice.random() < 0.4:
        regions = sorted(dice.sample(REGIONS, dice.randrange(1, 4)))
        rules.append({"field_key": "region", "operator": "in", "value": regions})
    if dice.random() < 0.4:
        key, lowest, highest = NUMBER_OF[slug]
        rules.append({"field_key": key, "operator": "gte", "value": dice.randrange(lowest, (lowest + highest) // 2)})
    return rules


def _limits(size: Size, dice: random.Random) -> Mapping[str, int]:
    """One to three of the limits, about as large as what comes in their windows."""
    usual = size.leads_per_day
    offered = {
        "leads_per_hour": usual / 6,
        "leads_per_day": usual,
        "leads_per_week": 7 * usual,
        "leads_per_month": 30 * usual,
        "leads_total": 300 * usual,
        "spend_cents_per_day": 1_000 * usual,
        "spend_cents_per_week": 7_000 * usual,
        "spend_cents_per_month": 30_000 * usual,
    }
    chosen = dice.sample(sorted(offered), dice.randrange(1, 4))
    lowest = {name: 6_000 if name.startswith("spend") else 1 for name in chosen}
    return {name: max(lowest[name], round(offered[name] * dice.uniform(0.4, 1.6))) for name in chosen}


def _schedule(zone: str, dice: random.Random) -> Table:
    schedule: Table = {"weekly": [_working_hours(dice)] if dice.random() < 0.8 else [_night(dice)]}
    if zone in HOLIDAYS and dice.random() < 0.5:
        schedule["holidays"] = {"country": HOLIDAYS[zone]}
    if dice.random() < 0.3:
        schedule["dates_off"] = [{"from": "2024-07-15", "to": "2024-07-28"}, "2024-02-29"]
    return schedule


def _working_hours(dice: random.Random) -> Table:
    opens = dice.randrange(6, 11)
    return {"days": list(WORKDAYS), "opens": f"{opens:02}:00", "closes": f"{opens + dice.randrange(8, 13):02}:30"}


def _night(dice: random.Random) -> Table:
    """It crosses midnight, and with it the hours at which clocks are changed."""
    days = [*WORKDAYS, "sat", "sun"]
    return {"days": days, "opens": f"{dice.randrange(16, 22):02}:00", "closes": f"{dice.randrange(4, 10):02}:15"}


if __name__ == "__main__":
    sys.stdout.write(tomli_w.dumps(year_marketplace(Size(), seed=7)))
