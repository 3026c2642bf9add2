"""A balance ends at 2^53 - 1 cents: what would lead beyond is refused in one line, and up to there all goes on."""

from collections.abc import Callable

import pytest

from fairlead.core.errors import BadInput, Refused
from fairlead.flows.distributor import Distributor
from fairlead.flows.money.adjust_balance import adjust_balance
from fairlead.flows.money.bad_leads import accept_bad_lead, mark_lead_bad, report_bad_lead
from fairlead.flows.money.deposit import deposit
from fairlead.flows.money.refund import refund_assignment
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.flows.marketplaces import HOSTING, declare, everything, provider_id
from tests.flows.sales import ANCHOR, MEMO, PORTAL, balances, query, sell

LARGEST = 9_007_199_254_740_991
LARGEST_AMOUNT = 1_000_000_000_000


def paid_up_to_the_last_cent(email: str) -> str:
    """A marketplace file whose many deposits fill the balance of a new provider."""
    whole, rest = divmod(LARGEST, LARGEST_AMOUNT)
    amounts = [LARGEST_AMOUNT] * whole + [rest]
    deposits = ", ".join(f'{{external_id = "d{i}", amount_cents = {each}}}' for i, each in enumerate(amounts))
    return f'[[provider]]\nemail = "{email}"\nname = "Cleat"\ndeposit = [{deposits}]\n'


def test_the_last_cent_is_taken_and_not_one_more(database: Database) -> None:
    declare(database, HOSTING)
    email = "cleat@example.com"
    declare(database, paid_up_to_the_last_cent(email))
    own = provider_id(database, email)
    assert balances(database)["Cleat"] == LARGEST
    refused = f"1 cents on top of {LARGEST} are more than the {LARGEST} that a balance holds"
    another = f'[[provider]]\nemail = "{email}"\ndeposit = [{{ external_id = "more", amount_cents = 1 }}]\n'
    before = everything(database)
    with pytest.raises(BadInput) as found:
        declare(database, another)
    assert found.value.problems == (f"provider[0].deposit[0].amount_cents: {refused}",)
    verbs: list[Callable[[], object]] = [
        lambda: deposit(database, own, 1, "bank", "more", OPERATOR),
        lambda: adjust_balance(database, own, "credit", 1, MEMO, OPERATOR),
    ]
    for verb in verbs:
        with pytest.raises(Refused) as caught:
            verb()
        assert (caught.value.code, str(caught.value)) == ("balance_too_large", refused)
    assert everything(database) == before
    declare(database, f'[[provider]]\nemail = "{email}"\nsubscription = [{{ niche = "hosting", level = "gold" }}]\n')
    [(niche_id,)] = query(database, "select id::text from niches where slug = 'hosting'")
    submit_leads(database, "hosting", [{"cores": 8, "region": "north"}] * 3, OPERATOR, approve=True)
    assert len(Distributor(database).distribute_waiting(niche_id)) == 3
    [(bought,), *_] = query(database, "select id::text from assignments where provider_id = %s", own)
    adjust_balance(database, own, "credit", LARGEST - balances(database)["Cleat"], MEMO, OPERATOR)
    with pytest.raises(Refused) as caught:
        refund_assignment(database, bought, MEMO, OPERATOR)
    assert caught.value.code == "balance_too_large"


def test_a_refund_that_does_not_fit_changes_nothing_of_the_lead(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    sale = sell(database)
    report_bad_lead(database, sale.anchor_id, sale.anchor, "spam", None, PORTAL)
    monkeypatch.setattr("fairlead.core.ledger.MAX_BALANCE_CENTS", 4999)
    before = everything(database)
    verbs: list[Callable[[], object]] = [
        lambda: accept_bad_lead(database, sale.anchor, MEMO, OPERATOR),
        lambda: refund_assignment(database, sale.anchor, MEMO, OPERATOR),
        lambda: mark_lead_bad(database, sale.lead_id, MEMO, OPERATOR),
    ]
    for verb in verbs:
        with pytest.raises(Refused) as caught:
            verb()
        assert caught.value.code == "balance_too_large"
    assert everything(database) == before
    adjust_balance(database, provider_id(database, ANCHOR), "debit", 1, MEMO, OPERATOR)
    assert accept_bad_lead(database, sale.anchor, MEMO, OPERATOR).decision == "accepted"
