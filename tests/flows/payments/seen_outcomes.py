"""The outcome of a case as the tables have it, and as the case says it, in the same shape."""

from typing import NamedTuple

from fairlead.core.model import MAX_BALANCE_CENTS
from fairlead.store.connection import Database
from tests.flows.payments.outcomes import Case, TopUpCase, its_balance_is_full
from tests.flows.payments.paying import Asked, balance, doubts, state_of
from tests.flows.payments.topping_up import requests, standing
from tests.flows.sales import query


class Outcome(NamedTuple):
    """What became of a payment: its state, what the balance is, what is in doubt, how often operators were told, and
    how many receipts were taken back.
    """

    state: str
    balance_cents: int
    in_doubt: tuple[str, ...]
    alerts: int
    credit_notes: int


def outcome(database: Database, asked: Asked) -> Outcome:
    """What became of it."""
    [(alerts,)] = query(database, "select count(*) from notifications where kind = 'operator_alert'")
    [(notes,)] = query(database, "select count(*) from receipts where kind = 'credit_note'")
    kinds = tuple(sorted(kind for kind, _ in doubts(database)))
    return Outcome(state_of(database, asked)[0], balance(database, asked.bowline_id), kinds, alerts, notes)


def wanted_outcome(case: Case) -> Outcome:
    """What was to become of it: Bowline had 600 cents, or all that a balance holds."""
    had = MAX_BALANCE_CENTS if case.before is its_balance_is_full else 600
    return Outcome(case.state, had + case.credited_cents, case.in_doubt, len(case.in_doubt), case.credit_notes)


ChargeOutcome = tuple[str, bool, tuple[str, ...], list[tuple[str, int]]]


def charge_outcome(database: Database) -> ChargeOutcome:
    """The charge's state, whether auto top-up is on, what is in doubt, and what its provider was told, how often."""
    [(state, _, _)] = requests(database)
    told = query(
        database,
        """
        select kind, count(*)::int from notifications
        where kind in ('balance_topped_up', 'auto_top_up_failed') group by 1
        """,
    )
    return state, standing(database)[0], tuple(kind for kind, _ in doubts(database)), told


def wanted_charge_outcome(case: TopUpCase) -> ChargeOutcome:
    """What was to become of it."""
    return case.state, case.is_on, case.in_doubt, [] if case.told is None else [(case.told, 1)]
