"""A provider's auto top-up: reading it, setting its terms, and switching it on and off."""

from dataclasses import dataclass, replace
from datetime import datetime

from fairlead.core.calendar.local_time import Period, window_at, zone_named
from fairlead.core.canonical import JsonObject
from fairlead.core.errors import BadInput, Refused
from fairlead.core.model import MAX_AMOUNT_CENTS, MAX_BALANCE_CENTS
from fairlead.flows.configuration.providers import locked_provider
from fairlead.flows.configuration.versions import require_version, setting_version
from fairlead.flows.memos import checked_memo
from fairlead.flows.payments.payment_audit import top_up_document, top_up_event
from fairlead.flows.payments.request_payment import check_amount
from fairlead.store.audit.log import Actor, append_audit
from fairlead.store.configuration.lookups import provider_row
from fairlead.store.configuration.marketplace import MarketplaceRow, marketplace_row
from fairlead.store.connection import Connection, Database
from fairlead.store.leads.rows import clock
from fairlead.store.lookups import checked_id
from fairlead.store.money.auto_top_ups import AutoTopUp, auto_top_up, charged_since, write_auto_top_up
from fairlead.store.money.saved_methods import SavedMethodRow, method_of_provider


@dataclass(frozen=True, slots=True)
class SeenAutoTopUp:
    """A provider's auto top-up as it was a moment ago, None where none was set yet, and its opaque version.

    `method` is what is charged, None where none is saved. Beside the limit stands what was charged since the month
    began, and when the next one does, by the clocks of `month_zone`.
    """

    row: AutoTopUp | None
    method: SavedMethodRow | None
    currency: str
    charged_cents: int
    month_ends: datetime
    month_zone: str
    version: str


@dataclass(frozen=True, slots=True)
class WantedTopUp:
    """What a provider's auto top-up is to be."""

    threshold_cents: int
    amount_cents: int
    monthly_limit_cents: int
    is_on: bool


def read_auto_top_up(database: Database, provider_id: str) -> SeenAutoTopUp:
    """The provider's auto top-up. Raises `BadInput`, and `Refused`: `provider_unknown`."""
    checked = checked_id(provider_id, "provider")
    with database.snapshot() as conn:
        if provider_row(conn, checked) is None:
            raise Refused("provider_unknown", f"there is no provider {checked}")
        return _seen(conn, checked)


def _seen(conn: Connection, provider_id: str) -> SeenAutoTopUp:
    market, row = marketplace_row(conn), auto_top_up(conn, provider_id)
    month_zone = market.timezone or "UTC"
    month_from, month_ends = window_at(clock(conn), zone_named(month_zone), Period.MONTH)
    assert month_from is not None, "a month begins"
    assert month_ends is not None, "and ends"
    charged = charged_since(conn, provider_id, month_from)
    method = method_of_provider(conn, provider_id)
    return SeenAutoTopUp(row, method, market.currency, charged, month_ends, month_zone, _version(provider_id, row))


def _version(provider_id: str, row: AutoTopUp | None) -> str:
    state: JsonObject = {} if row is None else top_up_document(row)
    return setting_version("auto_top_up", provider_id, state)


def change_auto_top_up(
    database: Database,
    provider_id: str,
    wanted: WantedTopUp,
    actor: Actor,
    *,
    expected_version: str | None = None,
) -> SeenAutoTopUp:
    """The provider's auto top-up is like this. Switched on, its refusals count anew, and a low balance is due at once.

    Audited, unless nothing changes. Locks the provider. Raises `BadInput`, and `Refused`: `provider_unknown`,
    `version_conflict`, `payment_method_missing` where it is to be on and no method is saved.
    """
    checked = checked_id(provider_id, "provider")

    def work(conn: Connection) -> SeenAutoTopUp:
        if problems := terms_problems(wanted, marketplace_row(conn)):
            raise BadInput(problems)
        provider, before = locked_provider(conn, checked), auto_top_up(conn, checked)
        now = clock(conn)
        is_due = wanted.is_on and provider.balance.balance_cents < wanted.threshold_cents
        after = AutoTopUp(
            checked,
            wanted.threshold_cents,
            wanted.amount_cents,
            wanted.monthly_limit_cents,
            wanted.is_on,
            due_at=now if is_due else None,
        )
        if before is not None and top_up_document(before) == top_up_document(after):
            return _seen(conn, checked)
        require_version(expected_version, _version(checked, before), "the auto top-up")
        if wanted.is_on and method_of_provider(conn, checked) is None:
            raise Refused("payment_method_missing", "save a payment method first: auto top-up charges it")
        write_auto_top_up(conn, after)
        append_audit(conn, [top_up_event(before, after, actor)], now)
        return _seen(conn, checked)

    return database.run(work)


def terms_problems(wanted: WantedTopUp, market: MarketplaceRow) -> list[str]:
    """What is wrong with the terms in this marketplace, each naming its value."""
    problems: list[str] = []
    if not 1 <= wanted.threshold_cents <= MAX_AMOUNT_CENTS:
        problems.append(f"threshold_cents: must be between 1 and {MAX_AMOUNT_CENTS}, not {wanted.threshold_cents}")
    try:
        check_amount(wanted.amount_cents, market.min_deposit_cents, market.max_deposit_cents)
    except BadInput as refused:
        problems.extend(refused.problems)
    least = max(wanted.amount_cents, 1)
    if not least <= wanted.monthly_limit_cents <= MAX_BALANCE_CENTS:
        problems.append(
            f"monthly_limit_cents: must be at least the amount, {least}, and at most {MAX_BALANCE_CENTS}, "
            f"not {wanted.monthly_limit_cents}"
        )
    return problems


def switch_top_up_off(database: Database, provider_id: str, memo: str, actor: Actor) -> SeenAutoTopUp:
    """The provider's auto top-up is off, by an operator. A charge that is under way is not called back.

    Audited, unless it is off already. Locks the provider. Raises `BadInput`, and `Refused`: `provider_unknown`.
    """
    checked, memo = checked_id(provider_id, "provider"), checked_memo(memo)

    def work(conn: Connection) -> SeenAutoTopUp:
        locked_provider(conn, checked)
        before = auto_top_up(conn, checked)
        if before is not None and before.is_on:
            after = replace(before, is_on=False, due_at=None)
            write_auto_top_up(conn, after)
            append_audit(conn, [top_up_event(before, after, actor, memo)], clock(conn))
        return _seen(conn, checked)

    return database.run(work)
