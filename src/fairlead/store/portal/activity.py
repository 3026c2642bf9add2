"""What the journal and the queues say of one provider: its own part of each decision, and its places, no one else's."""

import sys
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from fairlead.core.configuration_entries import subscription_from_payload
from fairlead.core.gates import recorded_refusal, shut_from_record
from fairlead.core.own_standing import OwnDecision, OwnPast
from fairlead.store.connection import Connection

MOST_STATES = 200
MOST_ENTRIES = 2_000


def own_decisions(conn: Connection, niche_id: str, provider_id: str, since: datetime, limit: int) -> list[OwnDecision]:
    """The niche's newest decisions since then, at most so many, the newest first, without what is about others."""
    rows = conn.execute(
        """
        select j.seq, j.recorded_at, j.payload ->> 'lead_id', l.attributes,
               jsonb_path_query_array(j.payload, '$.levels[*].level_id'),
               jsonb_path_query_array(
                   j.payload, '$.levels[*].recipients[*] ? (@.provider_id == $own).subscription_id', %(own)s),
               jsonb_path_query_array(j.payload, '$.levels[*].refused[*] ? (@.provider_id == $own)', %(own)s),
               jsonb_path_query_array(j.payload, '$.levels[*] ? (exists (@.lead_full)).level_id'),
               jsonb_path_query_array(j.payload, '$.levels[*].price_cents'),
               case when j.payload @? '$.levels[*].counts.conflict_group' then
                    (select jsonb_agg(jsonb_build_array(level -> 'level_id',
                                      jsonb_path_query_array(level, '$.recipients[*].provider_id')) order by number)
                     from jsonb_array_elements(j.payload -> 'levels') with ordinality as each (level, number)) end
        from (select seq, recorded_at, payload from niche_journal
              where niche_id = %(niche)s and kind = 'decision' and recorded_at >= %(since)s
              order by recorded_at desc, seq desc limit %(limit)s) j
        join leads l on l.id = (j.payload ->> 'lead_id')::uuid
        order by j.seq desc
        """,
        {"niche": niche_id, "own": Jsonb({"own": provider_id}), "since": since, "limit": limit},
    ).fetchall()
    groups = _Groups(conn, niche_id, provider_id) if any(row[-1] is not None for row in rows) else None
    return [
        OwnDecision(
            seq,
            lead_id,
            attributes,
            level_ids,
            received,
            {each["subscription_id"]: each["reason"] for each in refused},
            dict(_shut(refused)),
            decided_at,
            full_at,
            () if groups is None or recipients is None else groups.conflicts_at(seq, recipients),
            dict(zip(level_ids, prices, strict=True)),
        )
        for seq, decided_at, lead_id, attributes, level_ids, received, refused, full_at, prices, recipients in rows
    ]


def earlier_shuts(
    conn: Connection, niche_id: str, provider_id: str, before: OwnDecision, limit: int
) -> list[OwnDecision]:
    """Of so many decisions of the niche before that one those which shut a subscription of the provider, as
    `own_decisions` has them; but with nothing of their leads."""
    rows = conn.execute(
        """
        select j.seq, j.recorded_at,
               jsonb_path_query_array(j.payload, '$.levels[*].refused[*] ? (@.provider_id == $own)', %(own)s)
        from (select seq, recorded_at, payload from niche_journal
              where niche_id = %(niche)s and kind = 'decision' and recorded_at <= %(moment)s and seq < %(seq)s
              order by recorded_at desc, seq desc limit %(limit)s) j
        where jsonb_path_exists(
            j.payload,
            '$.levels[*].refused[*] ? (@.provider_id == $own && @.reason != "insufficient_balance")', %(own)s)
        order by j.seq desc
        """,
        {
            "niche": niche_id,
            "own": Jsonb({"own": provider_id}),
            "moment": before.decided_at,
            "seq": before.seq,
            "limit": limit,
        },
    ).fetchall()
    return [
        OwnDecision(seq, "", {}, [], [], {}, shut, decided_at)
        for seq, decided_at, refused in rows
        if (shut := dict(_shut(refused)))
    ]


class _Groups:
    """In which conflict group each provider of the niche was at any entry, as its journal has it."""

    def __init__(self, conn: Connection, niche_id: str, provider_id: str) -> None:
        self._own_id = provider_id
        self._states: dict[str, list[tuple[int, str | None]]] = {}
        rows = conn.execute(
            """
            select payload ->> 'provider_id', seq, payload ->> 'conflict_group_id' from niche_journal
            where niche_id = %s and kind = 'provider' order by seq
            """,
            (niche_id,),
        )
        for own_id, seq, group_id in rows:
            self._states.setdefault(own_id, []).append((seq, group_id))

    def conflicts_at(self, seq: int, recipients: Sequence[tuple[str, Sequence[str]]]) -> list[str]:
        """The levels, of these with their recipients in order, where another of the own group had the lead."""
        group_id, found = self._group(self._own_id, seq), list[str]()
        if group_id is None:
            return found
        for level_id, provider_ids in recipients:
            rivals = (each for each in provider_ids if each != self._own_id)
            if found or any(self._group(each, seq) == group_id for each in rivals):
                found.append(level_id)
        return found

    def _group(self, provider_id: str, seq: int) -> str | None:
        states = self._states.get(provider_id, [])
        number = bisect_left(states, seq, key=lambda state: state[0])
        return states[number - 1][1] if number else None


