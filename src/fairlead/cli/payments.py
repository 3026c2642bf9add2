"""`fairlead payments`: what came in and how, what is in doubt, and auto top-ups that went off."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, cast, get_args

import typer

from fairlead.cli.marketplace import marketplace
from fairlead.cli.output import print_json, say, table
from fairlead.core.canonical import timestamp_text
from fairlead.core.errors import BadInput, Refused
from fairlead.core.money.currency import money
from fairlead.flows.payments.doubts import ResolvedDoubt, can_be_credited, close_doubt, credit_doubt
from fairlead.store.audit.log import OPERATOR
from fairlead.store.lookups import checked_id, marketplace_currency, provider_id_of
from fairlead.store.money.auto_top_ups import SwitchedOff, switched_off_top_ups
from fairlead.store.money.payment_doubts import PaymentDoubt, doubts_of_request, open_doubts
from fairlead.store.money.payment_requests import PaymentFilter, PaymentItem, State, payments_page

app = typer.Typer(help="Payments: list and show them, and decide on those that are in doubt.", no_args_is_help=True)

_STATES = get_args(State)

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs.")]
Limit = Annotated[int, typer.Option(min=1, max=100_000, help="At most so many.")]
DoubtId = Annotated[str, typer.Argument(metavar="DOUBT_ID", help="The payment in doubt, as `doubts` names it.")]
Memo = Annotated[str, typer.Option(help="Why, in one line of 10 to 1000 characters that is kept for good.")]


@app.command("list")
def list_(
    provider: Annotated[str | None, typer.Option(help="Only of this provider, by email address or id.")] = None,
    state: Annotated[str | None, typer.Option(help=f"Only in this state: {', '.join(_STATES)}.")] = None,
    limit: Limit = 20,
    as_json: AsJson = False,
) -> None:
    """List payments, the newest first: those that a gateway was asked to collect, and deposits made elsewhere.

    Examples:

        fairlead payments list --state in_review

        fairlead payments list --provider sales@anchor.example --json
    """
    if state is not None and state not in _STATES:
        raise BadInput([f"--state: there is no state {state!r}; there are {', '.join(_STATES)}"])
    with marketplace() as database, database.snapshot() as conn:
        provider_id = None if provider is None else provider_id_of(conn, provider)
        found = payments_page(conn, PaymentFilter(provider_id, cast("State | None", state)), None, limit)
    if as_json:
        print_json([_for_programs(each) for each in found])
    elif found:
        columns = ("payment", "provider", "amount", "by", "asked for", "state")
        table("", columns, [_row(each) for each in found], right=[2])
    else:
        say("No payments.")


@app.command()
def show(
    payment: Annotated[str, typer.Argument(metavar="ID", help="The payment, or its request, by id.")],
    as_json: AsJson = False,
) -> None:
    """Show one payment: who pays what, by which gateway and charge, what became of it, and each doubt about it.

    Example: fairlead payments show 01900000-0000-7000-8000-000000000000
    """
    named = checked_id(payment, "payment")
    with marketplace() as database, database.snapshot() as conn:
        found = payments_page(conn, PaymentFilter(named=named), None, 1)
        if not found:
            raise Refused("payment_unknown", f"there is no payment {named}")
        [item] = found
        doubts = () if item.request_id is None else doubts_of_request(conn, item.request_id)
    if as_json:
        print_json({**_for_programs(item), "doubts": [_doubt_for_programs(each) for each in doubts]})
        return
    for name, value in (
        ("request", item.request_id),
        ("payment", item.payment_id),
        ("provider", f"{item.provider_name} ({item.provider_id})"),
        ("amount", money(item.amount_cents, item.currency)),
        ("by", item.gateway),
        ("charge", item.external_id),
        ("asked for", _moment(item.created_at)),
        ("state", _state(item)),
        ("settled", None if item.settled_at is None else _moment(item.settled_at)),
        *(("doubt", _doubt_line(each)) for each in doubts),
    ):
        if value is not None:
            say(f"{name:<12} {value}")


@app.command("doubts")
def list_doubts(limit: Limit = 100, as_json: AsJson = False) -> None:
    """List the payments in doubt that wait for an operator, the oldest first.

    Example: fairlead payments doubts --json
    """
    with marketplace() as database:
        found = database.read(lambda conn: open_doubts(conn, None, limit))
    if as_json:
        print_json([_doubt_for_programs(each) for each in found])
    elif found:
        columns = ("doubt", "what", "provider", "came", "asked for", "charge", "since", "may be credited")
        table("", columns, [_doubt_row(each) for each in found], right=[3, 4])
    else:
        say("No payment is in doubt.")


@app.command()
def credit(
    doubt_id: DoubtId,
    memo: Memo,
    provider: Annotated[
        str | None, typer.Option(help="Whose money it is, by email address or id; without, whose payment it was.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Credit what came, as the gateway says, to a provider: once, as a payment of its own.

    Examples:

        fairlead payments credit 01900000-0000-7000-8000-000000000000 --memo "paid 13.00, says the gateway"

        fairlead payments credit 01900000-0000-7000-8000-000000000000 --provider a@example.com --memo "it is theirs"
    """
    with marketplace() as database:
        to = None if provider is None else database.read(lambda conn: provider_id_of(conn, provider))
        done = credit_doubt(database, doubt_id, memo, OPERATOR, provider_id=to)
        currency = database.read(marketplace_currency)
    assert done.balance_after_cents is not None, "it was credited"
    _answer(done, f"credited; the balance is {money(done.balance_after_cents, currency)}", as_json)


