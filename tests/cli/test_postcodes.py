"""`fairlead postcodes`: tables are loaded and listed, and filters go by the newest version when that is asked for."""

from pathlib import Path

import pytest

from fairlead.flows.configuration.subscriptions import set_filter
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.cli.program import Program
from tests.flows.configuration.test_postcode_tables import FIRST, MARKET, near
from tests.flows.marketplaces import declare
from tests.flows.sales import query


@pytest.fixture
def fairlead(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Program:
    """The program on a marketplace with one subscription."""
    declare(database, MARKET)
    return Program(monkeypatch, capsys, database_url)


def test_filters_are_renewed_and_those_that_stay_are_named(
    fairlead: Program, database: Database, tmp_path: Path
) -> None:
    file = tmp_path / "plz.csv"
    file.write_text(FIRST, encoding="utf-8")
    assert fairlead("postcodes", "load", str(file), "--name", "de").out == "de, version 1: 3 postcodes\n"
    [(subscription_id,)] = query(database, "select id::text from subscriptions")
    set_filter(database, subscription_id, near(30), OPERATOR, of_provider_id=None)
    file.write_text(FIRST + "14469;52.42;13.03\n", encoding="utf-8")
    fairlead("postcodes", "load", str(file), "--name", "de")
    assert fairlead("postcodes", "renew", "de").out == "de, version 2: filters renewed 1, kept 0\n"
    assert fairlead("postcodes", "renew", "de").out == "de, version 2: filters renewed 0, kept 0\n"
    file.write_text("80331;48.1372;11.5755\n", encoding="utf-8")
    fairlead("postcodes", "load", str(file), "--name", "de")
    reason = "rules[0].value.postcode: the table 'de' has no postcode 10115"
    assert fairlead("postcodes", "renew", "de").out == (
        f"de, version 3: filters renewed 0, kept 1\nAnchor, subscription {subscription_id}, stays as it is: {reason}\n"
    )
    [kept] = fairlead("postcodes", "renew", "de", "--json").json["not_renewed"]
    assert (kept["subscription_id"], kept["detail"]) == (subscription_id, reason)
    refused = fairlead("postcodes", "renew", "at")
    assert (refused.status, "there is no postcode table 'at'" in refused.err) == (1, True)
