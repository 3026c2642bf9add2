"""What was used of the windows of limits (R13): reading it for a decision, moving it, forgetting it.

A subscription's windows are moved by its own niche alone, under that niche's lock; a provider's by each of its niches,
under the provider's. A window without a row is counted from the ledger, so that a limit which is set in the middle of a
day knows what was received that morning. A lead that left its limits when it was refunded is in none.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from fairlead.core.canonical import JsonObject
from fairlead.core.gates import shut_text
from fairlead.core.journal import JournalEntryKind
from fairlead.core.limits import Counter, CounterKey
from fairlead.core.refusals import Refusal
from fairlead.store.arrays import array_text
from fairlead.store.row_counts import Connection, Cursor, change_rows

Windows = Mapping[CounterKey, tuple[str, Counter]]
"""The windows that a decision needs the counters of, each with its provider's id."""


def ask_for_counters(conn: Connection, windows: Windows) -> "AskedCounters":
    """The counters of these windows are asked for, in one statement; it may stand in a pipeline.

    Needs the niche's lock, and, for a provider's windows, in an earlier statement, that of the provider.
    """
    asked = [*windows.values()]
    cursor = conn.execute(
        """
        select asked.number, coalesce(w.lead_count, counted.lead_count), coalesce(w.spent_cents, counted.spent_cents)
        from unnest(%s::uuid[], %s::uuid[], %s::text[], %s::timestamptz[], %s::timestamptz[]) with ordinality
             as asked (owner_id, provider_id, period, opened_at, closes_at, number)
        left join limit_windows w
             on w.owner_id = asked.owner_id and w.period = asked.period and w.opened_at = asked.opened_at
        left join lateral (
            select count(*) as lead_count, coalesce(-sum(e.amount_cents), 0)::bigint as spent_cents
            from ledger_entries e
            join assignments a on a.provider_id = e.provider_id and a.ledger_seq = e.seq
            where w.owner_id is null and e.provider_id = asked.provider_id and e.kind = 'lead_purchase'
              and e.created_at >= asked.opened_at and e.created_at < asked.closes_at
              and asked.owner_id in (a.provider_id, a.subscription_id) and not a.left_limits) counted on true
        """,
        (
            array_text(counter.owner_id for _, counter in asked),
            array_text(provider_id for provider_id, _ in asked),
            array_text(counter.period for _, counter in asked),
            _instants(opened_at(counter) for _, counter in asked),
            _instants(closes_at(counter) for _, counter in asked),
        ),
    )
    return AskedCounters([counter for _, counter in asked], cursor)


class AskedCounters:
    """Counters that were asked for; to be read when the statement is done."""

    def __init__(self, asked: Sequence[Counter], cursor: Cursor) -> None:
        self._asked = asked
        self._cursor = cursor

    def read(self) -> dict[CounterKey, Counter]:
        """The counters, each as its window has it."""
        found: dict[CounterKey, Counter] = {}
        rows: list[tuple[int, int, int]] = self._cursor.fetchall()
        for number, lead_count, spent_cents in rows:
            counter = self._asked[number - 1]
            found[counter.key] = counter.with_use(lead_count, spent_cents)
        return found


def move_windows(conn: Connection, moved: Sequence[tuple[str, Counter]]) -> None:
    """The windows, each with its provider's id, which leads were added to, are as given.

    Needs the locks that `ask_for_counters` names.

    Raises `RowsMissed` for one that was moved past them.
    """
    counters = [counter for _, counter in moved]
    change_rows(
        conn,
        "limit_windows_rise",
        len(counters),
        """
        insert into limit_windows (owner_id, provider_id, period, opened_at, closes_at, lead_count, spent_cents)
        select owner_id, provider_id, period, opened_at, closes_at, lead_count, spent_cents
        from unnest(%s::uuid[], %s::uuid[], %s::text[], %s::timestamptz[], %s::timestamptz[], %s::bigint[],
                    %s::bigint[])
             as used (owner_id, provider_id, period, opened_at, closes_at, lead_count, spent_cents)
        on conflict (owner_id, period, opened_at) do update
        set closes_at = excluded.closes_at, lead_count = excluded.lead_count, spent_cents = excluded.spent_cents
        where limit_windows.lead_count < excluded.lead_count and limit_windows.spent_cents < excluded.spent_cents
        """,
        (
            array_text(counter.owner_id for counter in counters),
            array_text(provider_id for provider_id, _ in moved),
            array_text(counter.period for counter in counters),
            _instants(map(opened_at, counters)),
            _instants(map(closes_at, counters)),
            array_text(counter.lead_count for counter in counters),
            array_text(counter.spent_cents for counter in counters),
        ),
    )