def _shut(refused: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, tuple[str, datetime]]]:
    for each in refused:
        until = recorded_refusal(each, {"price_cents": 0}).shuts_until
        if until is not None:
            yield each["subscription_id"], (each["reason"], until)


def own_past(conn: Connection, niche_id: str, provider_id: str, subscription_id: str) -> OwnPast:
    """The subscription's newest states, the provider's newest statuses in the niche: at most so many of each; and what
    shuts it now.

    What a filter was that has not changed for `MOST_ENTRIES` states is not looked up.
    """
    states = conn.execute(
        """
        select state.seq, (state.payload - 'filter_sha256')
                          || jsonb_build_object('filter_rules', f.payload -> 'filter_rules'), f.seq is not null
        from (select j.seq, j.payload,
                     max(j.seq) filter (where j.payload ? 'filter_rules') over (order by j.seq) as filter_seq
              from (select seq, payload from niche_journal
                    where kind = 'subscription' and payload ->> 'subscription_id' = %(id)s and niche_id = %(niche)s
                    order by seq desc limit %(entries)s) j) state
        left join niche_journal f on f.niche_id = %(niche)s and f.seq = state.filter_seq
        order by state.seq desc limit %(states)s
        """,
        {"id": subscription_id, "niche": niche_id, "entries": MOST_ENTRIES, "states": MOST_STATES},
    ).fetchall()
    statuses = conn.execute(
        """
        select seq, payload ->> 'status' from niche_journal
        where kind = 'provider' and payload ->> 'provider_id' = %s and niche_id = %s order by seq desc limit %s
        """,
        (provider_id, niche_id, MOST_STATES),
    ).fetchall()
    known = [(seq, *subscription_from_payload(payload)) for seq, payload, is_known in reversed(states) if is_known]
    known_from_seq = 0
    if len(states) == MOST_STATES or len(known) < len(states):
        known_from_seq = known[0][0] if known else sys.maxsize
    if len(statuses) == MOST_STATES:
        known_from_seq = max(known_from_seq, statuses[-1][0])
    shut_by = conn.execute("select shut_by from subscriptions where id = %s", (subscription_id,)).fetchone()
    shut = None if shut_by is None or shut_by[0] is None else shut_from_record(shut_by[0])
    return OwnPast(
        known,
        list(reversed(statuses)),
        known_from_seq,
        None if shut is None or shut.shuts_until is None else (shut.reason, shut.shuts_until),
    )


def queue_places(conn: Connection, provider_id: str) -> dict[str, tuple[int, int]]:
    """By id of each of the provider's active subscriptions: its place in its level's queue, and how long that is.

    The queue is of those that could receive a lead now, whatever their filters say of it, in the level's order: R5, and
    R15 as `core.weighted.start_pass` has it.
    """
    rows = conn.execute(
        """
        select own.id::text,
               1 + count(other.id) filter (
                   where (case when l.queue_order = 'weighted' then greatest(other.pass, l.global_pass
                              - case when other.served_seq >= l.global_pass_seq then l.longest_stride else 0 end)
                          else 0 end, coalesce(other.served_seq, 0), other.provider_id)
                         < (case when l.queue_order = 'weighted' then greatest(own.pass, l.global_pass
                                - case when own.served_seq >= l.global_pass_seq then l.longest_stride else 0 end)
                            else 0 end, coalesce(own.served_seq, 0), own.provider_id)),
               1 + count(other.id)
        from subscriptions own
        join competition_levels l on l.id = own.competition_level_id
        left join (select s.id, s.niche_id, s.competition_level_id, s.served_seq, s.provider_id, s.pass
                   from subscriptions s join providers p on p.id = s.provider_id
                   where s.is_active and s.filter_is_valid and s.deleted_at is null and p.status = 'active') other
          on other.niche_id = own.niche_id and other.competition_level_id = own.competition_level_id
         and other.id <> own.id
        where own.provider_id = %s and own.is_active and own.filter_is_valid and own.deleted_at is null
        group by own.id, own.served_seq, own.provider_id
        """,
        (provider_id,),
    ).fetchall()
    return {subscription_id: (place, length) for subscription_id, place, length in rows}
