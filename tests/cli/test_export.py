"""`fairlead export`: what is written parses back, verifies, and runs nothing in a spreadsheet."""

import csv
import io
import json
import re
import unicodedata
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.core.canonical import canonical_json, timestamp_from_text
from fairlead.core.journal import entry_hash
from fairlead.flows.distributor import Distributor
from fairlead.flows.exporting.export import export
from fairlead.flows.exporting.export_text import harmless_cell
from fairlead.flows.exporting.rows import ExportRequest
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.cli.program import Program
from tests.flows.marketplaces import HOSTING, declare
from tests.flows.niches import audited
from tests.race.marketplaces import Niche, Provider, Terms, add_leads, add_providers, open_niche, subscribe

FORMULA = '=HYPERLINK("http://x")'


@pytest.fixture
def niche(database: Database) -> Niche:
    """Two leads sold to two providers, one of whom is named like a formula."""
    providers = [Provider(FORMULA, 5000, (1,)), Provider("bo", 5000, (1,))]
    with database.transaction() as conn:
        opened = open_niche(conn, "moving", [Terms(1000, 2, 1)])
        open_niche(conn, "quiet", [Terms(1000, 2, 1)])
        subscribe(conn, opened, providers, add_providers(conn, providers, "moving"))
        add_leads(conn, opened, [40, 41])
    Distributor(database).distribute_waiting(opened.niche_id)
    return opened


