"""What it costs to ask a niche's filters about a lead: version 1 of the language against version 2, side by side.

Every language has as many subscriptions. A round asks each index about the same leads, in turn, by processor time, so
that what else the machine does touches all alike. What an index finds is held against the filters asked one by one.
"""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from pyroaring import BitMap

from fairlead.core.canonical import JsonObject
from fairlead.core.filters.filter import compile_filter
from fairlead.core.filters.index import FilterIndex
from fairlead.core.form_field import Field, FieldType, FormSchema

REGIONS = tuple(f"region-{number}" for number in range(20))
FORM = FormSchema(
    (
        Field("age", "Age", FieldType.NUMBER),
        Field("region", "Region", FieldType.SELECT, options=REGIONS),
        Field("zip", "Postcode", FieldType.TEXT),
        Field("place", "Place", FieldType.TEXT),
    )
)
POSTCODES = 40_000


@dataclass(frozen=True, slots=True)
class FiltersEffort:
    """How many subscriptions, how many leads a round, how often, and how many lists of how many postcodes there are."""

    subscriptions: Sequence[int] = (100, 1_000, 10_000)
    leads: int = 200
    rounds: int = 7
    lists: int = 100
    list_values: int = 10_000
    seed: int = 1


@dataclass(frozen=True, slots=True)
class MeasuredFilters:
    """One language at one size: seconds of building all and of one lead in each round, and the share that matched."""

    language: str
    subscriptions: int
    build_seconds: float
    lead_seconds: tuple[float, ...]
    matched_share: float


def measure_filters(effort: FiltersEffort) -> list[MeasuredFilters]:
    """Every language at each size. Raises AssertionError where an index and the filters disagree."""
    return [each for size in effort.subscriptions for each in _measure(size, effort)]


def _measure(size: int, effort: FiltersEffort) -> list[MeasuredFilters]:
    dice = random.Random(effort.seed)
    leads = [_lead(dice) for _ in range(effort.leads)]
    every_slot = BitMap(range(size))
    built: dict[str, tuple[FilterIndex, float]] = {}
    shares: dict[str, float] = {}
    for language, make in _languages(dice, effort).items():
        filters = [make() for _ in range(size)]
        index, started = FilterIndex(), time.process_time()
        read: dict[int, Any] = {}
        for slot, raw in enumerate(filters):
            compiled = read.setdefault(id(raw), None) or compile_filter(raw, FORM)
            read[id(raw)] = compiled
            index.put(slot, compiled)
        built[language] = index, time.process_time() - started
        hits = [index.matching(lead, every_slot).tolist() for lead in leads]
        shares[language] = sum(map(len, hits)) / (size * len(leads))
        for lead, found in zip(leads[:5], hits, strict=False):
            one_by_one = [slot for slot, raw in enumerate(filters) if read[id(raw)].accepts(lead)]
            assert found == one_by_one, f"{language}: the index and the filters disagree"
    seconds: dict[str, list[float]] = {language: [] for language in built}
    for _ in range(effort.rounds):
        for language, (index, _) in built.items():
            started = time.process_time()
            for lead in leads:
                index.matching(lead, every_slot)
            seconds[language].append((time.process_time() - started) / len(leads))
    return [
        MeasuredFilters(language, size, built[language][1], tuple(own), shares[language])
        for language, own in seconds.items()
    ]


def _lead(dice: random.Random) -> dict[str, object]:
    return {
        "age": dice.randint(18, 77),
        "region": dice.choice(REGIONS),
        "zip": f"{dice.randrange(POSTCODES):05}",
        "place": f"{dice.uniform(47, 55):.5f}, {dice.uniform(6, 15):.5f}",
    }


def _rule(field_key: str, operator: str, value: object) -> dict[str, object]:
    return {"field_key": field_key, "operator": operator, "value": value}


def _languages(dice: random.Random, effort: FiltersEffort) -> Mapping[str, Callable[[], JsonObject]]:
    codes = [f"{number:05}" for number in range(POSTCODES)]
    lists = [sorted(dice.sample(codes, effort.list_values)) for _ in range(effort.lists)]
    listed = [_of(2, _rule("zip", "postcode_in", values), _rule("age", "gte", 30)) for values in lists]

    def age() -> dict[str, object]:
        low = dice.randint(18, 60)
        return _rule("age", "between", [low, low + dice.randint(5, 30)])

    def region() -> dict[str, object]:
        return _rule("region", "in", sorted(dice.sample(REGIONS, dice.randint(1, 8))))

    def circle() -> dict[str, object]:
        point = [round(dice.uniform(47, 55), 4), round(dice.uniform(6, 15), 4)]
        return _rule("place", "within_km", {"point": point, "km": dice.choice([25, 50, 100, 300])})

    def start() -> dict[str, object]:
        return _rule("zip", "postcode_starts_with", sorted({f"{dice.randrange(400):03}" for _ in range(20)}))

    def mixed() -> JsonObject:
        either = {"any": [{"all": [region(), age()]}, start(), {"all": [circle(), age()]}]}
        return _of(2, either, {"not": {"all": [region(), age()]}})

    return {
        "version 1": lambda: _of(1, region(), age()),
        "the same as version 2": lambda: _of(2, region(), age()),
        "starts of postcodes": lambda: _of(2, start(), age()),
        f"{effort.lists} lists of {effort.list_values:,}": lambda: dice.choice(listed),
        "distances": lambda: _of(2, circle(), age()),
        "any, all and not": mixed,
    }


def _of(version: int, *rules: object) -> JsonObject:
    return {"version": version, "rules": [*rules]}


def filters_as_json(measured: Sequence[MeasuredFilters], effort: FiltersEffort) -> dict[str, Any]:
    """Medians of the rounds, and how many times those of version 1 they are at the same size."""
    first = {each.subscriptions: median(each.lead_seconds) for each in measured if each.language == "version 1"}
    return {
        "effort": asdict(effort),
        "filters": [
            {
                "language": each.language,
                "subscriptions": each.subscriptions,
                "lead_us": median(each.lead_seconds) * 1e6,
                "to_version_1": median(each.lead_seconds) / first[each.subscriptions],
                "build_us_per_subscription": each.build_seconds / each.subscriptions * 1e6,
                "matched_share": each.matched_share,
            }
            for each in measured
        ],
    }


def filters_as_markdown(report: Mapping[str, Any]) -> str:
    """One row for each language and size."""
    lines = [
        "| subscriptions | filters | a lead | to version 1 | to build, each | match |",
        "|--:|:--|--:|--:|--:|--:|",
    ]
    for each in report["filters"]:
        lines.append(
            f"| {each['subscriptions']:,} | {each['language']} | {each['lead_us']:,.0f} µs "
            f"| {each['to_version_1']:,.2f} | {each['build_us_per_subscription']:,.0f} µs "
            f"| {each['matched_share'] * 100:,.1f} % |"
        )
    return "\n".join(lines)
