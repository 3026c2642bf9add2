"""Letting a provider in, shutting it out, and letting it in again."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from fairlead.core.configuration_entries import provider_payload
from fairlead.core.errors import Refused
from fairlead.core.journal import JournalEntryKind
from fairlead.flows.configuration.providers import locked_provider
from fairlead.flows.configuration.versions import Changed, provider_version, require_version
from fairlead.flows.funding import Contents, record_moves
from fairlead.flows.input_types import canonical_memo
from fairlead.flows.niche_locks import with_niche_locks
from fairlead.store.audit.log import Actor, AuditEvent, append_audit
from fairlead.store.configuration.lookups import niche_ids_subscribed
from fairlead.store.configuration.rows import LockSetChanged, ProviderRow
from fairlead.store.configuration.writes import write_providers
from fairlead.store.connection import Connection, Database
from fairlead.store.journal import lock_niches
from fairlead.store.leads.rows import clock
from fairlead.store.lookups import checked_id


@dataclass(frozen=True, slots=True)
class _Step:
    """From which statuses to which one, and what it is called."""

    verb: str
    sources: tuple[str, ...]
    status: str
    action: str


_APPROVAL = _Step("approved", ("pending",), "active", "provider.approved")
_SUSPENSION = _Step("suspended", ("pending", "active"), "suspended", "provider.suspended")
_RETURN = _Step("reactivated", ("suspended",), "active", "provider.reactivated")


def approve_provider(
    database: Database,
    provider_id: str,
    actor: Actor,
    *,
    memo: str | None = None,
    expected_version: str | None = None,
) -> Changed[ProviderRow]:
    """The provider, pending before, is active: it receives leads. One that is active already stays as it is.

    Every niche that it ever subscribed in is told. Locks those niches, then the provider. Raises `Refused`:
    `provider_unknown`, `provider_status` when it is suspended, `version_conflict`.
    """
    return _take(database, provider_id, _APPROVAL, actor, memo, expected_version)


def suspend_provider(
    database: Database,
    provider_id: str,
    actor: Actor,
    *,
    memo: str | None = None,
    expected_version: str | None = None,
) -> Changed[ProviderRow]:
    """The provider, pending or active before, receives no lead from the next decision on. Its subscriptions, filters
    and balance stay as they are, and so does its place in the order (R12).

    Locks as `approve_provider`. Raises `Refused`: `provider_unknown`, `version_conflict`.
    """
    return _take(database, provider_id, _SUSPENSION, actor, memo, expected_version)


def reactivate_provider(
    database: Database,
    provider_id: str,
    actor: Actor,
    *,
    memo: str | None = None,
    expected_version: str | None = None,
) -> Changed[ProviderRow]:
    """The provider, suspended before, is active. One that is active already stays as it is.

    Locks as `approve_provider`. Raises `Refused`: `provider_unknown`, `provider_status` when it waits for its
    approval, `version_conflict`.
    """
    return _take(database, provider_id, _RETURN, actor, memo, expected_version)


def _take(
    database: Database, provider_id: str, step: _Step, actor: Actor, memo: str | None, expected_version: str | None
) -> Changed[ProviderRow]:
    checked = checked_id(provider_id, "provider")
    memo = canonical_memo(memo)

    def work(conn: Connection, also: Sequence[str]) -> Changed[ProviderRow]:
        locked = lock_niches(conn, sorted({*niche_ids_subscribed(conn, checked), *also}))
        before = locked_provider(conn, checked)
        if before.status == step.status:
            return Changed(before, provider_version(before), took_effect=False)
        require_version(expected_version, provider_version(before), "the provider")
        if before.status not in step.sources:
            raise Refused("provider_status", f"a provider that is {before.status} cannot be {step.verb}")
        # Under the provider's lock it gets no new subscription: what was seen before it may be too little.
        niche_ids = niche_ids_subscribed(conn, checked)
        if missing := {*niche_ids} - locked.keys():
            raise LockSetChanged(sorted(missing))
        now, after = clock(conn), replace(before, status=step.status)
        write_providers(conn, [after], now)
        contents: dict[str, Contents] = {
            niche_id: [(JournalEntryKind.PROVIDER, provider_payload(checked, after.status, after.terms))]
            for niche_id in niche_ids
        }
        record_moves(conn, locked, contents, [], now)
        old = {"status": before.status}
        new = {
            "status": after.status,
            "journal_seqs": {niche_id: locked[niche_id].journal_seq + 1 for niche_id in niche_ids},
        }
        append_audit(conn, [AuditEvent(actor, step.action, "provider", checked, old, new, memo)], now)
        return Changed(after, provider_version(after), took_effect=True)

    return with_niche_locks(database, work)