@pytest.fixture
def fairlead(
    niche: Niche, database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Program:
    return Program(monkeypatch, capsys, database_url)


def parsed(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def test_the_journal_as_jsonl_is_all_that_a_verifier_needs(fairlead: Program, niche: Niche) -> None:
    result = fairlead("export", "journal", "--niche", "moving", "--format", "jsonl")
    assert result.status == 0, result.err
    entries = [json.loads(line) for line in result.out.splitlines()]
    assert [entry["seq"] for entry in entries] == list(range(1, len(entries) + 1))
    assert [entry["kind"] for entry in entries].count("decision") == 2

    head = bytes(32)
    for entry in entries:
        assert list(entry) == ["niche_id", "seq", "kind", "payload", "recorded_at", "prev_hash", "hash"]
        moment = timestamp_from_text(entry["recorded_at"])
        payload = canonical_json(entry["payload"])
        assert bytes.fromhex(entry["prev_hash"]) == head
        head = entry_hash(head, entry["niche_id"], entry["seq"], entry["kind"], payload, moment)
        assert bytes.fromhex(entry["hash"]) == head
    assert {entry["niche_id"] for entry in entries} == {niche.niche_id}


def test_the_journal_as_csv_holds_the_same(fairlead: Program) -> None:
    lines = fairlead("export", "journal", "--format", "jsonl").out.splitlines()
    rows = parsed(fairlead("export", "journal").out)
    for line, row in zip(lines, rows, strict=True):
        entry: dict[str, Any] = json.loads(line)
        assert json.loads(row.pop("payload")) == entry.pop("payload")
        assert row == {name: str(value) for name, value in entry.items()}


def test_assignments_and_ledger(fairlead: Program) -> None:
    assignments = parsed(fairlead("export", "assignments").out)
    assert ",".join(assignments[0]) == (
        "assignment_id,lead_id,niche,level,provider_id,provider_name,provider_email,subscription_id,price_cents,"
        "currency,status,assigned_at,journal_seq,served_seq,ledger_seq"
    )
    assert [row["served_seq"] for row in assignments] == ["1", "2", "3", "4"]
    assert {(row["price_cents"], row["currency"], row["niche"]) for row in assignments} == {("1000", "EUR", "moving")}

    ledger = parsed(fairlead("export", "ledger").out)
    assert ",".join(ledger[0]) == (
        "provider_id,provider_email,seq,kind,amount_cents,currency,balance_after_cents,niche,assignment_id,payment_id,"
        "actor,memo,created_at"
    )
    mine = [row for row in ledger if row["provider_email"] == "bo@moving.test"]
    assert [row["amount_cents"] for row in mine] == ["5000", "-1000", "-1000"]
    assert [row["balance_after_cents"] for row in mine] == ["5000", "4000", "3000"]
    assert parsed(fairlead("export", "ledger", "--provider", "BO@moving.test").out) == mine
    charges = parsed(fairlead("export", "ledger", "--niche", "moving").out)
    assert {row["kind"] for row in charges} == {"lead_purchase"}
    assert parsed(fairlead("export", "assignments", "--niche", "quiet").out) == []


def test_a_span_of_days_is_half_open_and_utc(fairlead: Program, database: Database) -> None:
    with database.snapshot() as conn:
        today = conn.execute("select (clock_timestamp() at time zone 'UTC')::date").fetchall()[0][0]
    tomorrow = str(today + timedelta(days=1))
    assert len(parsed(fairlead("export", "assignments", "--from", str(today), "--before", tomorrow).out)) == 4
    assert parsed(fairlead("export", "assignments", "--before", str(today)).out) == []
    assert parsed(fairlead("export", "assignments", "--from", tomorrow).out) == []
    assert parsed(fairlead("export", "assignments", "--from", "9999-12-30", "--before", "9999-12-31").out) == []


def test_formulas_are_disarmed_unless_exactness_is_asked_for(fairlead: Program) -> None:
    names = {row["provider_name"] for row in parsed(fairlead("export", "assignments").out)}
    assert names == {f"'{FORMULA}", "bo"}
    exact = {row["provider_name"] for row in parsed(fairlead("export", "assignments", "--exact").out)}
    assert exact == {FORMULA, "bo"}
    lines = fairlead("export", "assignments", "--format", "jsonl").out.splitlines()
    assert {json.loads(line)["provider_name"] for line in lines} == {FORMULA, "bo"}


def test_csv_begins_with_the_mark_that_spreadsheets_need_unless_it_is_exact(fairlead: Program) -> None:
    for what in ("journal", "assignments", "ledger"):
        assert fairlead("export", what).out.startswith("\ufeff")
        for words in (["--exact"], ["--format", "jsonl"], ["--format", "jsonl", "--exact"]):
            assert "\ufeff" not in fairlead("export", what, *words).out


INVISIBLE = st.text(alphabet=' \t\r\n\v\f\x00\x1b\x7f\x85\xa0\u200b\u2066\ufeff"', max_size=3)
BEFORE = st.sampled_from(["", "x", "x;", "Müller\t", "a|", "a\n", "a, b; c;", ";;", "\n", "a\r"])


@given(BEFORE, INVISIBLE, st.sampled_from(["=", "+", "-", "@", "\t", "\r", "", "\uff1d", "\uff20"]), st.text())
def test_no_cell_starts_a_formula_wherever_a_spreadsheet_divides(
    before: str, unseen: str, sign: str, rest: str
) -> None:
    text = before + unseen + sign + rest
    stream = io.StringIO(newline="")
    csv.writer(stream, lineterminator="\r\n").writerow([1, harmless_cell(text), "last"])
    [[_, cell, last]] = csv.reader(io.StringIO(stream.getvalue(), newline=""))
    assert last == "last"
    assert cell[:1] not in ("\t", "\r")
    for part in (cell, *re.split(r"[;|\t\r\n]", cell)):
        seen = part.lstrip(
            "".join(c for c in part if c == '"' or c.isspace() or unicodedata.category(c) in ("Cc", "Cf"))
        )
        assert seen[:1] not in tuple("=+-@\uff1d\uff0b\uff0d\uff20")
    assert cell.replace("'", "") == text.replace("'", ""), "nothing but apostrophes is added"


def test_what_a_spreadsheet_of_another_country_divides_is_disarmed_too() -> None:
    assert harmless_cell('x;=HYPERLINK("http://x")') == 'x;\'=HYPERLINK("http://x")'
    assert harmless_cell("x\t@SUM(A1)") == "x\t'@SUM(A1)"
    assert harmless_cell('a;"=1"\n +2|-3') == "a;'\"=1\"\n' +2|'-3"


def test_ordinary_text_is_left_alone() -> None:
    for text in ("Ana", "a;b", "a; 1=1", "one\ntwo", "a=b", "'quoted'", "1-2", "", "ana@example.test", "e-mail"):
        assert harmless_cell(text) == text


def test_a_file_has_its_name_only_when_it_is_complete(
    fairlead: Program, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ledger.csv"
    path.write_text("what was there")
    result = fairlead("export", "ledger", "--output", str(path))
    assert (result.status, result.out) == (0, "")
    assert "6 rows written" in result.err
    assert path.read_bytes().decode() == fairlead("export", "ledger").out
    assert list(tmp_path.iterdir()) == [path]

    def fail(*_: object) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr("fairlead.flows.exporting.rows.stream_rows", fail)
    before = path.read_text()
    assert fairlead("export", "ledger", "--output", str(path)).status == 130
    assert path.read_text() == before
    assert list(tmp_path.iterdir()) == [path]


def test_every_export_is_audited_before_it_leaves(
    fairlead: Program, database: Database, niche: Niche, monkeypatch: pytest.MonkeyPatch
) -> None:
    fairlead("export", "ledger", "--provider", "bo@moving.test", "--from", "2026-01-01")
    [event] = audited(database, "data.exported")
    assert event.pop("provider_id") is not None
    assert event == {
        "format": "csv",
        "niche_id": None,
        "time_from": "2026-01-01T00:00:00.000000Z",
        "time_before": None,
        "rows": 3,
    }

    class Full(io.BytesIO):
        def write(self, piece: object, /) -> int:
            raise OSError("no space left on device")

    with pytest.raises(OSError, match="no space"):
        export(database, ExportRequest("journal", niche_slug="moving"), Full(), OPERATOR)
    assert [each["niche_id"] for each in audited(database, "data.exported")] == [None, niche.niche_id]


@pytest.mark.parametrize(
    ("words", "status", "line"),
    [
        (["customers"], 2, "there is no export 'customers'; there are leads, assignments, decisions, refusals"),
        (["ledger", "--format", "xml"], 2, "there is no format 'xml'"),
        (["ledger", "--from", "yesterday"], 2, "--from 'yesterday': must be a day such as 2026-01-31"),
        (["ledger", "--from", "2026-02-01", "--before", "2026-02-01"], 2, "--from must be a day before --before"),
        (["ledger", "--niche", "nowhere"], 1, "there is no niche 'nowhere'"),
        (["ledger", "--provider", "nobody@example.test"], 1, "there is no provider"),
        (["journal", "--provider", "bo@moving.test"], 2, "not kept by provider"),
        (["ledger", "--output", "nowhere/ledger.csv"], 2, "cannot write nowhere/ledger.csv"),
    ],
)
def test_bad_input_gets_one_clear_line(
    fairlead: Program, database: Database, words: list[str], status: int, line: str
) -> None:
    result = fairlead("export", *words)
    assert (result.status, result.out) == (status, "")
    assert line in result.err
    assert result.err.count("\n") == 1, result.err
    assert audited(database, "data.exported") == []


def test_a_marketplace_is_exported_whole_as_a_file_that_applies(
    database: Database,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    fairlead, file = Program(monkeypatch, capsys, database_url), tmp_path / "marketplace.toml"
    declare(database, HOSTING)
    assert fairlead("export", "marketplace", "--output", str(file)).status == 0
    text = file.read_text(encoding="utf-8")
    assert 'slug = "hosting"' in text
    assert fairlead("export", "marketplace").out == text
    monkeypatch.chdir(tmp_path)
    assert fairlead("export", "marketplace", "--output", "-").out == text
    assert not Path("-").exists()
    assert fairlead("apply", str(file)).out == "nothing to change\n"
    for option in (["--format", "csv"], ["--niche", "hosting"], ["--no-contact-data"]):
        refused = fairlead("export", "marketplace", *option)
        assert (refused.status, refused.out) == (2, "")
        assert "exported whole" in refused.err


def test_postcode_tables_lie_beside_the_file_of_a_marketplace(
    database: Database,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    fairlead, file = Program(monkeypatch, capsys, database_url), tmp_path / "market.toml"
    declare(database, '[[postcode_table]]\nname = "de"\ncontent = "10115,52.5,13.4"\n')
    assert fairlead("export", "marketplace", "--output", str(file)).status == 0
    beside = tmp_path / "market.postcodes" / "de-1.csv"
    assert beside.read_text() == "postcode,latitude,longitude\n10115,52.5,13.4\n"
    assert 'file = "market.postcodes/de-1.csv"' in file.read_text()
    monkeypatch.chdir("/")
    assert fairlead("apply", str(file)).out == "nothing to change\n", "paths are from the file's own directory"
    text = fairlead("export", "marketplace").out
    assert 'content = """\npostcode,latitude,longitude\n10115,52.5,13.4\n"""' in text
    beside.unlink()
    beside.parent.rmdir()
    beside.parent.write_text("")
    refused = fairlead("export", "marketplace", "--output", str(file))
    assert (refused.status, refused.err) == (2, f"error: cannot write {beside.parent}: File exists\n")
