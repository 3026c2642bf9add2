"""Saving a payment method that auto top-up charges: the gateway's page for it, and asking whether it was saved."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

from fairlead.core.errors import Refused
from fairlead.delivery.payment_gateway import GatewayUnavailable, MethodToSave, PaymentGateway, SavedMethod
from fairlead.delivery.sandbox_gateway import NAME, TestCard
from fairlead.flows.configuration.providers import locked_provider
from fairlead.flows.maintenance.maintenance import Maintenance
from fairlead.flows.payments.gateways import needing_an_answer, open_gateway
from fairlead.flows.payments.payment_audit import gateway_actor, method_event, top_up_event
from fairlead.flows.payments.request_payment import MOST_PENDING, required_gateway
from fairlead.store.audit.log import Actor, append_audit
from fairlead.store.connection import Connection, Database
from fairlead.store.ids import new_id
from fairlead.store.leads.rows import clock
from fairlead.store.lookups import checked_id, marketplace_currency
from fairlead.store.money.auto_top_ups import auto_top_up, write_auto_top_up
from fairlead.store.money.saved_methods import (
    SavedMethodRow,
    ask_about_saving,
    choose_test_card,
    forget_replaced_later,
    forget_saved,
    give_saving_up,
    insert_saving,
    is_being_charged,
    keep_page,
    kept_at_gateway,
    saved_method,
    savings_since,
    savings_to_ask,
    write_saved,
)
from fairlead.telemetry.errors import error_kind
from fairlead.telemetry.logs import get_logger

log = get_logger(__name__)

FIRST_ASKED_AFTER = timedelta(seconds=15)
ASKED_AGAIN_AFTER = tuple(
    timedelta(seconds=each) for each in (15, 30, 60, 60, 120, 120, 300, 600, 1_800, 7_200, 21_600, 54_000)
)
"""After each time that the page was still open. Then, a day later, it is not any more."""

ASKED_AT_ONCE = 20


def open_saving(
    database: Database, gateway: PaymentGateway | None, provider_id: str, return_url: str, actor: Actor
) -> str:
    """The address of the gateway's page on which the provider saves a payment method.

    A transaction, a call to the gateway, a transaction. Nothing is charged, and the method that there is stays until
    another is saved. Raises `BadInput`, and `Refused`: `payments_off`, `too_many_payments`, `gateway_unavailable`.
    """
    checked, opened = checked_id(provider_id, "provider"), required_gateway(gateway)

    def begin(conn: Connection) -> MethodToSave:
        now = clock(conn)
        if savings_since(conn, checked, now - timedelta(days=1)) >= MOST_PENDING:
            raise Refused("too_many_payments", f"{MOST_PENDING} pages for saving a method were opened in a day")
        saving = MethodToSave(new_id(conn), marketplace_currency(conn))
        insert_saving(conn, saving.setup_id, checked, opened.name, now + FIRST_ASKED_AFTER, now)
        append_audit(conn, [method_event("payment_method.asked", saving.setup_id, checked, opened.name, actor)], now)
        return saving

    saving = database.run(begin)
    with needing_an_answer(opened):
        page = opened.open_saving(saving, return_url)

    def keep(conn: Connection) -> None:
        keep_page(conn, saving.setup_id, page.reference, page.url)

    database.run(keep)
    return page.url


def require_test_saving(database: Database, provider_id: str, setup_id: str) -> None:
    """The test gateway has this page for the provider. Raises `BadInput`, and `Refused`: `payment_unknown`."""
    checked, setup_id = checked_id(provider_id, "provider"), checked_id(setup_id, "payment method")
    database.read(lambda conn: _require_test_saving(conn, checked, setup_id))


def _require_test_saving(conn: Connection, provider_id: str, setup_id: str) -> None:
    row = saved_method(conn, setup_id, provider_id)
    if row is None or row.gateway != NAME:
        raise Refused("payment_unknown", f"there is no payment method {setup_id}")


def answer_as_test_card(database: Database, provider_id: str, setup_id: str, card: TestCard) -> None:
    """This test card is the one that is saved; a later choice changes nothing.

    Raises `BadInput`, and `Refused`: `payment_unknown`, also for a page of another gateway.
    """
    checked, setup_id = checked_id(provider_id, "provider"), checked_id(setup_id, "payment method")

    def work(conn: Connection) -> None:
        _require_test_saving(conn, checked, setup_id)
        choose_test_card(conn, setup_id, card, clock(conn))

    database.run(work)


def ask_about_savings(maintenance: Maintenance) -> Counter[str]:
    """Methods that gateways say are saved can be charged, and gateways keep those no more that others replaced.

    Returns about how many they were asked. Each is a call outside of any transaction, then a transaction, which locks
    the provider. Safe to run any number of times at once. Raises `Unavailable`.
    """
    database = maintenance.database
    gateway = open_gateway(database, maintenance.settings)
    due = database.read(lambda conn: savings_to_ask(conn, clock(conn), ASKED_AT_ONCE))
    for row in due:
        _ask_about(database, gateway, row)
    return Counter(methods=len(due))


def _ask_about(database: Database, gateway: PaymentGateway | None, row: SavedMethodRow) -> None:
    if row.state == "replaced":
        _forget_replaced(database, gateway, row)
        return
    if row.page_reference is None or gateway is None or gateway.name != row.gateway:
        database.run(lambda conn: _postpone(conn, row.setup_id))
        return
    currency = database.read(marketplace_currency)
    try:
        state = gateway.look_up_saving(MethodToSave(row.setup_id, currency, row.page_reference))
    except GatewayUnavailable as error:
        log.warning("payment gateway gave no answer", action=gateway.name, error=error_kind(error))
        database.run(lambda conn: _postpone(conn, row.setup_id))
        return
    method = state.method
    if method is not None:
        database.run(lambda conn: _save(conn, row.setup_id, method))
    elif state.is_over:
        database.run(lambda conn: give_saving_up(conn, row.setup_id))
    else:
        database.run(lambda conn: _postpone(conn, row.setup_id))


def _forget_replaced(database: Database, gateway: PaymentGateway | None, row: SavedMethodRow) -> None:
    """The gateway keeps the method no more, or is told so again later; never given up.

    Not while what became of a charge to it is not known: a gateway that forgot the method would refuse to repeat that.
    """
    reference = row.method_reference
    assert reference is not None, "it is kept at the gateway"
    later = ASKED_AGAIN_AFTER[min(row.ask_count, len(ASKED_AGAIN_AFTER) - 1)]
    if gateway is None or gateway.name != row.gateway:
        database.run(lambda conn: forget_replaced_later(conn, row.setup_id, clock(conn) + later))
        return
    if database.read(lambda conn: is_being_charged(conn, row.provider_id, reference)):
        again = FIRST_ASKED_AFTER
        database.run(lambda conn: forget_replaced_later(conn, row.setup_id, clock(conn) + again, counts=False))
        return
    try:
        gateway.forget_method(reference)
    except GatewayUnavailable as error:
        log.warning("payment gateway gave no answer", action=gateway.name, error=error_kind(error))
        database.run(lambda conn: forget_replaced_later(conn, row.setup_id, clock(conn) + later))
        return
    database.run(lambda conn: _forget(conn, row, gateway_actor(row.gateway)))


def _save(conn: Connection, setup_id: str, method: SavedMethod) -> None:
    seen = saved_method(conn, setup_id)
    assert seen is not None, "rows stay"
    locked_provider(conn, seen.provider_id)
    row = saved_method(conn, setup_id)
    if row is None or row.state != "open":
        return
    now, actor = clock(conn), gateway_actor(row.gateway)
    write_saved(conn, row, method.reference, method.label, now)
    append_audit(conn, [method_event("payment_method.saved", setup_id, row.provider_id, row.gateway, actor)], now)


def _postpone(conn: Connection, setup_id: str) -> None:
    row = saved_method(conn, setup_id)
    if row is None or row.state != "open":
        return
    if row.ask_count < len(ASKED_AGAIN_AFTER):
        ask_about_saving(conn, setup_id, clock(conn) + ASKED_AGAIN_AFTER[row.ask_count], counts=True)
    else:
        give_saving_up(conn, setup_id)


def forget_method(database: Database, gateway: PaymentGateway | None, provider_id: str, actor: Actor) -> None:
    """The provider has no saved method, here or at the gateway, and its auto top-up is off.

    A call to the gateway, then a transaction, audited, which locks the provider; once more for each method that was
    replaced and is still kept there, or was saved in between. Without a method nothing happens. Raises `BadInput`, and
    `Refused`: `provider_unknown`, `gateway_unavailable`.
    """
    checked = checked_id(provider_id, "provider")
    while (row := database.read(lambda conn: kept_at_gateway(conn, checked))) is not None:
        if gateway is not None and gateway.name == row.gateway and row.method_reference is not None:
            with needing_an_answer(gateway):
                gateway.forget_method(row.method_reference)
        database.run(lambda conn, row=row: _forget(conn, row, actor))


def _forget(conn: Connection, row: SavedMethodRow, actor: Actor) -> None:
    """The method is forgotten. Where it was the one to be charged, auto top-up is off."""
    locked_provider(conn, row.provider_id)
    before = forget_saved(conn, row.provider_id, row.setup_id)
    if before is None:
        return
    now, top_up = clock(conn), auto_top_up(conn, row.provider_id)
    events = [method_event("payment_method.forgotten", row.setup_id, row.provider_id, row.gateway, actor)]
    if before == "saved" and top_up is not None and top_up.is_on:
        off = replace(top_up, is_on=False, due_at=None)
        write_auto_top_up(conn, off)
        events.append(top_up_event(top_up, off, actor))
    append_audit(conn, events, now)
