"""Looking at one thing together with the version that a change of it may name. Nothing is locked."""

from dataclasses import dataclass
from typing import Generic

from fairlead.core.clauses import Clause, clause_text
from fairlead.core.errors import Refused
from fairlead.core.filters.filter import filter_clause
from fairlead.core.form import FormSchema
from fairlead.core.subscription import readable_form
from fairlead.flows.configuration.versions import (
    Row,
    form_version,
    level_version,
    niche_version,
    order_version,
    provider_version,
    subscription_version,
)
from fairlead.store.configuration.form_schema_versions import newest_form_schema
from fairlead.store.configuration.lookups import level_row, provider_row, subscription_keys
from fairlead.store.configuration.rows import (
    LevelRow,
    NicheRow,
    ProviderRow,
    SubscriptionRow,
    level_rows,
    niche_rows,
    subscription_rows,
)
from fairlead.store.connection import Connection, Database
from fairlead.store.lookups import checked_id


@dataclass(frozen=True, slots=True)
class Seen(Generic[Row]):
    """A thing as it was a moment ago, and its opaque version."""

    row: Row
    version: str


@dataclass(frozen=True, slots=True)
class SeenNiche:
    """A niche with its living levels in their order, and the versions of it, of its form and of that order.

    `form_number` counts the versions that its form had.
    """

    row: NicheRow
    version: str
    form_version: str
    form_number: int
    levels: tuple[LevelRow, ...]
    order_version: str


@dataclass(frozen=True, slots=True)
class SeenSubscription:
    """A subscription, its opaque version, and its filter in plain words, in the parts that pages translate."""

    row: SubscriptionRow
    version: str
    filter_clause: Clause

    @property
    def filter_summary(self) -> str:
        """The filter in English."""
        return clause_text(self.filter_clause)


def read_niche(database: Database, niche_id: str) -> SeenNiche:
    """The niche. Raises `Refused`: `niche_unknown`."""
    checked = checked_id(niche_id, "niche")
    with database.snapshot() as conn:
        for row in niche_rows(conn, [checked]):
            newest = newest_form_schema(conn, checked)
            levels = sorted(level_rows(conn, [checked]), key=lambda level: level.level.order_position)
            versions = (niche_version(row), form_version(row))
            number = 1 if newest is None else newest.version
            return SeenNiche(row, *versions, number, tuple(levels), order_version(checked, levels))
    raise Refused("niche_unknown", f"there is no niche {checked}")


def read_level(database: Database, level_id: str) -> Seen[LevelRow]:
    """The level, living or deleted. Raises `Refused`: `level_unknown`."""
    checked = checked_id(level_id, "level")
    with database.snapshot() as conn:
        row = level_row(conn, checked)
    if row is None:
        raise Refused("level_unknown", f"there is no level {checked}")
    return Seen(row, level_version(row))


def read_provider(database: Database, provider_id: str) -> Seen[ProviderRow]:
    """The provider. Raises `Refused`: `provider_unknown`."""
    checked = checked_id(provider_id, "provider")
    with database.snapshot() as conn:
        row = provider_row(conn, checked)
    if row is None:
        raise Refused("provider_unknown", f"there is no provider {checked}")
    return Seen(row, provider_version(row))


def read_subscription(database: Database, subscription_id: str, *, of_provider_id: str | None) -> SeenSubscription:
    """The subscription, living or ended; with a provider's id only its own.

    Raises `Refused`: `subscription_unknown`.
    """
    checked = checked_id(subscription_id, "subscription")
    owner_id = None if of_provider_id is None else checked_id(of_provider_id, "provider")
    with database.snapshot() as conn:
        keys = subscription_keys(conn, checked, owner_id)
        if keys is None:
            raise Refused("subscription_unknown", f"there is no subscription {checked}")
        rows = _subscriptions(conn, keys.provider_id)
    return next(seen for seen in rows if seen.row.subscription.subscription_id == checked)


def subscriptions_of(database: Database, provider_id: str, *, with_ended: bool = False) -> list[SeenSubscription]:
    """All living subscriptions of the provider, by id, and with `with_ended` also those that it left."""
    checked = checked_id(provider_id, "provider")
    with database.snapshot() as conn:
        return [seen for seen in _subscriptions(conn, checked) if with_ended or not seen.row.is_deleted]


def _subscriptions(conn: Connection, provider_id: str) -> list[SeenSubscription]:
    rows = subscription_rows(conn, [provider_id], [], [])
    niches = niche_rows(conn, sorted({row.niche_id for row in rows}))
    forms = {niche.niche_id: readable_form(niche.form_schema) or FormSchema() for niche in niches}
    return [
        SeenSubscription(
            row,
            subscription_version(row),
            filter_clause(row.subscription.filter_rules, forms[row.niche_id]),
        )
        for row in rows
    ]
