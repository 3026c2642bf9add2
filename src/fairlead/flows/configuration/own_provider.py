"""A provider's own row as it sees it, and the little of it that it changes itself."""

from dataclasses import dataclass, replace

from fairlead.core.errors import Refused
from fairlead.flows.configuration.providers import locked_provider
from fairlead.flows.configuration.versions import (
    UNCHANGED,
    Changed,
    Unchanged,
    given,
    provider_version,
    require_version,
)
from fairlead.flows.declaring.provider_events import provider_events
from fairlead.flows.input_types import canonical_values
from fairlead.store.audit.log import Actor, append_audit
from fairlead.store.configuration.lookups import provider_row
from fairlead.store.configuration.rows import ProviderRow
from fairlead.store.configuration.writes import write_own_profile
from fairlead.store.connection import Connection, Database
from fairlead.store.leads.rows import clock
from fairlead.store.lookups import checked_id, marketplace_currency


@dataclass(frozen=True, slots=True)
class OwnProfile:
    """A provider as it was a moment ago, its opaque version, and the currency of its amounts."""

    row: ProviderRow
    version: str
    currency: str


@dataclass(frozen=True, slots=True)
class OwnProfileChange:
    """What a provider changes of itself. A threshold of None, days of None: it is not told of a low balance by it. A
    language of None: it is written to in English."""

    low_balance_threshold_cents: int | Unchanged | None = UNCHANGED
    low_balance_days: int | Unchanged | None = UNCHANGED
    language: str | Unchanged | None = UNCHANGED


def read_own_profile(database: Database, provider_id: str) -> OwnProfile:
    """The provider. Raises `BadInput`, and `Refused`: `provider_unknown`."""
    checked = checked_id(provider_id, "provider")
    with database.snapshot() as conn:
        row = provider_row(conn, checked)
        if row is None:
            raise Refused("provider_unknown", f"there is no provider {checked}")
        return OwnProfile(row, provider_version(row), marketplace_currency(conn))


def change_own_profile(
    database: Database,
    provider_id: str,
    change: OwnProfileChange,
    actor: Actor,
    *,
    expected_version: str | None = None,
) -> Changed[ProviderRow]:
    """The provider is as the change says: it is told once its balance falls below that many cents, or lasts for fewer
    days than that, in that language.

    Name, address, time zone and credit limit are the operators' to change. Audited, unless nothing changes. Locks the
    provider. Raises `BadInput`, and `Refused`: `provider_unknown`, `version_conflict`.
    """
    checked, wanted = checked_id(provider_id, "provider"), canonical_values(given(change))

    def work(conn: Connection) -> Changed[ProviderRow]:
        before = locked_provider(conn, checked)
        after = replace(before, **wanted)
        if after == before:
            return Changed(before, provider_version(before), took_effect=False)
        require_version(expected_version, provider_version(before), "the provider")
        write_own_profile(conn, after)
        append_audit(conn, provider_events(actor, before, after), clock(conn))
        return Changed(after, provider_version(after), took_effect=True)

    return database.run(work)
