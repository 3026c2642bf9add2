"""The marketplace's own: the currency of all its amounts."""

from collections.abc import Sequence
from dataclasses import dataclass

from fairlead.core.errors import Refused
from fairlead.flows.configuration.versions import require_version, setting_version
from fairlead.flows.input_types import canonical_values
from fairlead.flows.niche_locks import with_niche_locks
from fairlead.store.audit.log import Actor, AuditEvent, append_audit
from fairlead.store.configuration.rows import DEFAULT_CURRENCY, change_currency, lock_marketplace, niche_ids_of
from fairlead.store.connection import Connection, Database
from fairlead.store.journal import lock_niches
from fairlead.store.leads.rows import clock
from fairlead.store.lookups import marketplace_currency

_MARKETPLACE = "marketplace"


@dataclass(frozen=True, slots=True)
class MarketplaceSettings:
    """What holds for the whole marketplace, and its opaque version. `took_effect` is False where it was so before."""

    currency: str
    version: str
    took_effect: bool = False


def read_marketplace(database: Database) -> MarketplaceSettings:
    """What holds for the whole marketplace now; EUR until a currency was declared."""
    return _settings(database.read(marketplace_currency))


def change_marketplace(
    database: Database, currency: str, actor: Actor, *, memo: str | None = None, expected_version: str | None = None
) -> MarketplaceSettings:
    """All amounts are in this currency. They keep their numbers: 500 cents of the one are 500 of the other.

    Possible until money was moved for the first time. Locks the marketplace's row, then all niches. Raises `BadInput`
    and `Refused`: `currency_in_use`, `version_conflict`.
    """
    memo = canonical_values({"currency": currency, "memo": memo})["memo"]

    def work(conn: Connection, _: Sequence[str]) -> MarketplaceSettings:
        before, _is_new = lock_marketplace(conn, DEFAULT_CURRENCY, may_change=False)
        if before == currency:
            return _settings(before)
        require_version(expected_version, _settings(before).version, "the marketplace")
        lock_marketplace(conn, currency, may_change=True)
        lock_niches(conn, niche_ids_of(conn, None))
        if not change_currency(conn, currency):
            raise Refused("currency_in_use", f"money was moved in {before} already, so it must stay that")
        old, new = {"currency": before}, {"currency": currency}
        event = AuditEvent(actor, "marketplace.changed", _MARKETPLACE, "*", old, new, memo)
        append_audit(conn, [event], clock(conn))
        return _settings(currency, took_effect=True)

    return with_niche_locks(database, work)


def _settings(currency: str, *, took_effect: bool = False) -> MarketplaceSettings:
    version = setting_version(_MARKETPLACE, "*", {"currency": currency})
    return MarketplaceSettings(currency, version, took_effect)
