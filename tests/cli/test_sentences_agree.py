"""A refusal is told by the same sentence wherever it is told: on the command line, by the API and in an export."""

import csv
import io

import pytest

from fairlead.core.refusals import InsufficientBalance
from fairlead.flows.distributor import Distributor
from fairlead.store.connection import Database
from tests.api.asking import an_admin, application
from tests.cli.program import Program
from tests.flows.sales import query
from tests.race.marketplaces import Provider, Terms, add_leads, add_providers, open_niche, subscribe

SENTENCE = "Available 4.00 EUR, this level costs 5.00 EUR."


def test_one_refusal_has_one_sentence_everywhere(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    providers = [Provider("ana", 9000, (1,)), Provider("cleo", 400, (1,))]
    with database.transaction() as conn:
        niche = open_niche(conn, "moving", [Terms(500, 2, 1)])
        ids = add_providers(conn, providers, "moving")
        subscribe(conn, niche, providers, ids)
        add_leads(conn, niche, [40])
    Distributor(database).distribute_waiting(niche.niche_id)
    [(lead_id, poor_id)] = query(
        database, "select l.id::text, p.id::text from leads l, providers p where starts_with(p.name, 'cleo')"
    )
    ann, fairlead = an_admin(application(database), database), Program(monkeypatch, capsys, database_url)
    explain = f"/api/v1/admin/leads/{lead_id}/explain"

    story = ann.get(explain).json()
    [refused] = story["decisions"][0]["levels"][0]["refused"]
    assert (refused["reason"], refused["sentence"]) == (InsufficientBalance.reason, SENTENCE)
    assert [line for line in story["lines"] if line.endswith(SENTENCE)]
    [standing] = ann.get(explain, params={"provider_id": poor_id}).json()["levels"]
    assert (standing["reason"], standing["sentence"]) == (InsufficientBalance.reason, SENTENCE)

    assert SENTENCE in fairlead("explain", lead_id).out
    assert SENTENCE in fairlead("explain", lead_id, "--provider", poor_id).out
    told = fairlead("explain", lead_id, "--json").json
    assert [each["sentence"] for each in told["decisions"][0]["levels"][0]["refused"]] == [SENTENCE]
    [level] = fairlead("explain", lead_id, "--provider", poor_id, "--json").json["levels"]
    assert level["sentence"] == SENTENCE

    [row] = csv.DictReader(io.StringIO(fairlead("export", "refusals", "--exact").out, newline=""))
    assert (row["lead_id"], row["provider_id"], row["reason"], row["count"]) == (
        lead_id,
        poor_id,
        refused["reason"],
        "1",
    )
    assert row["sentence"] == SENTENCE
