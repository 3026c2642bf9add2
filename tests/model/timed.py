"""Time that passes, and what depends on it: limits, schedules, price rules, the most that a provider pays.

The clock is set and never slept on: to right before a window turns or hours begin, to that instant, and further.
"""

from dataclasses import replace
from datetime import date, datetime, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from fairlead.store.simulated_clock import SimulatedClock
from tests.model.local_time import Schedule, Span, Terms, takes_leads, window
from tests.model.model import Subscription
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
BY_DAY: tuple[Span, ...] = ((WEEK, 9 * 60, 17 * 60),)
BY_NIGHT: tuple[Span, ...] = ((WEEK, 22 * 60 + 30, 2 * 60 + 15),)
SCHEDULES = [
    *[None, None],
    Schedule(BY_DAY),
    Schedule(BY_NIGHT),
    Schedule(((WEEK, 0, 90), ((5, 6), 12 * 60, 24 * 60))),
    Schedule(holidays="DE-BW"),
    Schedule(BY_NIGHT, holidays="DE"),
    Schedule(off=((date(2026, 3, 28), date(2026, 3, 28)), (date(2026, 10, 24), date(2026, 11, 2)))),
    Schedule(BY_NIGHT, off=((date(2026, 4, 4), date(2026, 4, 5)), (date(2026, 10, 3), date(2026, 10, 3)))),
]
BUT_NOT_THEN = (Schedule(BY_DAY), Schedule(((WEEK, 17 * 60, 9 * 60),)))
"""At any moment one of them is open, and the other is not."""
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
terms = st.builds(Terms, st.sampled_from(LIMITS), st.sampled_from(SCHEDULES))


class Timed(Together):
    """The rules of the machine about time."""

    clock: SimulatedClock

    def set_time(self, moment: datetime) -> None:
        """It is that moment, for both. Set where it stands, the clock would go back by its ticks."""
        if moment != self.model.now:
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
        self._apply_terms(provider, own)

    def _apply_terms(self, provider: str, own: Terms) -> None:
        self.apply([], [{"email": email_of(provider), **timed(own)}])
        self.model.providers[provider].terms = own

    @rule(pick=st.integers(0, 40), own=terms, most=st.sampled_from([None, None, None, 300, 150]))
    def limit_subscription(self, pick: int, own: Terms, most: int | None) -> None:
        if subscription := self._picked(pick):
            self._agree(subscription, own, most)

    def _picked(self, pick: int) -> Subscription | None:
        living = list(self.model.living())
        return living[pick % len(living)] if living else None

    def _agree(self, subscription: Subscription, own: Terms, most: int | None) -> None:
        words = subscription_to(subscription.level, **timed(own), max_price_cents=most or 0)
        self.apply([], [{"email": email_of(subscription.provider), "subscription": [words]}])
        self.model.agree(subscription, own, most)

    @rule(pick=st.integers(0, 40), is_own_open=st.booleans(), age=st.sampled_from([None, 40]))
    def contradict(self, pick: int, is_own_open: bool, age: int | None) -> None:
        """A subscription is open while its provider is not, or the other way round; and a lead comes."""
        if subscription := self._picked(pick):
            provider = self.model.providers[subscription.provider]
            shut, opened = sorted(BUT_NOT_THEN, key=lambda each: takes_leads(each, self.model.now, provider.zone))
            own, others = (opened, shut) if is_own_open else (shut, opened)
            self._apply_terms(subscription.provider, replace(provider.terms, schedule=others))
            self._agree(subscription, replace(subscription.terms, schedule=own), subscription.pays_at_most)
            self._sell(subscription.level.niche, [age], 0)

    @rule(pick=st.integers(0, 40), period=st.sampled_from(["day", "day", "week", "month"]))
    def sell_around_a_turn(self, pick: int, period: str) -> None:
        """One lead is allowed in the window; one comes right before it turns, and one at that instant."""
        if subscription := self._picked(pick):
            self._agree(subscription, Terms(((f"leads_per_{period}", 1),)), None)
            found = window(period, self.model.now, self.model.providers[subscription.provider].zone)
            assert found is not None
            for early in (timedelta(seconds=1), timedelta(0)):
                self.set_time(max(self.model.now, found[1] - early))
                self._sell(subscription.level.niche, [40], 0)

    def _sell(self, niche: str, ages: list[int | None], who: int) -> None:
        raise NotImplementedError

    @rule(pick=st.integers(0, 40), of_provider=st.booleans(), jump=JUMPS)
    def pause_until(self, pick: int, of_provider: bool, jump: timedelta) -> None:
        """No leads are taken before that moment."""
        if subscription := self._picked(pick):
            until = self.model.now + jump
            provider = self.model.providers[subscription.provider]
            if of_provider:
                schedule = replace(provider.terms.schedule or Schedule(), paused_until=until)
                self._apply_terms(subscription.provider, replace(provider.terms, schedule=schedule))
            else:
                schedule = replace(subscription.terms.schedule or Schedule(), paused_until=until)
                own = replace(subscription.terms, schedule=schedule)
                self._agree(subscription, own, subscription.pays_at_most)

    @rule(early=st.sampled_from([timedelta(0), timedelta(seconds=1)]))
    def wait_for_the_end_of_a_pause(self, early: timedelta) -> None:
        """It is when the first pause that is known ends, or right before."""
        all_terms = [each.terms for each in (*self.model.providers.values(), *self.model.living())]
        ends = [each.schedule.paused_until for each in all_terms if each.schedule is not None]
        ahead = [until for until in ends if until is not None and until > self.model.now]
        if ahead:
            self.set_time(max(self.model.now, min(ahead) - early))

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
