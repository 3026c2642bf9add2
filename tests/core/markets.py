"""Random niches, small enough that their providers collide: at levels, in money, in filters and in the queue."""

import random
from dataclasses import dataclass, field

from hypothesis import strategies as st

from fairlead.core.canonical import JsonObject
from fairlead.core.configuration_entries import level_payload, niche_payload, provider_payload, subscription_payload
from fairlead.core.journal import JournalEntryKind
from fairlead.core.model import (
    LEAST_RECENTLY_SERVED,
    WEIGHTED,
    Balance,
    Level,
    ProviderTerms,
    Subscription,
    filter_text,
)
from fairlead.core.prices import price_rules_text
from fairlead.core.weighted import LevelPass
from tests.core.history import EVERY_LEAD, FORM, History, id_of


def wants(*rules: tuple[str, str, object]) -> JsonObject:
    """A filter of these (field, operator, value) rules."""
    keys = ("field_key", "operator", "value")
    return {"version": 1, "rules": [dict(zip(keys, rule, strict=True)) for rule in rules]}


DOCUMENTS: list[JsonObject] = [
    EVERY_LEAD,
    EVERY_LEAD,
    EVERY_LEAD,
    EVERY_LEAD,
    wants(("age", "gte", 30)),
    wants(("job", "in", ["nurse", "cook"])),
    wants(("age", "between", [18, 40]), ("job", "neq", "pilot")),
    wants(("height", "gte", 30)),
]
"""The last asks for a field that the form does not have."""
FILTERS = [filter_text(document) for document in DOCUMENTS]

ATTRIBUTES: list[JsonObject] = [
    {},
    {"age": 20, "job": "cook"},
    {"age": 30, "job": "pilot"},
    {"age": 40, "job": "nurse"},
    {"age": 41},
]


GROUPS = [id_of("group", 1), id_of("group", 2)]


@dataclass(frozen=True, slots=True)
class Market:
    """A niche as plain data: `statuses` and `balances` by provider, `served` by subscription, oldest first."""

    levels: tuple[Level, ...]
    statuses: dict[str, str]
    balances: dict[str, Balance]
    subscriptions: tuple[Subscription, ...]
    served: dict[str, int]
    pointer: int
    most_recipients: int | None = None
    groups: dict[str, str] = field(default_factory=dict[str, str])
    """The conflict groups by provider."""
    passes: dict[str, int] = field(default_factory=dict[str, int])
    """Of subscriptions that were served: the own passes."""
    level_passes: dict[str, tuple[int, int, int]] = field(default_factory=dict[str, tuple[int, int, int]])
    """Where weighted levels stand: the highest pass that was served, where the niche stood then, the longest stride."""


AGES = [0, 59, 60, 61, 600]
"""How old leads are, in minutes."""
PRICE_RULES: list[JsonObject] = [
    {"name": "no nurses", "price_cents": 150, "filter": wants(("job", "neq", "nurse"))},
    {"name": "grown up", "price_cents": 400, "filter": wants(("age", "gte", 30))},
    {"name": "unfit", "price_cents": 50, "filter": wants(("height", "gte", 30))},
    {"name": "fresh", "price_cents": 250, "lead_age_minutes": {"below": 60}},
    {"name": "older", "price_cents": 90, "lead_age_minutes": {"from": 60, "below": 600}},
    {
        "name": "older cooks",
        "price_cents": 60,
        "lead_age_minutes": {"from": 60},
        "filter": wants(("job", "eq", "cook")),
    },
]
_price_rules = st.one_of(
    st.none(),
    st.lists(st.sampled_from(PRICE_RULES), max_size=3, unique_by=lambda rule: str(rule["name"])).map(
        lambda rules: price_rules_text({"version": 1, "rules": rules})
    ),
)


def _levels(count: int) -> st.SearchStrategy[tuple[Level, ...]]:
    row = st.tuples(
        st.integers(1, 9),
        st.sampled_from([100, 200, 300]),
        st.integers(1, 3),
        st.sampled_from([True, True, True, False]),
        st.sampled_from([False, False, False, False, True]),
        _price_rules,
        st.sampled_from([LEAST_RECENTLY_SERVED, LEAST_RECENTLY_SERVED, WEIGHTED]),
    )
    return st.lists(row, min_size=count, max_size=count, unique_by=lambda row: row[0]).map(
        lambda rows: tuple(
            Level(
                id_of("level", number),
                f"L{position}",
                price,
                1 if is_exclusive else most,
                position,
                is_active,
                is_exclusive,
                price_rules,
                order=order,
            )
            for number, (position, price, most, is_active, is_exclusive, price_rules, order) in enumerate(rows)
        )
    )


