"""The marketplace's own: its name, the time zone of its providers, the currency of all its amounts."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from fairlead.core.errors import BadInput, Refused
from fairlead.flows.configuration.deposit_bounds import bounds_problem
from fairlead.flows.configuration.versions import UNCHANGED, Unchanged, given, require_version, setting_version
from fairlead.flows.input_types import canonical_values
from fairlead.flows.niche_locks import with_niche_locks
from fairlead.store.audit.log import Actor, AuditEvent, append_audit
from fairlead.store.configuration.marketplace import MarketplaceRow, marketplace_row, write_marketplace
from fairlead.store.configuration.rows import DEFAULT_CURRENCY, change_currency, lock_marketplace, niche_ids_of
from fairlead.store.connection import Connection, Database
from fairlead.store.journal import lock_niches
from fairlead.store.leads.rows import clock

_MARKETPLACE = "marketplace"


@dataclass(frozen=True, slots=True)
class MarketplaceSettings:
    """What holds for the whole marketplace, and its opaque version. `took_effect` is False where it was so before.

    `name` is None until it has one, `timezone` until one was chosen. The smallest and the largest deposit that a
    gateway collects are None where there is no such bound. Papers name it by legal name, address, country and tax id,
    and say what tax of that rate deposits contain, in hundredths of a percent; None: they do not.
    """

    currency: str
    name: str | None
    timezone: str | None
    min_deposit_cents: int | None
    max_deposit_cents: int | None
    legal_name: str | None
    address: str | None
    country: str | None
    tax_id: str | None
    tax_rate_basis_points: int | None
    version: str
    took_effect: bool = False


@dataclass(frozen=True, slots=True)
class PapersChange:
    """What papers are to say of the marketplace from now on. Those that are issued stay as they are."""

    legal_name: str | Unchanged | None = UNCHANGED
    address: str | Unchanged | None = UNCHANGED
    country: str | Unchanged | None = UNCHANGED
    tax_id: str | Unchanged | None = UNCHANGED
    tax_rate_basis_points: int | Unchanged | None = UNCHANGED


def read_marketplace(database: Database) -> MarketplaceSettings:
    """What holds for the whole marketplace now; EUR until a currency was declared."""
    return _settings(database.read(marketplace_row))


def change_marketplace(
    database: Database,
    currency: str | Unchanged,
    actor: Actor,
    *,
    name: str | Unchanged = UNCHANGED,
    timezone: str | Unchanged = UNCHANGED,
    min_deposit_cents: int | Unchanged | None = UNCHANGED,
    max_deposit_cents: int | Unchanged | None = UNCHANGED,
    papers: PapersChange = PapersChange(),
    memo: str | None = None,
    expected_version: str | None = None,
) -> MarketplaceSettings:
    """The marketplace is as the change says; what it does not mention is as it was.

    Another currency is possible until money was moved for the first time: amounts keep their numbers, 500 cents of the
    one are 500 of the other. Locks the marketplace's row, then, for another currency, all niches. Raises `BadInput` and
    `Refused`: `currency_in_use`, `version_conflict`.
    """
    said = {
        "currency": currency,
        "name": name,
        "timezone": timezone,
        "min_deposit_cents": min_deposit_cents,
        "max_deposit_cents": max_deposit_cents,
    }
    values = {each: value for each, value in said.items() if value is not UNCHANGED} | given(papers)
    canonical = canonical_values({**values, "memo": memo})
    memo = canonical.pop("memo")

    def work(conn: Connection, _: Sequence[str]) -> MarketplaceSettings:
        lock_marketplace(conn, DEFAULT_CURRENCY, may_change=False)
        before = marketplace_row(conn)
        old = {each: getattr(before, each) for each in canonical}
        changed = {each: value for each, value in canonical.items() if value != old[each]}
        if not changed:
            return _settings(before)
        require_version(expected_version, _settings(before).version, "the marketplace")
        if "currency" in changed:
            _change_currency(conn, before.currency, changed["currency"])
        after = replace(before, **changed)
        if problem := bounds_problem(after):
            raise BadInput([problem])
        write_marketplace(conn, after)
        append_audit(conn, [marketplace_event(before, after, actor, memo)], clock(conn))
        return _settings(marketplace_row(conn), took_effect=True)

    return with_niche_locks(database, work)


def marketplace_event(
    before: MarketplaceRow, after: MarketplaceRow, actor: Actor, memo: str | None = None
) -> AuditEvent:
    """The marketplace is another now: each thing that changed, from what to what."""
    old, new = asdict(before), asdict(after)
    changed = [name for name in new if new[name] != old[name]]
    was, said = ({name: state[name] for name in changed} for state in (old, new))
    return AuditEvent(actor, "marketplace.changed", _MARKETPLACE, "*", was, said, memo)


def _change_currency(conn: Connection, before: str, currency: str) -> None:
    lock_marketplace(conn, currency, may_change=True)
    lock_niches(conn, niche_ids_of(conn, None))
    if not change_currency(conn, currency):
        raise Refused("currency_in_use", f"money was moved in {before} already, so it must stay that")


def _settings(row: MarketplaceRow, *, took_effect: bool = False) -> MarketplaceSettings:
    state = asdict(row)
    version = setting_version(_MARKETPLACE, "*", state)
    return MarketplaceSettings(**state, version=version, took_effect=took_effect)
