"""`fairlead niches`: what there is, what archiving would stop, and archiving, once."""

import pytest

from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.cli.program import Program
from tests.flows.marketplaces import HOSTING, declare
from tests.flows.sales import audited, query

UNSOLD = "leads that wait for approval, and stay so: 1"


@pytest.fixture
def fairlead(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Program:
    """The program on a marketplace of one niche, in which a lead waits for approval."""
    declare(database, HOSTING)
    submit_leads(database, "hosting", [{}], OPERATOR, approve=False)
    return Program(monkeypatch, capsys, database_url)


def test_the_list_has_archived_ones_too(fairlead: Program) -> None:
    [listed] = fairlead("niches", "list", "--json").json
    assert (listed["slug"], listed["is_active"], listed["is_archived"]) == ("hosting", True, False)
    fairlead("niches", "archive", "hosting")
    assert "archived" in fairlead("niches", "list").out


def test_a_dry_run_says_what_it_would_stop_and_changes_nothing(fairlead: Program, database: Database) -> None:
    ran = fairlead("niches", "archive", "hosting", "--dry-run")
    assert ran.out == "hosting would be archived; nothing was changed\n"
    assert (UNSOLD in ran.err, "subscriptions that receive no lead of it" in ran.err) == (True, True)
    told = fairlead("niches", "archive", "hosting", "--dry-run", "--json").json
    assert (told["took_effect"], told["stops"]["pending_count"], told["stops"]["is_active"]) == (False, 1, True)
    assert query(database, "select is_active, is_archived from niches") == [(True, False)]


def test_it_is_archived_once_and_restored_once(fairlead: Program, database: Database) -> None:
    ran = fairlead("niches", "archive", "hosting", "--reason", "merged into storage")
    assert (ran.out, UNSOLD in ran.err) == ("hosting is archived\n", True)
    assert query(database, "select is_active, is_archived from niches") == [(False, True)]
    assert fairlead("niches", "archive", "hosting").out == "hosting is archived already\n"
    assert len(audited(database, "niche.archived")) == 1
    assert query(database, "select memo from audit_log where action = 'niche.archived'") == [("merged into storage",)]

    assert "inactive until it is made active" in fairlead("niches", "restore", "hosting").out
    assert fairlead("niches", "restore", "hosting").out == "hosting is not archived\n"
    assert query(database, "select is_active, is_archived from niches") == [(False, False)]
    assert len(audited(database, "niche.restored")) == 1


@pytest.mark.parametrize("words", [("archive",), ("archive", "--dry-run"), ("restore",)])
def test_a_niche_that_is_not_there_is_one_line(fairlead: Program, words: tuple[str, ...]) -> None:
    ran = fairlead("niches", *words, "hostin")
    assert (ran.status, ran.err) == (1, "error: there is no niche 'hostin'\n")
