"""The ledger: the one way in which a balance moves, with the entry that says why and the alert that it is low now."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from fairlead.core.calendar.stored_counters import StoredCounters
from fairlead.core.ledger import LowBalance, Posting
from fairlead.core.money.top_ups import falls_below
from fairlead.store.arrays import array_text, array_text_or_null, quoted_array_text
from fairlead.store.connection import Connection
from fairlead.store.money.auto_top_ups import make_due
from fairlead.store.notifications.outbox import Notification, notify
from fairlead.store.row_counts import change_rows


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """A posting to be stored: whose it is, what it is of, and why an operator made it."""

    provider_id: str
    posting: Posting
    assignment_id: str | None = None
    payment_id: str | None = None
    memo: str | None = None


def post_entries(
    conn: Connection,
    entries: Sequence[LedgerEntry],
    low_balances: Mapping[str, LowBalance],
    actor_name: str,
    now: datetime,
    *,
    limits_used: Callable[[], Mapping[str, StoredCounters]] | None = None,
) -> None:
    """The entries are in the ledgers, the balances are those after them, and providers whose balance fell are told.

    Of one provider the entries follow one another. Needs the locks of the providers' rows, and by provider id what
    those say of a low balance (`core.ledger.LowBalance` is the rule). With `limits_used` they are sales, and this gives
    what is kept of the providers' limits after them, nothing of the others'; it is asked while the server writes the
    entries. An auto top-up whose threshold a balance fell below is due. Four statements at most, and a job with the
    third. Raises `RowsMissed` where a balance is not what the first of its entries follows.
    """
    if not entries:
        return
    postings = [entry.posting for entry in entries]
    conn.execute(
        """
        insert into ledger_entries (provider_id, seq, kind, amount_cents, balance_after_cents, assignment_id,
                                    payment_id, actor, memo, created_at)
        select provider_id, seq, kind, amount_cents, balance_after_cents, assignment_id, payment_id, %s, memo, %s
        from unnest(%s::uuid[], %s::bigint[], %s::text[], %s::bigint[], %s::bigint[], %s::uuid[], %s::uuid[],
                    %s::text[])
             as entry (provider_id, seq, kind, amount_cents, balance_after_cents, assignment_id, payment_id, memo)
        """,
        (
            actor_name,
            now,
            array_text([entry.provider_id for entry in entries]),
            array_text([posting.seq for posting in postings]),
            array_text([posting.kind.value for posting in postings]),
            array_text([posting.amount_cents for posting in postings]),
            array_text([posting.balance_after_cents for posting in postings]),
            quoted_array_text([entry.assignment_id for entry in entries]),
            quoted_array_text([entry.payment_id for entry in entries]),
            quoted_array_text([entry.memo for entry in entries]),
        ),
    )
    _move_balances(conn, entries, low_balances, now, limits_used)


def _move_balances(
    conn: Connection,
    entries: Sequence[LedgerEntry],
    low_balances: Mapping[str, LowBalance],
    now: datetime,
    limits_used: Callable[[], Mapping[str, StoredCounters]] | None,
) -> None:
    kept: Mapping[str, StoredCounters] = {} if limits_used is None else limits_used()
    # A provider may have several entries here: the last of them says where it stands, the first where it stood.
    last = {entry.provider_id: entry.posting for entry in entries}
    first = {entry.provider_id: entry.posting for entry in reversed(entries)}
    debited = {entry.provider_id for entry in entries if entry.posting.amount_cents < 0}
    after = {
        provider_id: low_balances[provider_id].after(posting.balance_after_cents, is_debited=provider_id in debited)
        for provider_id, posting in last.items()
    }
    change_rows(
        conn,
        "providers_balance_follows_its_entries",
        len(last),
        """
        update providers p
        set balance_cents = moved.balance_cents, ledger_seq = moved.ledger_seq,
            low_balance_alerted_at = case when moved.was_told then coalesce(p.low_balance_alerted_at, %s) end,
            limits_used = case when %s then moved.limits_used else p.limits_used end
        from unnest(%s::uuid[], %s::bigint[], %s::bigint[], %s::boolean[], %s::bigint[], %s::bigint[], %s::text[])
             as moved (provider_id, balance_cents, ledger_seq, was_told, balance_before_cents, ledger_seq_before,
                       limits_used)
        where p.id = moved.provider_id and p.balance_cents = moved.balance_before_cents
          and p.ledger_seq = moved.ledger_seq_before
        """,
        (
            now,
            limits_used is not None,
            array_text(last),
            array_text([posting.balance_after_cents for posting in last.values()]),
            array_text([posting.seq for posting in last.values()]),
            array_text([low_balance.was_told for low_balance in after.values()]),
            array_text([first[each].balance_after_cents - first[each].amount_cents for each in last]),
            array_text([first[each].seq - 1 for each in last]),
            array_text_or_null([None if (own := kept.get(each)) is None else own.text for each in last]),
        ),
    )
    fallen = [each for each in after if after[each].was_told and not low_balances[each].was_told]
    notify(conn, [_alert(each, last[each].balance_after_cents, after[each].threshold_cents) for each in fallen], now)
    to_top_up = [
        each
        for each, posting in last.items()
        if falls_below(
            low_balances[each].top_up_below_cents,
            first[each].balance_after_cents - first[each].amount_cents,
            posting.balance_after_cents,
        )
    ]
    if to_top_up:
        make_due(conn, to_top_up, now)


def _alert(provider_id: str, balance_cents: int, threshold_cents: int | None) -> Notification:
    detail = {"balance_cents": balance_cents, "threshold_cents": threshold_cents}
    return Notification("low_balance", provider_id=provider_id, detail=detail)


def forget_low_balance(conn: Connection, provider_ids: Sequence[str]) -> int:
    """Those of the providers, locked before, whose balance is not low any more will be told when it falls again.

    Returns how many they are.
    """
    done = conn.execute(
        """
        update providers set low_balance_alerted_at = null
        where id = any(%s::uuid[]) and coalesce(balance_cents >= low_balance_threshold_cents, true)
        """,
        (list(provider_ids),),
    )
    return done.rowcount
