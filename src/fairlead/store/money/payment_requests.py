"""What gateways were asked to collect, from the request to the payment that it became."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, LiteralString

from fairlead.store.connection import Connection
from fairlead.store.keyset import Conditions
from fairlead.store.row_counts import change_rows
from fairlead.store.typed_rows import all_rows, one_row

State = Literal["pending", "succeeded", "failed", "in_review"]


@dataclass(frozen=True, slots=True)
class PaymentRequest:
    """A payment request as it stands. `charge_reference` is what paid it, None until it was paid."""

    request_id: str
    provider_id: str
    gateway: str
    amount_cents: int
    currency: str
    created_at: datetime
    state: State
    state_reason: str | None
    settled_at: datetime | None
    payment_id: str | None
    checkout_reference: str | None
    checkout_url: str | None
    charge_reference: str | None
    ask_count: int
    method_reference: str | None = None

    @property
    def is_automatic(self) -> bool:
        """Whether auto top-up asked for it."""
        return self.method_reference is not None


@dataclass(frozen=True, slots=True)
class ToSavedMethod:
    """What auto top-up charges to: the saved method, the month's limit, and what was used of it since its beginning."""

    method_reference: str
    monthly_limit_cents: int
    charged_cents: int
    month_from: datetime


@dataclass(frozen=True, slots=True)
class NewPaymentRequest:
    """A payment that is to be asked for; `ask_at` is when its gateway is asked what became of it."""

    request_id: str
    provider_id: str
    gateway: str
    amount_cents: int
    currency: str
    ask_at: datetime
    to_method: ToSavedMethod | None = None


_REQUESTS: LiteralString = """
    select r.id::text as request_id, r.provider_id::text, r.gateway, r.amount_cents, r.currency, r.created_at,
           r.state, r.state_reason, r.settled_at, r.payment_id::text, r.checkout_reference, r.checkout_url,
           p.external_id as charge_reference, r.ask_count, r.method_reference
    from payment_requests r left join payments p on p.id = r.payment_id"""


