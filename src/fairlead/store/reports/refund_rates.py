"""How much of what was sold was given back: by level, by provider and by source."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from fairlead.store.connection import Connection
from fairlead.store.reports.facts import PROVIDERS, SALES
from fairlead.store.reports.names import reported_levels, reported_providers
from fairlead.store.reports.pieces import Cover
from fairlead.store.reports.totals import totals

RefundGroup = Literal["level", "provider", "source"]


@dataclass(frozen=True, slots=True)
class RefundRate:
    """The assignments of some days of a level, a provider or a source, and those of them that are refunded by now.

    `key` is the id of the level or provider, and the source itself, "" for none. `niche` is that of a level, else "".
    """

    group: RefundGroup
    key: str
    name: str
    niche: str
    assignments: int
    gross_cents: int
    refunded_count: int
    refunded_cents: int

    @property
    def refund_rate(self) -> float:
        """Refunded of the assignments."""
        return self.refunded_count / self.assignments


def refund_rates(conn: Connection, covered: Cover) -> list[RefundRate]:
    """Of every level, then provider, then source with an assignment in the days: the highest rate first."""
    by_level = totals(conn, covered, SALES, ("keys[1]",))
    by_provider = totals(conn, covered, PROVIDERS, ("keys[1]",))
    by_source = totals(conn, covered, SALES, ("keys[2]",))
    levels, names = reported_levels(conn), reported_providers(conn, covered, [key for (key,) in by_provider])
    return [
        *_in_order(
            _rate("level", key, levels[key].level_name, levels[key].niche, counts)
            for (key,), counts in by_level.items()
        ),
        *_in_order(_rate("provider", key, names[key], "", counts) for (key,), counts in by_provider.items()),
        *_in_order(_rate("source", key, key, "", counts) for (key,), counts in by_source.items()),
    ]


def _rate(group: RefundGroup, key: str, name: str, niche: str, counts: Sequence[int]) -> RefundRate:
    made, gross_cents, _, _, _, _, _, refunded, cents = counts
    return RefundRate(group, key, name, niche, made, gross_cents, refunded, cents)


def _in_order(rates: Iterable[RefundRate]) -> list[RefundRate]:
    return sorted(rates, key=lambda each: (-each.refund_rate, -each.refunded_count, each.niche, each.name, each.key))
