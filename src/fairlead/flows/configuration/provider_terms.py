"""Telling the journals of a provider's terms: its time zone, limits, schedule and conflict group."""

from collections.abc import Mapping

from fairlead.core.configuration_entries import provider_payload
from fairlead.core.journal import JournalEntryKind
from fairlead.core.model import ProviderTerms
from fairlead.flows.funding import Contents, Move
from fairlead.store.configuration.lookups import niche_ids_subscribed
from fairlead.store.configuration.rows import LockSetChanged, ProviderRow, subscription_rows
from fairlead.store.connection import Connection
from fairlead.store.journal import LockedNiche


def contents_of_terms(
    conn: Connection, locked: Mapping[str, LockedNiche], before: ProviderRow, after: ProviderRow
) -> dict[str, Contents]:
    """What the journals, by niche id, have to say of the provider's new terms.

    A time zone is told where the provider, or a subscription of its in the niche, has limits or a schedule. Needs the
    provider's lock: under it the provider gets no new subscription. Raises `LockSetChanged` for niches not locked.
    """
    if before.terms == after.terms:
        return {}
    if concerns_every_niche(before.terms, after.terms):
        niche_ids = niche_ids_subscribed(conn, after.provider_id)
    else:
        rows = subscription_rows(conn, [after.provider_id], [], [])
        niche_ids = sorted({row.niche_id for row in rows if row.subscription.goes_by_local_time and not row.is_deleted})
    if missing := {*niche_ids} - locked.keys():
        raise LockSetChanged(sorted(missing))
    told = (JournalEntryKind.PROVIDER, provider_payload(after.provider_id, after.status, after.terms))
    return {niche_id: [told] for niche_id in niche_ids}


def concerns_every_niche(before: ProviderTerms, after: ProviderTerms) -> bool:
    """Whether terms that have changed matter in each niche that the provider ever subscribed in.

    Another time zone alone does not, unless something of the provider goes by it.

    >>> concerns_every_niche(ProviderTerms("UTC"), ProviderTerms("Asia/Kolkata"))
    False
    >>> concerns_every_niche(ProviderTerms("UTC"), ProviderTerms("UTC", conflict_group_id="g"))
    True
    """
    goes_by_local_time = before.go_by_local_time or after.go_by_local_time
    return (goes_by_local_time and before != after) or before.conflict_group_id != after.conflict_group_id


def begins_to_go_by_local_time(move: Move) -> bool:
    """Whether the subscription has limits or a schedule, and had none that the niche's journal kept to.

    The journal has to say then by whose clocks: it follows a provider's time zone only where that matters.
    """
    before, after = move
    was_known = before is not None and not before.is_deleted and before.subscription.goes_by_local_time
    return not after.is_deleted and after.subscription.goes_by_local_time and not was_known