def insert_request(conn: Connection, request: NewPaymentRequest, now: datetime) -> None:
    """The payment is asked for, and pending."""
    values = (
        request.request_id,
        request.provider_id,
        request.gateway,
        request.amount_cents,
        request.currency,
        now,
        request.ask_at,
    )
    if request.to_method is None:
        # Only these columns are named: a provider's own session may write no others.
        conn.execute(
            """
            insert into payment_requests (id, provider_id, gateway, amount_cents, currency, created_at, ask_at)
            values (%s, %s, %s, %s, %s, %s, %s)
            """,
            values,
        )
        return
    to = request.to_method
    conn.execute(
        """
        insert into payment_requests (id, provider_id, gateway, amount_cents, currency, created_at, ask_at,
                                      method_reference, top_up_limit_cents, top_up_charged_cents, top_up_month_from)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (*values, to.method_reference, to.monthly_limit_cents, to.charged_cents, to.month_from),
    )


def payment_request(conn: Connection, request_id: str, of_provider_id: str | None = None) -> PaymentRequest | None:
    """The request; None when there is none, or none of this provider (None: of any). Locks nothing."""
    return one_row(
        conn,
        PaymentRequest,
        _REQUESTS + " where r.id = %s and r.provider_id = coalesce(%s::uuid, r.provider_id)",
        (request_id, of_provider_id),
    )


def lock_request(conn: Connection, request_id: str) -> PaymentRequest | None:
    """The request as it stands, locked until the transaction ends. Comes before niches in the order of locks."""
    # Two statements: what is locked and read in one is what it was before another transaction let go of it.
    locked = conn.execute("select from payment_requests where id = %s for no key update", (request_id,)).rowcount
    return payment_request(conn, request_id) if locked else None


def request_id_of_charge(conn: Connection, gateway: str, charge_reference: str) -> str | None:
    """The request that was paid by this charge; None where none was."""
    rows = conn.execute(
        """
        select r.id::text from payments p join payment_requests r on r.payment_id = p.id
        where p.gateway = %s and p.external_id = %s
        """,
        (gateway, charge_reference),
    ).fetchall()
    return rows[0][0] if rows else None


def settle_request(
    conn: Connection, request_id: str, state: State, reason: str | None, payment_id: str | None, now: datetime
) -> None:
    """The locked request, which did not succeed before, is settled like this, and its gateway is asked no more."""
    change_rows(
        conn,
        "payment_requests_settled_had_not_succeeded",
        1,
        """
        update payment_requests set state = %s, state_reason = %s, payment_id = %s, settled_at = %s, ask_at = null
        where id = %s and state <> 'succeeded'
        """,
        (state, reason, payment_id, now, request_id),
    )


def keep_checkout(conn: Connection, request_id: str, reference: str, url: str) -> None:
    """The request is paid on this page, unless it has one."""
    conn.execute(
        """
        update payment_requests set checkout_reference = %s, checkout_url = %s
        where id = %s and checkout_reference is null
        """,
        (reference, url, request_id),
    )


def ask_again_at(conn: Connection, request_id: str, at: datetime | None, *, counts: bool = False) -> None:
    """The request's gateway is asked then, if it is pending; None: not again. With `counts` it was asked just now."""
    conn.execute(
        "update payment_requests set ask_at = %s, ask_count = ask_count + %s where id = %s and state = 'pending'",
        (at, int(counts), request_id),
    )


def ask_soon(conn: Connection, request_id: str, at: datetime) -> None:
    """The pending request's gateway is asked then at the latest."""
    conn.execute(
        "update payment_requests set ask_at = least(ask_at, %s) where id = %s and state = 'pending'", (at, request_id)
    )


def pending_count(conn: Connection, provider_id: str, since: datetime) -> int:
    """How many payments of the provider are pending that were asked for since then."""
    return conn.execute(
        """
        select count(*) from payment_requests where provider_id = %s and created_at > %s and state = 'pending'
        """,
        (provider_id, since),
    ).fetchall()[0][0]


def requests_to_ask(conn: Connection, now: datetime, limit: int) -> list[PaymentRequest]:
    """The requests whose gateway is to be asked now, the longest due first. Locks nothing."""
    return all_rows(
        conn,
        PaymentRequest,
        _REQUESTS + " where r.ask_at <= %s order by r.ask_at, r.id limit %s",
        (now, limit),
    )


@dataclass(frozen=True, slots=True)
class PaymentItem:
    """A payment as lists show it: asked of a gateway, or recorded as made elsewhere, which has no request.

    `item_id` is its place in the list, beside its time.
    """

    payment_id: str | None
    request_id: str | None
    provider_id: str
    provider_name: str
    gateway: str
    external_id: str | None
    amount_cents: int
    currency: str
    created_at: datetime
    state: State
    state_reason: str | None
    settled_at: datetime | None
    item_id: str


@dataclass(frozen=True, slots=True)
class PaymentFilter:
    """Which payments are wanted; None: all. `named` is the id of a request or of a payment."""

    provider_id: str | None = None
    state: State | None = None
    named: str | None = None


def payments_page(
    conn: Connection, wanted: PaymentFilter, after: tuple[datetime, str] | None, limit: int
) -> list[PaymentItem]:
    """The next payments, the newest first, after the given time and id. Each half is read by its own index."""
    asked, recorded = Conditions(), Conditions()
    asked.add_given("r.provider_id = %s", wanted.provider_id)
    asked.add_given("r.state = %s", wanted.state)
    recorded.add_given("p.provider_id = %s", wanted.provider_id)
    recorded.add_given("p.status = %s", wanted.state)
    recorded.add_given("p.id = %s", wanted.named)
    if wanted.named is not None:
        asked.add("(r.id = %s or r.payment_id = %s)", wanted.named, wanted.named)
    if after is not None:
        asked.add("(r.created_at, r.id) < (%s, %s::uuid)", *after)
        recorded.add("(p.created_at, p.id) < (%s, %s::uuid)", *after)
    return all_rows(
        conn,
        PaymentItem,
        f"""
        select item.payment_id::text, item.request_id::text, item.provider_id::text, o.name as provider_name,
               item.gateway, item.external_id, item.amount_cents, item.currency, item.created_at, item.state,
               item.state_reason, item.settled_at, item.item_id::text
        from (
            (select r.payment_id, r.id as request_id, r.provider_id, r.gateway, p.external_id, r.amount_cents,
                    r.currency, r.created_at, r.state, r.state_reason, r.settled_at, r.id as item_id
             from payment_requests r left join payments p on p.id = r.payment_id
             where {asked.text} order by r.created_at desc, r.id desc limit %s)
            union all
            (select p.id, null, p.provider_id, p.gateway, p.external_id, p.amount_cents, p.currency, p.created_at,
                    p.status, null, p.created_at, p.id
             from payments p
             where not exists (select from payment_requests r where r.payment_id = p.id) and {recorded.text}
             order by p.created_at desc, p.id desc limit %s)
        ) item join providers o on o.id = item.provider_id
        order by item.created_at desc, item.item_id desc limit %s
        """,  # noqa: S608 - constants of our own
        (*asked.values, limit, *recorded.values, limit, limit),
    )
