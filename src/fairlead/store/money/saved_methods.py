"""Payment methods that providers saved at a gateway, to be charged without them, and those that they are saving."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, LiteralString

from fairlead.store.connection import Connection
from fairlead.store.row_counts import change_rows
from fairlead.store.typed_rows import all_rows, one_row

MethodState = Literal["open", "saved", "failed", "replaced", "forgotten"]


@dataclass(frozen=True, slots=True)
class SavedMethodRow:
    """A payment method, or the page on which it is to be saved. `label` is what its owner knows it by."""

    setup_id: str
    provider_id: str
    gateway: str
    state: MethodState
    created_at: datetime
    page_reference: str | None
    page_url: str | None
    method_reference: str | None
    label: str | None
    ask_count: int
    test_card: str | None


_ROWS: LiteralString = """
    select id::text as setup_id, provider_id::text, gateway, state, created_at, page_reference, page_url,
           method_reference, label, ask_count, test_card
    from saved_methods"""


def insert_saving(
    conn: Connection, setup_id: str, provider_id: str, gateway: str, ask_at: datetime, now: datetime
) -> None:
    """The provider is saving a method at the gateway, which is asked then whether it did."""
    conn.execute(
        "insert into saved_methods (id, provider_id, gateway, created_at, ask_at) values (%s, %s, %s, %s, %s)",
        (setup_id, provider_id, gateway, now, ask_at),
    )


def saved_method(conn: Connection, setup_id: str, of_provider_id: str | None = None) -> SavedMethodRow | None:
    """The method, saved or not; None when there is none, or none of this provider (None: of any). Locks nothing."""
    return one_row(
        conn,
        SavedMethodRow,
        _ROWS + " where id = %s and provider_id = coalesce(%s::uuid, provider_id)",
        (setup_id, of_provider_id),
    )


def method_of_provider(conn: Connection, provider_id: str) -> SavedMethodRow | None:
    """The method that can be charged; None without one. Final only under the provider's lock."""
    return one_row(conn, SavedMethodRow, _ROWS + " where provider_id = %s and state = 'saved'", (provider_id,))


def kept_at_gateway(conn: Connection, provider_id: str) -> SavedMethodRow | None:
    """A method that the gateway keeps for the provider: one that was replaced, else the one that can be charged.

    None without any. Final only under the provider's lock.
    """
    return one_row(
        conn,
        SavedMethodRow,
        _ROWS + " where provider_id = %s and state in ('saved', 'replaced') order by state, id limit 1",
        (provider_id,),
    )


def savings_since(conn: Connection, provider_id: str, since: datetime) -> int:
    """How many pages for saving a method the provider opened since then."""
    return conn.execute(
        "select count(*) from saved_methods where provider_id = %s and created_at > %s", (provider_id, since)
    ).fetchall()[0][0]


def keep_page(conn: Connection, setup_id: str, reference: str, url: str) -> None:
    """The method is saved on this page, unless it has one."""
    conn.execute(
        "update saved_methods set page_reference = %s, page_url = %s where id = %s and page_reference is null",
        (reference, url, setup_id),
    )


def choose_test_card(conn: Connection, setup_id: str, card: str, now: datetime) -> None:
    """This card was chosen on the test gateway's page, unless one was before, and it is asked for it now."""
    conn.execute(
        "update saved_methods set test_card = %s, ask_at = %s where id = %s and state = 'open' and test_card is null",
        (card, now, setup_id),
    )


def ask_about_saving(conn: Connection, setup_id: str, at: datetime | None, *, counts: bool = False) -> None:
    """The gateway is asked then whether it is saved, while it is open; None: not again."""
    conn.execute(
        "update saved_methods set ask_at = %s, ask_count = ask_count + %s where id = %s and state = 'open'",
        (at, int(counts), setup_id),
    )


def savings_to_ask(conn: Connection, now: datetime, limit: int) -> list[SavedMethodRow]:
    """Those whose gateway is to be asked now, the longest due first. Locks nothing."""
    return all_rows(conn, SavedMethodRow, _ROWS + " where ask_at <= %s order by ask_at, id limit %s", (now, limit))


def forget_replaced_later(conn: Connection, setup_id: str, at: datetime, *, counts: bool = True) -> None:
    """The gateway is told then to keep the replaced method no more."""
    conn.execute(
        "update saved_methods set ask_at = %s, ask_count = ask_count + %s where id = %s and state = 'replaced'",
        (at, int(counts), setup_id),
    )


def is_being_charged(conn: Connection, provider_id: str, method_reference: str) -> bool:
    """Whether what became of a charge to the provider's method is not known yet."""
    return conn.execute(
        """
        select exists (select from payment_requests
                       where provider_id = %s and method_reference = %s and state = 'pending')
        """,
        (provider_id, method_reference),
    ).fetchall()[0][0]


def write_saved(conn: Connection, row: SavedMethodRow, method_reference: str, label: str, now: datetime) -> None:
    """The open method is saved, and the provider's former one is replaced: its gateway is to be told from now on.

    A former one that its gateway calls the same is forgotten: it is kept. Needs the provider's lock.
    """
    conn.execute(
        """
        update saved_methods
        set label = null, ask_count = 0,
            state = case when method_reference = %(new)s then 'forgotten' else 'replaced' end,
            method_reference = case when method_reference <> %(new)s then method_reference end,
            ask_at = case when method_reference <> %(new)s then %(now)s::timestamptz end
        where provider_id = %(provider_id)s and state = 'saved'
        """,
        {"new": method_reference, "now": now, "provider_id": row.provider_id},
    )
    change_rows(
        conn,
        "saved_methods_saved_were_open",
        1,
        """
        update saved_methods set state = 'saved', method_reference = %s, label = %s, ask_at = null
        where id = %s and state = 'open'
        """,
        (method_reference, label, row.setup_id),
    )


def give_saving_up(conn: Connection, setup_id: str) -> None:
    """The open method will not be saved."""
    conn.execute(
        "update saved_methods set state = 'failed', ask_at = null where id = %s and state = 'open'", (setup_id,)
    )


def forget_saved(conn: Connection, provider_id: str, setup_id: str) -> MethodState | None:
    """The provider's method is forgotten; returns whether it was saved or replaced before, None where it was neither.

    Needs the provider's lock.
    """
    row = saved_method(conn, setup_id, provider_id)
    if row is None or row.state not in ("saved", "replaced"):
        return None
    conn.execute(
        """
        update saved_methods set state = 'forgotten', method_reference = null, label = null, ask_at = null
        where id = %s and state in ('saved', 'replaced')
        """,
        (setup_id,),
    )
    return row.state
