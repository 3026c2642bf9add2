"""R9's safety net: whatever charge or deposit left a subscription behind, its activity follows the funds."""

from collections import Counter

from fairlead.core.errors import Unavailable
from fairlead.flows import funding
from fairlead.flows.chunks import ChunkDone, in_chunks, last_of
from fairlead.flows.maintenance.days_left import tell_days_left
from fairlead.flows.maintenance.maintenance import Maintenance
from fairlead.store.configuration.rows import lock_providers
from fairlead.store.connection import Connection
from fairlead.store.distribution.funds import (
    misfunded_niche_ids,
    misfunded_provider_ids,
    providers_above_threshold,
)
from fairlead.store.journal import lock_niches
from fairlead.store.leads.rows import clock
from fairlead.store.money.ledger import forget_low_balance
from fairlead.telemetry.logs import get_logger

CHUNK_PROVIDERS = 200

log = get_logger(__name__)


def follow_funds(maintenance: Maintenance) -> Counter[str]:
    """Subscriptions that can be paid for are active, those that cannot are not; their providers are told (R9).

    Paused ones stay paused. A charge deactivates subscriptions only in its own niche: those in others follow here, or
    when a decision consults them. Niche by niche, some hundreds of providers to a transaction, which locks the niche,
    then the providers, ascending by id. A niche that stays locked is left for the next time. Providers who were told
    of a low balance that is not low any more will be told again when it falls; those whose money lasts for too few days
    are told (`days_left`). Returns how many subscriptions were reactivated and deactivated, how many providers may be
    told again, and how many were told. Idempotent.

    Raises `Unavailable`, after the other niches were looked at, for a niche that could not be.
    """
    counts: Counter[str] = Counter()
    held: Unavailable | None = None
    for niche_id in maintenance.database.run(misfunded_niche_ids):
        try:
            counts += _niche(maintenance, niche_id)
        except Unavailable as unavailable:
            log.warning("funds could not be followed", niche_id=niche_id)
            held = unavailable
    counts["low_balances_over"] += _forget_low_balances(maintenance)
    counts.update(tell_days_left(maintenance))
    if held is not None:
        raise held
    return counts


def _niche(maintenance: Maintenance, niche_id: str) -> Counter[str]:
    counts: Counter[str] = Counter()

    def step(after: str | None) -> ChunkDone[str]:
        provider_ids, moves = maintenance.database.run(lambda conn: _some_of_niche(conn, niche_id, after))
        for _, subscription in moves:
            counts["reactivated" if subscription.subscription.is_active else "deactivated"] += 1
        return ChunkDone(len(moves), last_of(provider_ids, CHUNK_PROVIDERS))

    in_chunks(step, maintenance.run_time)
    return counts


def _some_of_niche(conn: Connection, niche_id: str, after: str | None) -> tuple[list[str], list[funding.Move]]:
    locked = lock_niches(conn, [niche_id])
    provider_ids = misfunded_provider_ids(conn, niche_id, after, CHUNK_PROVIDERS)
    # Money moves without the niche's lock: only what the locked rows say counts.
    providers = lock_providers(conn, provider_ids)
    return provider_ids, funding.follow_funds(conn, locked, providers, clock(conn), in_locked_niches_only=True)


def _forget_low_balances(maintenance: Maintenance) -> int:
    def work(conn: Connection, after: str | None) -> ChunkDone[str]:
        provider_ids = providers_above_threshold(conn, after, CHUNK_PROVIDERS)
        if not provider_ids:
            return ChunkDone(0, None)
        lock_providers(conn, provider_ids)
        return ChunkDone(forget_low_balance(conn, provider_ids), last_of(provider_ids, CHUNK_PROVIDERS))

    return in_chunks(lambda after: maintenance.database.run(lambda conn: work(conn, after)), maintenance.run_time)
