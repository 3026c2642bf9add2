"""What was used of the windows of limits (R13): reading it for a decision, and forgetting it.

It is kept beside its owner (`core/calendar/stored_counters`), and moved with what moves there anyway: a subscription's
with its place in the order, by its own niche alone, under that niche's lock; a provider's with its balance, by each of
its niches, under the provider's. What is not kept is counted from the ledger, so that a limit which is set in the
middle of a day knows what was received that morning. A lead that left its limits when it was refunded is in none.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, LiteralString

from fairlead.core.calendar.limits import Counters, Used, counters_of
from fairlead.core.calendar.local_time import FIRST_INSTANT, LAST_INSTANT
from fairlead.core.calendar.stored_counters import StoredCounters
from fairlead.core.canonical import JsonObject
from fairlead.core.gates import shut_text
from fairlead.core.journal import JournalEntryKind
from fairlead.core.refusals import Refusal
from fairlead.store.arrays import array_text
from fairlead.store.row_counts import Connection, Cursor, change_rows

Asked = Mapping[str, tuple[str, Counters]]
"""By owner, the windows that a decision needs the counters of, each with its provider's id."""

Kept = Mapping[str, str | None]
"""By owner, what is kept of its counters."""


@dataclass(frozen=True, slots=True)
class KeptInNiche:
    """What is kept of the counters in a niche, by owner."""

    of_subscriptions: Mapping[str, StoredCounters]
    of_providers: Mapping[str, StoredCounters]


def read_kept(conn: Connection, niche_id: str) -> KeptInNiche:
    """What is kept of the counters in the niche. Locks nothing: of providers, it is a guess when it is used."""
    subscriptions = conn.execute(
        "select id::text, limits_used from subscriptions where niche_id = %s and limits_used is not null", (niche_id,)
    ).fetchall()
    providers = conn.execute(
        """
        select id::text, limits_used from providers
        where limits_used is not null and id in (select provider_id from subscriptions where niche_id = %s)
        """,
        (niche_id,),
    ).fetchall()
    return KeptInNiche(
        {owner_id: StoredCounters(text) for owner_id, text in subscriptions},
        {owner_id: StoredCounters(text) for owner_id, text in providers},
    )


def ask_for_kept(conn: Connection, asked: Asked) -> Cursor | None:
    """What is kept of the counters of these subscriptions is asked for; it may stand in a pipeline.

    Needs the niche's lock. None where it is asked of none.
    """
    ids = [owner_id for owner_id, (_, own) in asked.items() if own.owner == "subscription"]
    if not ids:
        return None
    return conn.execute(
        "select id::text, limits_used from subscriptions where id = any(%s::uuid[])", (array_text(ids),)
    )


@dataclass(frozen=True, slots=True)
class CountedOwners:
    """By owner, its counters, and what is kept of them; where nothing was, that is what would be."""

    counters: Mapping[str, Counters]
    kept: Mapping[str, StoredCounters]


def count(conn: Connection, asked: Asked, kept: Kept, known: Mapping[str, StoredCounters]) -> CountedOwners:
    """The counters of these windows: as `kept` has it, else counted from the ledger, in a statement of its own.

    Needs the niche's lock, and, for a provider's windows, that of the provider. `known` saves reading a text again.
    """
    found: dict[str, Counters] = {}
    stored: dict[str, StoredCounters] = {}
    unknown: list[tuple[str, Counters]] = []
    for owner_id, (provider_id, wanted) in asked.items():
        text, own = kept.get(owner_id), known.get(owner_id)
        counters = None
        if text is not None:
            own = own if own is not None and own.text == text else StoredCounters(text)
            counters = own.at(wanted.owner, owner_id, wanted.windows)
            stored[owner_id] = own
        if counters is None:
            unknown.append((provider_id, wanted))
        else:
            found[owner_id] = counters
    for counters in _from_ledger(conn, unknown) if unknown else ():
        found[counters.owner_id] = counters
        stored[counters.owner_id] = StoredCounters("", counters)
    return CountedOwners(found, stored)


