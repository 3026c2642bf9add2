"""`fairlead deposit`: on the balance once for its external id, and one clear line for what is refused."""

import pytest

from fairlead.store.connection import Database
from tests.cli.program import Program
from tests.flows.marketplaces import HOSTING, declare, provider_id
from tests.flows.payments.paying import balance
from tests.flows.sales import BOWLINE


@pytest.fixture
def fairlead(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Program:
    """The program on a marketplace whose provider Bowline has 600 cents."""
    declare(database, HOSTING)
    return Program(monkeypatch, capsys, database_url)


def test_a_deposit_is_recorded_once(fairlead: Program, database: Database) -> None:
    words = ("deposit", BOWLINE, "1400", "--external-id", "2026-11-03/0042")
    assert fairlead(*words).out == "1400 cents recorded; the balance is 2000 cents\n"
    assert "nothing was changed" in fairlead(*words).out
    bowline = provider_id(database, BOWLINE)
    done = fairlead("deposit", bowline, "100", "--external-id", "1", "--made-by", "cash", "--json").json
    assert (done["was_recorded"], done["balance_after_cents"]) == (False, 2100)
    assert balance(database, bowline) == 2100


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        ((BOWLINE, "0", "--external-id", "1"), 2, "amount_cents: must be between 1"),
        ((BOWLINE, "5", "--external-id", "1", "--made-by", "stripe"), 2, "--made-by: must be one of"),
        (("nobody@example.com", "5", "--external-id", "1"), 1, "there is no provider"),
        ((BOWLINE, "5"), 2, "external-id"),
    ],
)
def test_what_is_refused_is_told_in_a_line(fairlead: Program, words: tuple[str, ...], status: int, told: str) -> None:
    ran = fairlead("deposit", *words)
    assert (ran.status, told in ran.err) == (status, True), ran


def test_the_same_id_with_another_amount_is_refused(fairlead: Program) -> None:
    fairlead("deposit", BOWLINE, "5", "--external-id", "1")
    ran = fairlead("deposit", BOWLINE, "6", "--external-id", "1")
    assert (ran.status, "not 6" in ran.err) == (1, True), ran
