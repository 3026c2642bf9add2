"""Time that passes, and what depends on it: limits, schedules, price rules, the most that a provider pays.

The clock is set and never slept on: to right before a window turns or hours begin, to that instant, and further.
"""

from datetime import datetime, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from fairlead.store.simulated_clock import SimulatedClock
from tests.model.local_time import Span, Terms, window
from tests.model.money_by_hand import providers
from tests.model.prices import PriceRule
from tests.model.together import Together
from tests.model.words import email_of, price_rules_of, subscription_to, timed

ZONES = ("Europe/Berlin", "Australia/Lord_Howe", "America/Havana", "Asia/Kolkata")
"""Clocks that move by an hour, by half an hour, at midnight so that it comes twice; and half an hour off the hour."""

BEGINNINGS = (
    # The last evening before clocks are put forward, and back: in Berlin, on Lord Howe Island, in Havana.
    *("2026-03-28T18:00", "2026-10-24T18:00", "2026-04-04T09:00", "2026-10-03T09:00", "2026-03-08T00:00"),
    # Here midnight comes twice.
    *("2026-10-31T22:00", "2026-11-01T04:20"),
    # A leap day, the end of a month of 31 days before one of 28, the end of a year.
    *("2028-02-28T17:00", "2026-01-31T12:00", "2026-12-31T10:00"),
)
WEEK = (0, 1, 2, 3, 4, 5, 6)
HOURS: list[tuple[Span, ...] | None] = [
    *[None, None],
    ((WEEK, 9 * 60, 17 * 60),),
    ((WEEK, 22 * 60 + 30, 2 * 60 + 15),),
    ((WEEK, 0, 90), ((5, 6), 12 * 60, 24 * 60)),
]
LIMITS: list[tuple[tuple[str, int], ...]] = [
    *[(), ()],
    (("leads_per_hour", 1),),
    (("leads_per_day", 2),),
    (("leads_per_week", 2),),
    (("leads_per_month", 3),),
    (("leads_total", 2),),
    (("spend_cents_per_day", 700),),
    (("leads_per_hour", 2), ("spend_cents_per_week", 600)),
    (("leads_per_day", 1), ("spend_cents_per_month", 1000)),
]
FRESH_MINUTES = 37
"""No two moments of a day lie exactly so far apart."""
PRICE_RULES: list[PriceRule] = [
    PriceRule(500, least_age=45),
    PriceRule(50, from_minutes=FRESH_MINUTES),
    PriceRule(400, below_minutes=FRESH_MINUTES, least_age=30),
    PriceRule(150, hours=((WEEK, 0, 90),), zone="America/Havana"),
    PriceRule(600, hours=(((5, 6), 1 * 60 + 30, 3 * 60),), zone="America/Havana"),
]
JUMPS = st.sampled_from([timedelta(minutes=minutes) for minutes in (29, 61, 300, 23 * 60, 25 * 60, 8 * 24 * 60)])
terms = st.builds(Terms, st.sampled_from(LIMITS), st.sampled_from(HOURS))


class Timed(Together):
    """The rules of the machine about time."""

    clock: SimulatedClock

    def set_time(self, moment: datetime) -> None:
        """It is that moment, for both."""
        self.clock.set(moment)
        self.model.now = moment

    @rule(jump=JUMPS)
    def wait(self, jump: timedelta) -> None:
        self.set_time(self.model.now + jump)

    @precondition(lambda self: self.model.providers)
    @rule(
        provider=providers,
        period=st.sampled_from(["hour", "day", "day", "week", "month"]),
        early=st.sampled_from([timedelta(0), timedelta(seconds=1)]),
    )
    def wait_for_a_window(self, provider: str, period: str, early: timedelta) -> None:
        """It is when the provider's window turns, or right before."""
        if found := window(period, self.model.now, self.model.providers[provider].zone):
            self.set_time(max(self.model.now, found[1] - early))

    @rule(provider=providers, own=terms)
    def limit_provider(self, provider: str, own: Terms) -> None:
        """Over all niches."""
        self.apply([], [{"email": email_of(provider), **timed(own)}])
        self.model.providers[provider].terms = own

    @rule(pick=st.integers(0, 40), own=terms, most=st.sampled_from([None, None, None, 300, 150]))
    def limit_subscription(self, pick: int, own: Terms, most: int | None) -> None:
        living = list(self.model.living())
        if living:
            subscription = living[pick % len(living)]
            words = subscription_to(subscription.level, **timed(own), max_price_cents=most or 0)
            self.apply([], [{"email": email_of(subscription.provider), "subscription": [words]}])
            self.model.agree(subscription, own, most)

    @rule(provider=providers, zone=st.sampled_from(ZONES))
    def move(self, provider: str, zone: str) -> None:
        """To where clocks show another time."""
        self.apply([], [{"email": email_of(provider), "timezone": zone}])
        self.model.providers[provider].zone = zone

    @rule(pick=st.integers(0, 11), rules=st.lists(st.sampled_from(PRICE_RULES), max_size=3, unique=True))
    def rule_prices(self, pick: int, rules: list[PriceRule]) -> None:
        living = list(self.model.levels.values())
        if living:
            level = living[pick % len(living)]
            asks_age = self.model.niches[level.niche].asks_age
            own = tuple(each for each in rules if asks_age or each.least_age is None)
            told = {"name": level.name, "price_rules": price_rules_of(own)}
            self.apply([{"slug": level.niche, "level": [told]}], [])
            self.model.price_level(level.name, level.price, own)
