"""Auto top-up in the marketplace file: its terms, and off; that it is on is its provider's own consent."""

import pytest

from fairlead.core.errors import BadInput, Refused
from fairlead.flows.declaring.export_marketplace import export_marketplace
from fairlead.flows.money.adjust_balance import adjust_balance
from fairlead.flows.payments.auto_top_up import change_auto_top_up, read_auto_top_up
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.flows.marketplaces import HOSTING, declare, everything, provider_id
from tests.flows.payments.paying import MEMO, PAYER
from tests.flows.payments.topping_up import WANTED, charge_now, save_card, standing, switch_on
from tests.flows.sales import BOWLINE, query

TERMS = "threshold_cents = 700, amount_cents = 1400, monthly_limit_cents = 4200"


def top_up(keys: str) -> str:
    return f'[[provider]]\nemail = "{BOWLINE}"\nauto_top_up = {{ {keys} }}\n'


def problems(database: Database, text: str) -> list[str]:
    before = everything(database)
    with pytest.raises(BadInput) as refused:
        declare(database, text)
    assert everything(database) == before
    return list(refused.value.problems)


def terms(database: Database) -> list[tuple[int, int, int, bool]]:
    return query(database, "select threshold_cents, amount_cents, monthly_limit_cents, is_on from auto_top_ups")


def test_terms_are_set_off_and_only_the_provider_switches_them_on(database: Database) -> None:
    declare(database, HOSTING)
    [change] = declare(database, top_up(TERMS), dry_run=True).changes
    said = "threshold_cents 700, amount_cents 1400, monthly_limit_cents 4200, on false"
    assert change.line == f"+ auto_top_up {BOWLINE}: {said}"
    assert terms(database) == []
    assert declare(database, top_up(TERMS)).changes == (change,)
    assert declare(database, top_up(TERMS + ", on = false")).changes == ()
    assert terms(database) == [(700, 1400, 4200, False)]
    bowline = provider_id(database, BOWLINE)
    assert charge_now(database) == 0
    # As on the portal: without a saved method it does not go on, though terms are there.
    with pytest.raises(Refused, match="save a payment method first"):
        change_auto_top_up(database, bowline, WANTED, PAYER)
    save_card(database, bowline, "pays")
    assert charge_now(database) == 0, "a saved method alone is no consent"
    change_auto_top_up(database, bowline, WANTED, PAYER)
    assert charge_now(database) == 1
    actors = "select actor, memo like 'marketplace file %%' from audit_log where action = 'auto_top_up.changed'"
    assert query(database, actors + " order by seq") == [("operator", True), (PAYER.name, None)]


def test_a_file_cannot_switch_it_on(database: Database) -> None:
    declare(database, HOSTING)
    assert problems(database, top_up(TERMS + ", on = true")) == [
        "provider[0].auto_top_up.on: must be false: only the provider can agree to be charged"
    ]


def test_what_a_provider_switched_on_is_changed_by_it_alone_and_switched_off_by_a_file(database: Database) -> None:
    switch_on(database)
    assert declare(database, top_up(TERMS)).changes == ()
    assert problems(database, top_up("monthly_limit_cents = 9000")) == [
        "provider[0].auto_top_up: is on, and only the provider changes what it agreed to be charged; "
        "on = false switches it off"
    ]
    [change] = declare(database, top_up("monthly_limit_cents = 9000, on = false")).changes
    assert change.line == f"~ auto_top_up {BOWLINE}: monthly_limit_cents 4200 -> 9000, on true -> false"
    assert (terms(database), standing(database)) == ([(700, 1400, 9000, False)], (False, None, 0, False))
    adjust_balance(database, provider_id(database, BOWLINE), "debit", 100, MEMO, OPERATOR)
    assert charge_now(database) == 0


def test_mistakes_name_their_place(database: Database) -> None:
    declare(database, HOSTING + "[marketplace]\nmin_deposit_cents = 1000")
    assert problems(database, top_up("threshold_cents = 700")) == [
        f"provider[0].auto_top_up.amount_cents: is missing, and {BOWLINE} has no auto top-up yet",
        f"provider[0].auto_top_up.monthly_limit_cents: is missing, and {BOWLINE} has no auto top-up yet",
    ]
    wrong = "threshold_cents = 700, amount_cents = 999, monthly_limit_cents = 998"
    assert problems(database, top_up(wrong)) == [
        "provider[0].auto_top_up.amount_cents: must be between 1000 and 1000000000000, not 999",
        "provider[0].auto_top_up.monthly_limit_cents: must be at least the amount, 999, "
        "and at most 9007199254740991, not 998",
    ]
    assert declare(database, top_up("on = false")).changes == ()
    assert terms(database) == []


def test_the_file_of_a_marketplace_has_the_terms_and_not_that_they_are_on(database: Database) -> None:
    bowline = switch_on(database)
    file = export_marketplace(database, OPERATOR)
    said = file.text[file.text.index("[provider.auto_top_up]") :].split("\n\n")[0]
    assert said.splitlines()[1:4] == ["threshold_cents = 700", "amount_cents = 1400", "monthly_limit_cents = 4200"]
    assert "on = " not in said
    assert declare(database, file.text).changes == ()
    row = read_auto_top_up(database, bowline).row
    assert row is not None
    assert row.is_on