@st.composite
def markets(draw: st.DrawFn) -> Market:
    """Any niche. Some of its money is short, some of its providers and subscriptions are inactive or invalid."""
    own_levels = draw(st.sampled_from([3, 2, 4, 3, 2, 1, 0]).flatmap(_levels))
    count = draw(st.sampled_from([5, 8, 6, 3, 7, 1, 0]))
    numbers = draw(st.lists(st.integers(0, 40), min_size=count, max_size=count, unique=True))
    providers = [id_of("provider", number) for number in numbers]
    cents = st.sampled_from([10_000, 600, 300, 250, 100, 99, 0])
    balance = st.builds(Balance, cents, st.sampled_from([0, 0, 150]), st.just(3))
    subscriptions: list[Subscription] = []
    for provider_id in providers:
        for level in own_levels:
            if draw(st.integers(0, 3)) == 3:
                continue
            state = draw(st.sampled_from(["active"] * 8 + ["paused", "insufficient_funds"]))
            subscription = Subscription(
                subscription_id=id_of("subscription", 1000 - len(subscriptions)),
                provider_id=provider_id,
                level_id=level.level_id,
                is_active=state == "active",
                deactivation_reason=None if state == "active" else state,
                filter_text=draw(st.sampled_from(FILTERS)),
                filter_is_valid=draw(st.integers(0, 11)) < 11,
                max_price_cents=draw(st.sampled_from([None, None, None, 99, 100, 250])),
                weight=draw(st.sampled_from([1, 1, 2, 3, 100])),
            )
            subscriptions.append(subscription)
    waiting = draw(st.permutations([s.subscription_id for s in subscriptions]))
    served = waiting[: draw(st.integers(0, len(waiting)))]
    return Market(
        own_levels,
        {provider_id: draw(st.sampled_from(["active"] * 10 + ["suspended", "pending"])) for provider_id in providers},
        {provider_id: draw(balance) for provider_id in providers},
        tuple(subscriptions),
        {subscription_id: seq for seq, subscription_id in enumerate(served, start=1)},
        draw(st.integers(1, 11)),
        draw(st.sampled_from([None, None, 1, 2, 3])),
        {each: draw(st.sampled_from(GROUPS)) for each in providers if draw(st.integers(0, 3)) == 3},
        {each: draw(st.integers(0, 9)) for each in served},
        {
            level.level_id: (draw(st.integers(0, 9)), draw(st.integers(0, len(served))), draw(st.integers(1, 4)))
            for level in own_levels
            if level.is_weighted and draw(st.booleans())
        },
    )


attributes = st.sampled_from(ATTRIBUTES)
ages = st.sampled_from(AGES)


def opened(market: Market) -> History:
    """The market with its configuration written, and its order and pointer as if it had been running before."""
    history = History()
    contents = [(JournalEntryKind.NICHE, niche_payload("loans", "Loans", True, FORM, market.most_recipients))]
    contents += [(JournalEntryKind.LEVEL, level_payload(level, is_deleted=False)) for level in market.levels]
    contents += [
        (
            JournalEntryKind.PROVIDER,
            provider_payload(own_id, status, ProviderTerms(conflict_group_id=market.groups.get(own_id))),
        )
        for own_id, status in market.statuses.items()
    ]
    contents += [
        (JournalEntryKind.SUBSCRIPTION, subscription_payload(subscription, is_deleted=False))
        for subscription in market.subscriptions
    ]
    history.write(*contents)
    history.balances |= market.balances
    return history


def staged(market: Market) -> History:
    """The market as `opened`, with its served order and its pointer set by hand: not a history to replay."""
    history = opened(market)
    for subscription_id, served_seq in market.served.items():
        history.roster.set_served(subscription_id, served_seq)
    for subscription_id, pass_value in market.passes.items():
        history.roster.set_pass(subscription_id, pass_value)
    for level_id, level_pass in market.level_passes.items():
        history.roster.set_level_pass(level_id, LevelPass(*level_pass))
    head = history.roster.head
    history.roster.head = type(head)(head.seq, head.hash, market.pointer, len(market.served))
    return history


def busy_history(seed: int, providers: int = 40, leads: int = 60) -> History:
    """A niche that has seen some trade: three levels, money that runs out, filters that differ."""
    dice = random.Random(seed)
    own_levels = tuple(
        Level(id_of("level", number), f"L{position}", price, most, position, True)
        for number, (position, price, most) in enumerate([(2, 300, 1), (5, 200, 2), (9, 100, 3)])
    )
    numbers = dice.sample(range(1000), providers)
    names = [id_of("provider", number) for number in numbers]
    subscriptions = [
        Subscription(
            id_of("subscription", dice.randrange(1 << 40)), name, level.level_id, True, None, dice.choice(FILTERS), True
        )
        for name in names
        for level in own_levels
        if dice.random() < 0.7
    ]
    statuses = {name: "suspended" if dice.random() < 0.1 else "active" for name in names}
    balances = {name: Balance(dice.choice([0, 150, 400, 900, 2_000]), dice.choice([0, 200]), 1) for name in names}
    history = opened(Market(own_levels, statuses, balances, tuple(subscriptions), {}, 1))
    for _ in range(leads):
        history.distribute(history.lead(dice.choice(ATTRIBUTES)))
    return history
