"""`fairlead deposit`: money that was paid in elsewhere, on its provider's balance."""

from dataclasses import asdict
from typing import Annotated, get_args

import typer

from fairlead.cli.marketplace import marketplace
from fairlead.cli.output import print_json, say
from fairlead.core.errors import BadInput
from fairlead.core.money.payments import MadeElsewhere
from fairlead.flows.money.deposit import deposit as record_deposit
from fairlead.store.audit.log import OPERATOR
from fairlead.store.lookups import provider_id_of

_MADE_BY = get_args(MadeElsewhere)


def deposit(
    provider: Annotated[str, typer.Argument(help="The provider, by email address or id.")],
    amount_cents: Annotated[int, typer.Argument(help="How much came, in minor units of the currency.")],
    external_id: Annotated[
        str, typer.Option(help="What names this deposit where it was made: it is credited once for it.")
    ],
    made_by: Annotated[str, typer.Option(help=f"Where it was made: {', '.join(_MADE_BY)}.")] = "bank_transfer",
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs.")] = False,
) -> None:
    """Record a deposit that was made elsewhere, such as a bank transfer.

    It is on the balance at once, and subscriptions that it can pay for are active again. The same external id again
    changes nothing; with another amount or another provider it is refused.

    Example:

        fairlead deposit sales@anchor.example 50000 --external-id 2026-11-03/0042
    """
    if made_by not in _MADE_BY:
        raise BadInput([f"--made-by: must be one of {', '.join(_MADE_BY)}"])
    with marketplace() as database:
        provider_id = database.read(lambda conn: provider_id_of(conn, provider))
        done = record_deposit(database, provider_id, amount_cents, made_by, external_id, OPERATOR)
    if as_json:
        print_json(asdict(done))
    elif done.was_recorded:
        say(f"recorded before: {done.amount_cents} cents, entry {done.ledger_seq} of the ledger; nothing was changed")
    else:
        say(f"{done.amount_cents} cents recorded; the balance is {done.balance_after_cents} cents")