def shut(conn: Connection, shut_by: Mapping[str, Refusal]) -> None:
    """The living subscriptions are shut, each by its refusal. Needs the niche's lock."""
    change_rows(
        conn,
        "subscriptions_shut_are_living",
        len(shut_by),
        """
        update subscriptions set shut_by = refusal.refusal
        from unnest(%s::uuid[], %b::jsonb[]) as refusal (subscription_id, refusal)
        where id = subscription_id and deleted_at is null
        """,
        (array_text(shut_by), [shut_text(refusal) for refusal in shut_by.values()]),
    )


def forget_local_time(conn: Connection, niche_id: str, contents: Sequence[tuple[JournalEntryKind, JsonObject]]) -> None:
    """What shut the subscriptions that these entries are about is forgotten, and what was used of windows of limits.

    That is what the entries say to a process that follows the journal. Needs the niche's lock and, for a provider or a
    subscription, the provider's. Two statements at most.
    """
    changed = _changed_ids(contents)
    if not any(changed.values()):
        return
    conn.execute(
        """
        update subscriptions set shut_by = null
        where niche_id = %s and shut_by is not null
          and (id = any(%s::uuid[]) or provider_id = any(%s::uuid[]) or competition_level_id = any(%s::uuid[]))
        """,
        (niche_id, *map(array_text, changed.values())),
    )
    subscription_ids, provider_ids = changed[JournalEntryKind.SUBSCRIPTION], changed[JournalEntryKind.PROVIDER]
    if subscription_ids or provider_ids:
        conn.execute(
            """
            delete from limit_windows where owner_id = any(%s::uuid[]) or provider_id = any(%s::uuid[])
            """,
            (array_text(subscription_ids), array_text(provider_ids)),
        )


def forget_old_windows(conn: Connection, before: datetime, limit: int) -> int:
    """At most so many windows that were over by then are gone; returns how many."""
    deleted = conn.execute(
        """
        delete from limit_windows where (owner_id, period, opened_at) in (
            select owner_id, period, opened_at from limit_windows
            where closes_at < %s order by closes_at limit %s)
        """,
        (before, limit),
    )
    return deleted.rowcount


def opened_at(counter: Counter) -> datetime:
    """When the window opened, as the table has it: that of all time at the first instant."""
    return _FIRST_INSTANT if counter.opened_at is None else counter.opened_at


def closes_at(counter: Counter) -> datetime:
    """When the window closes, as the table has it: that of all time at the last instant."""
    return _LAST_INSTANT if counter.closes_at is None else counter.closes_at


_FIRST_INSTANT = datetime(1, 1, 1, tzinfo=UTC)
_LAST_INSTANT = datetime(9999, 12, 31, tzinfo=UTC)

_ID_OF = {
    JournalEntryKind.SUBSCRIPTION: "subscription_id",
    JournalEntryKind.PROVIDER: "provider_id",
    JournalEntryKind.LEVEL: "level_id",
}


def _changed_ids(contents: Sequence[tuple[JournalEntryKind, Mapping[str, Any]]]) -> dict[JournalEntryKind, list[str]]:
    return {
        kind: [payload[id_name] for own_kind, payload in contents if own_kind is kind]
        for kind, id_name in _ID_OF.items()
    }


def _instants(moments: Iterable[datetime]) -> str:
    return "{" + ",".join(f'"{moment.isoformat()}"' for moment in moments) + "}"
