"""Taking in a provider, and changing its name, its address, its time zone and its limits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from fairlead.core.errors import BadInput, Refused
from fairlead.core.model import Balance
from fairlead.flows.configuration.provider_terms import contents_of_terms
from fairlead.flows.configuration.versions import (
    UNCHANGED,
    Changed,
    Unchanged,
    given,
    moved,
    provider_version,
    require_version,
)
from fairlead.flows.declaring.plan_providers import provider_document
from fairlead.flows.declaring.provider_events import provider_events
from fairlead.flows.funding import Move, follow_funds, lock_niches_moved_by, record_moves
from fairlead.flows.input_types import canonical_values
from fairlead.flows.niche_locks import with_niche_locks
from fairlead.store.audit.log import Actor, AuditEvent, append_audit
from fairlead.store.configuration.lookups import credit_limit_of, niche_ids_subscribed
from fairlead.store.configuration.rows import (
    DEFAULT_CURRENCY,
    ProviderRow,
    lock_marketplace,
    lock_providers,
    provider_ids_by_email,
)
from fairlead.store.configuration.writes import write_providers
from fairlead.store.connection import Connection, Database
from fairlead.store.ids import new_id
from fairlead.store.journal import lock_niches
from fairlead.store.leads.rows import clock
from fairlead.store.lookups import checked_id


@dataclass(frozen=True, slots=True)
class ProviderChange:
    """What is to be different about a provider. A threshold or days of None: it is not told of a low balance by it; a
    language of None: it is written to in English."""

    name: str | Unchanged = UNCHANGED
    email: str | Unchanged = UNCHANGED
    timezone: str | Unchanged = UNCHANGED
    credit_limit_cents: int | Unchanged = UNCHANGED
    low_balance_threshold_cents: int | Unchanged | None = UNCHANGED
    low_balance_days: int | Unchanged | None = UNCHANGED
    language: str | Unchanged | None = UNCHANGED


def create_provider(
    database: Database,
    email: str,
    name: str,
    actor: Actor,
    *,
    status: Literal["pending", "active"] = "active",
    timezone: str = "UTC",
    credit_limit_cents: int = 0,
    low_balance_threshold_cents: int | None = None,
    low_balance_days: int | None = None,
    language: str | None = None,
    memo: str | None = None,
) -> Changed[ProviderRow]:
    """The provider is there, with an empty balance. Only an active one receives leads.

    Recognised by its mailbox, however it is written: asked for again with the same values nothing is
    changed. Locks the marketplace's row. Raises `BadInput` and `Refused`: `email_taken` by another provider.
    """
    values: dict[str, object] = {"email": email, "name": name, "timezone": timezone, "memo": memo}
    values |= {"credit_limit_cents": credit_limit_cents, "low_balance_threshold_cents": low_balance_threshold_cents}
    values |= {"language": language, "low_balance_days": low_balance_days}
    canonical = canonical_values(values)
    email, name, memo = canonical["email"], canonical["name"], canonical["memo"]
    if status not in ("pending", "active"):
        raise BadInput(["status: must be pending or active"])
    balance = Balance(0, credit_limit_cents, 0)
    asked = ProviderRow(new_id(database), email, name, status, timezone, low_balance_threshold_cents, balance)
    asked = replace(asked, language=language, low_balance_days=low_balance_days)

    def work(conn: Connection, _: Sequence[str]) -> Changed[ProviderRow]:
        lock_marketplace(conn, DEFAULT_CURRENCY, may_change=False)
        for found in lock_providers(conn, list(provider_ids_by_email(conn, [email]).values())).values():
            if provider_document(found) != provider_document(asked):
                raise Refused("email_taken", "another provider has this email already")
            return Changed(found, provider_version(found), found.provider_id == asked.provider_id)
        now = clock(conn)
        write_providers(conn, [asked], now)
        events = provider_events(actor, None, asked, memo)
        events += _credit_limit_events(actor, asked.provider_id, 0, credit_limit_cents, memo)
        append_audit(conn, events, now)
        return Changed(asked, provider_version(asked), took_effect=True)

    return with_niche_locks(database, work)


def change_provider(
    database: Database,
    provider_id: str,
    change: ProviderChange,
    actor: Actor,
    *,
    memo: str | None = None,
    expected_version: str | None = None,
) -> Changed[ProviderRow]:
    """The provider is as the change says; what the change does not mention is as it was.

    Another credit limit moves its subscriptions in all niches at once, and the provider is told (R9); the limit never
    goes below the credit that is in use. Locks the niches of those subscriptions, then the provider. Raises `BadInput`
    and `Refused`: `provider_unknown`, `email_taken`, `credit_in_use`, `version_conflict`.
    """
    checked, wanted = checked_id(provider_id, "provider"), canonical_values({**given(change), "memo": memo})
    memo = wanted.pop("memo")

    def work(conn: Connection, also: Sequence[str]) -> Changed[ProviderRow]:
        if "timezone" in wanted:
            also = [*also, *niche_ids_subscribed(conn, checked)]
        locked = lock_niches_moved_by(conn, _limit_changes(conn, checked, wanted), also)
        before = locked_provider(conn, checked)
        after = _changed(before, wanted)
        if after == before:
            return Changed(before, provider_version(before), took_effect=False)
        require_version(expected_version, provider_version(before), "the provider")
        _require_possible(conn, before, after)
        now = clock(conn)
        told = contents_of_terms(conn, locked, before, after)
        write_providers(conn, [after], now)
        record_moves(conn, locked, told, [], now)
        if told:
            locked = lock_niches(conn, [*locked])  # their journals have moved
        moves: list[Move] = []
        if before.balance != after.balance:
            moves = follow_funds(conn, locked, {checked: after}, now)
        limits = (before.balance.credit_limit_cents, after.balance.credit_limit_cents)
        events = provider_events(actor, before, after, memo)
        append_audit(conn, events + _credit_limit_events(actor, checked, *limits, memo), now)
        return moved(after, provider_version(after), moves)

    return with_niche_locks(database, work)


def locked_provider(conn: Connection, provider_id: str) -> ProviderRow:
    """The provider, its row locked. Raises `Refused`: `provider_unknown`."""
    provider = lock_providers(conn, [provider_id]).get(provider_id)
    if provider is None:
        raise Refused("provider_unknown", f"there is no provider {provider_id}")
    return provider


def _limit_changes(conn: Connection, provider_id: str, wanted: Mapping[str, Any]) -> dict[str, int]:
    """By how much the provider's funds will change, as far as can be seen without its lock."""
    if "credit_limit_cents" not in wanted:
        return {}
    return {provider_id: wanted["credit_limit_cents"] - credit_limit_of(conn, provider_id)}


