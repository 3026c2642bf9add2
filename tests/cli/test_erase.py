"""`fairlead erase`: looked at first, a lead or a person, and one clear line for what is neither."""

import pytest

from fairlead.flows.approve_lead import approve_lead
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.ids import new_id
from tests.cli.program import Program
from tests.flows.erasure.canaries import CANARIES, distribute, found, open_market, sent
from tests.flows.intake.senders import send


@pytest.fixture
def fairlead(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Program:
    """The program on a marketplace that takes leads in."""
    open_market(database)
    return Program(monkeypatch, capsys, database_url)


def test_a_dry_run_shows_what_would_go_and_changes_nothing(fairlead: Program, database: Database) -> None:
    lead_id = send(database, sent()).lead_id
    before = found(database)
    shown = fairlead("erase", lead_id, "--dry-run")
    assert (shown.status, "Nothing was changed." in shown.out) == (0, True), shown
    assert "quokka" not in shown.out.lower()
    told = fairlead("erase", "--person", CANARIES["contact_email"], "--dry-run", "--json").json
    assert [(each["lead_id"], each["answers"]) for each in told["leads"]] == [(lead_id, 3)]
    assert found(database) == before


def test_a_lead_and_a_person_are_erased_once(fairlead: Program, database: Database) -> None:
    first, second = (send(database, sent()).lead_id for _ in range(2))
    assert fairlead("erase", first).out == "1 lead erased\n"
    assert "erased before" in fairlead("erase", first).out
    done = fairlead("erase", "--person", "+34600717273", "--reason", "consent_withdrawn", "--json").json
    assert done == {"lead_ids": [second], "told_count": 0}
    assert "nothing was changed" in fairlead("erase", "--person", "+34600717273").out
    assert found(database) == []


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ((), 2),
        (("x",), 2),
        ((new_id(),), 1),
        ((new_id(), "--person", "a@example.com"), 2),
        (("--person", "Quokka"), 2),
        ((new_id(), "--reason", "because"), 2),
    ],
)
def test_what_is_refused_is_one_line(words: tuple[str, ...], status: int, fairlead: Program) -> None:
    ran = fairlead("erase", *words)
    assert (ran.status, ran.err.count("\n")) == (status, 1), ran
    assert "Quokka" not in ran.err


def test_explaining_an_erased_lead_for_a_provider_says_that_it_is_erased(fairlead: Program, database: Database) -> None:
    lead_id = send(database, sent()).lead_id
    approve_lead(database, lead_id, OPERATOR)
    distribute(database)
    fairlead("erase", lead_id)
    whole = fairlead("explain", lead_id)
    assert (whole.status, "Anchor" in whole.out, "quokka" in whole.out.lower()) == (0, True, False), whole
    ran = fairlead("explain", lead_id, "--provider", "anchor@example.com")
    assert (ran.status, ran.out, ran.err.count("\n"), "are gone" in ran.err) == (1, "", 1, True), ran