@app.command()
def close(doubt_id: DoubtId, memo: Memo, as_json: AsJson = False) -> None:
    """Close a payment in doubt: no money moves. What was in review because of it has failed.

    Example: fairlead payments close 01900000-0000-7000-8000-000000000000 --memo "sent back at the gateway"
    """
    with marketplace() as database:
        done = close_doubt(database, doubt_id, memo, OPERATOR)
    _answer(done, "closed; no money was moved", as_json)


@app.command("top-ups")
def list_top_ups(limit: Limit = 100, as_json: AsJson = False) -> None:
    """List auto top-ups that a refused charge switched off, and that their providers have not set anew since.

    Example: fairlead payments top-ups
    """
    with marketplace() as database, database.snapshot() as conn:
        found, currency = switched_off_top_ups(conn, limit), marketplace_currency(conn)
    if as_json:
        print_json([{**asdict(each), "refused_at": _text(each.refused_at)} for each in found])
    elif found:
        columns = ("provider", "balance", "below", "top-up", "why it is off", "since")
        table("", columns, [_top_up_row(each, currency) for each in found], right=[1, 2, 3])
    else:
        say("No auto top-up was switched off by a refused charge.")


def _answer(done: ResolvedDoubt, said: str, as_json: bool) -> None:
    if as_json:
        print_json({**asdict(done), "resolved_at": timestamp_text(done.resolved_at)})
    else:
        say(said)


def _row(item: PaymentItem) -> tuple[object, ...]:
    amount = money(item.amount_cents, item.currency)
    return item.item_id, item.provider_name, amount, item.gateway, _moment(item.created_at), _state(item)


def _state(item: PaymentItem) -> str:
    return item.state if item.state_reason is None else f"{item.state}: {item.state_reason}"


def _doubt_row(doubt: PaymentDoubt) -> tuple[object, ...]:
    return (
        doubt.doubt_id,
        doubt.kind,
        doubt.provider_name or "not known",
        _amount(doubt.amount_cents, doubt.currency),
        _amount(doubt.requested_cents, doubt.requested_currency),
        doubt.charge_reference or "not named",
        _moment(doubt.noticed_at),
        "yes" if can_be_credited(doubt) else "no",
    )


def _doubt_line(doubt: PaymentDoubt) -> str:
    since = f"{doubt.kind} since {_moment(doubt.noticed_at)}"
    if doubt.resolved_at is None:
        return f"{since}; waits for an operator: fairlead payments credit or close {doubt.doubt_id}"
    return f"{since}; {doubt.resolution} by {doubt.resolved_by} at {_moment(doubt.resolved_at)}: {doubt.memo}"


def _amount(cents: int | None, currency: str | None) -> str:
    return "" if cents is None else str(cents) if currency is None else money(cents, currency)


def _top_up_row(each: SwitchedOff, currency: str) -> tuple[object, ...]:
    amounts = (money(cents, currency) for cents in (each.balance_cents, each.threshold_cents, each.amount_cents))
    return each.provider_name, *amounts, each.off_reason, "" if each.refused_at is None else _moment(each.refused_at)


def _for_programs(item: PaymentItem) -> dict[str, object]:
    known = asdict(item)
    del known["item_id"]
    return {**known, "created_at": timestamp_text(item.created_at), "settled_at": _text(item.settled_at)}


def _doubt_for_programs(doubt: PaymentDoubt) -> dict[str, object]:
    times = {"noticed_at": timestamp_text(doubt.noticed_at), "resolved_at": _text(doubt.resolved_at)}
    return {**asdict(doubt), **times, "can_be_credited": can_be_credited(doubt)}


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else timestamp_text(moment)


def _moment(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M UTC")