def read_counters(conn: Connection, asked: Asked) -> Mapping[str, Counters]:
    """The counters of these windows, as they are in this snapshot. Locks nothing; three statements at most."""
    kept: dict[str, str | None] = {}
    subscriptions = ask_for_kept(conn, asked)
    if subscriptions is not None:
        kept |= dict(subscriptions.fetchall())
    if ids := [owner_id for owner_id, (_, own) in asked.items() if own.owner == "provider"]:
        statement = "select id::text, limits_used from providers where id = any(%s::uuid[])"
        kept |= dict(conn.execute(statement, (array_text(ids),)).fetchall())
    return count(conn, asked, kept, {}).counters


def _from_ledger(conn: Connection, asked: Sequence[tuple[str, Counters]]) -> list[Counters]:
    windows = [
        (owner, provider_id, *edges) for owner, (provider_id, own) in enumerate(asked) for edges in own.windows.edges
    ]
    rows: list[tuple[int, int, datetime | None]] = conn.execute(
        """
        select counted.lead_count, counted.spent_cents, newest.last_at
        from unnest(%s::uuid[], %s::uuid[], %s::timestamptz[], %s::timestamptz[]) with ordinality
             as asked (owner_id, provider_id, opened_at, closes_at, number)
        left join lateral (
            select count(*) as lead_count, coalesce(-sum(e.amount_cents), 0)::bigint as spent_cents
            from ledger_entries e
            join assignments a on a.provider_id = e.provider_id and a.ledger_seq = e.seq
            where e.provider_id = asked.provider_id and e.kind = 'lead_purchase'
              and e.created_at >= asked.opened_at and e.created_at < asked.closes_at
              and asked.owner_id in (a.provider_id, a.subscription_id) and not a.left_limits) counted on true
        left join lateral (
            select max(e.created_at) as last_at from ledger_entries e where e.provider_id = asked.provider_id) newest
             on true
        order by asked.number
        """,
        (
            array_text(asked[owner][1].owner_id for owner, *_ in windows),
            array_text(provider_id for _, provider_id, *_ in windows),
            _instants(FIRST_INSTANT if opened is None else opened for *_, opened, _ in windows),
            _instants(LAST_INSTANT if closes is None else closes for *_, closes in windows),
        ),
    ).fetchall()
    used: list[list[Used]] = [[] for _ in asked]
    last: list[int] = [0] * len(asked)
    for (owner, *_), (lead_count, spent_cents, last_at) in zip(windows, rows, strict=True):
        used[owner].append((lead_count, spent_cents))
        last[owner] = 0 if last_at is None else int(last_at.timestamp())
    return [
        counters_of(own.owner, own.owner_id, own.windows, used[number], last[number])
        for number, (_, own) in enumerate(asked)
    ]


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
    subscription, the provider's. Three statements at most.
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
            update subscriptions set limits_used = null
            where niche_id = %s and limits_used is not null and (id = any(%s::uuid[]) or provider_id = any(%s::uuid[]))
            """,
            (niche_id, array_text(subscription_ids), array_text(provider_ids)),
        )
    if provider_ids:
        forget_used(conn, "providers", provider_ids)


def forget_used(conn: Connection, table: Literal["subscriptions", "providers"], ids: Sequence[str]) -> None:
    """What these owners used of their limits is counted anew. Needs the locks of the niches, or of the providers."""
    statements: Mapping[str, LiteralString] = {
        "subscriptions": """
            update subscriptions set limits_used = null where id = any(%s::uuid[]) and limits_used is not null
            """,
        "providers": """
            update providers set limits_used = null where id = any(%s::uuid[]) and limits_used is not null
            """,
    }
    conn.execute(statements[table], (array_text(ids),))


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
