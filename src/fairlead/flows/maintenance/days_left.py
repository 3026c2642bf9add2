"""Telling providers that their money lasts for few days only, at the pace at which they spend it."""

from collections import Counter
from collections.abc import Mapping

from fairlead.core.money.spending_pace import SpendingPace
from fairlead.flows.chunks import ChunkDone, RunTime, in_chunks, last_of
from fairlead.flows.maintenance.maintenance import Maintenance
from fairlead.store.configuration.rows import ProviderRow, lock_providers, unlocked_providers
from fairlead.store.connection import Connection
from fairlead.store.leads.rows import clock
from fairlead.store.money.spending_pace import providers_told_in_days, spending_paces, write_days_alerts
from fairlead.store.notifications.outbox import Notification

CHUNK_PROVIDERS = 200


def tell_days_left(maintenance: Maintenance) -> Counter[str]:
    """Active providers whose money lasts for fewer days than they asked for are told, once per crossing.

    The pace is read from the ledgers before anything is locked, some hundreds of providers at a time; only those of
    whom something changes are locked, and what they have is looked at again. So no decision reads a pace, and none
    waits for one. Returns how many were told, and how many may be told again. Idempotent.
    """
    counts: Counter[str] = Counter()

    def step(after: str | None) -> ChunkDone[str]:
        provider_ids, changing = maintenance.database.read(lambda conn: _changing(conn, after))
        if changing:
            counts.update(maintenance.database.run(lambda conn: _tell(conn, changing)))
        return ChunkDone(len(changing), last_of(provider_ids, CHUNK_PROVIDERS))

    # However long it takes: those whom a run did not come to would not be come to by the next, which begins anew.
    in_chunks(step, RunTime(is_stopping=maintenance.stop.is_set))
    return counts


def _changing(conn: Connection, after: str | None) -> tuple[list[str], dict[str, SpendingPace]]:
    """The next providers, and the paces of those of whom something changes."""
    provider_ids = providers_told_in_days(conn, after, CHUNK_PROVIDERS)
    paces = spending_paces(conn, provider_ids, clock(conn))
    return provider_ids, {
        provider_id: paces[provider_id]
        for provider_id, row in unlocked_providers(conn, provider_ids).items()
        if _is_told(row, paces[provider_id]) != row.was_told_of_low_days
    }


def _tell(conn: Connection, paces: Mapping[str, SpendingPace]) -> Counter[str]:
    rows = lock_providers(conn, list(paces))
    now = clock(conn)
    # What is there says the locked row: a deposit may have come in since.
    told = {each: _is_told(row, paces[each]) for each, row in rows.items()}
    told = {each: is_told for each, is_told in told.items() if is_told != rows[each].was_told_of_low_days}
    messages = [_message(rows[each], paces[each]) for each, is_told in told.items() if is_told]
    write_days_alerts(conn, told, messages, now)
    return Counter({"days_left_told": len(messages), "days_left_over": len(told) - len(messages)})


def _is_told(row: ProviderRow, pace: SpendingPace) -> bool:
    return row.days_alert.after(pace.days_left(row.balance.available_cents)).was_told


def _message(row: ProviderRow, pace: SpendingPace) -> Notification:
    detail = {
        "balance_cents": row.balance.balance_cents,
        "days_left": pace.days_left(row.balance.available_cents),
        "threshold_days": row.low_balance_days,
        "daily_cents": pace.daily_cents,
    }
    return Notification("low_balance", provider_id=row.provider_id, detail=detail)