def _changed(before: ProviderRow, wanted: Mapping[str, Any]) -> ProviderRow:
    of_row = {name: value for name, value in wanted.items() if name != "credit_limit_cents"}
    limit_cents = wanted.get("credit_limit_cents", before.balance.credit_limit_cents)
    return replace(before, **of_row, balance=replace(before.balance, credit_limit_cents=limit_cents))


def _require_possible(conn: Connection, before: ProviderRow, after: ProviderRow) -> None:
    if after.balance.available_cents < 0:
        used = f"{-after.balance.balance_cents} cents of credit are in use"
        raise Refused("credit_in_use", f"a credit limit of {after.balance.credit_limit_cents} is too low: {used}")
    if after.email != before.email:
        holder = provider_ids_by_email(conn, [after.email]).get(after.email, before.provider_id)
        if holder != before.provider_id:
            raise Refused("email_taken", "another provider has this email already")


def _credit_limit_events(
    actor: Actor, provider_id: str, old_cents: int, new_cents: int, memo: str | None
) -> list[AuditEvent]:
    if old_cents == new_cents:
        return []
    old, new = {"credit_limit_cents": old_cents}, {"credit_limit_cents": new_cents}
    return [AuditEvent(actor, "credit_limit.changed", "provider", provider_id, old, new, memo)]
