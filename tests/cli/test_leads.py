"""`fairlead leads`: import, approve, list; exit statuses and one clear line."""

from pathlib import Path

import pytest

from fairlead.flows.importing import import_leads as flow
from fairlead.flows.importing.lead_file import Row
from fairlead.store.connection import Database
from fairlead.store.ids import new_id
from tests.cli.program import Program
from tests.flows.niches import add_niche, stored_leads


@pytest.fixture
def fairlead(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Program:
    """The program on a fresh marketplace with the niche `moving`."""
    add_niche(database)
    return Program(monkeypatch, capsys, database_url)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Two good rows, a bad one, and a column that means nothing."""
    path = tmp_path / "leads.csv"
    path.write_text("age\tcity\tnote\n40\tOslo\tx\nold\tOslo\ty\n41\tBergen\tz\n")
    return path


def test_import_says_what_it_did(fairlead: Program, file: Path) -> None:
    first = fairlead("leads", "import", str(file), "--niche", "moving")
    assert first.status == 0, first
    assert "3 rows read" in first.out
    assert "2 added, 0 already there, 1 rejected" in first.out
    assert "ignored: note" in first.out
    assert f"{file}.rejects.csv" in first.out
    assert "fairlead leads approve --niche moving --all" in first.out

    again = fairlead("leads", "import", str(file), "--niche", "moving", "--json")
    seconds = again.json.pop("seconds")
    assert seconds >= 0
    assert {key: value for key, value in again.json.items() if key != "seconds"} == {
        "read": 3,
        "added": 0,
        "already_there": 2,
        "rejected": 1,
        "empty": 0,
        "rejects_path": f"{file}.rejects.csv",
        "ignored_columns": ["note"],
    }


def test_import_options_reach_the_import(fairlead: Program, database: Database, tmp_path: Path) -> None:
    path = tmp_path / "crm.txt"
    path.write_bytes("Alter^Ort^Nr\n40^Köln^7\nx^Köln^8\n41^Köln^7\n".encode("latin-1"))
    rejects = tmp_path / "bad.csv"
    words = f"leads import {path} --niche moving --delimiter ^ --encoding latin-1 --map Alter=age --map Ort=city"
    result = fairlead(*words.split(), "--dedupe", "Nr", "--rejects", str(rejects), "--approve", "--strict", "--json")
    assert result.status == 1
    assert (result.json["added"], result.json["already_there"], result.json["rejected"]) == (1, 1, 1)
    assert rejects.read_text("latin-1").splitlines()[1].startswith("x^Köln^8^3^")
    assert stored_leads(database, "attributes ->> 'city', status") == [("Köln", "approved")]
    assert fairlead("leads", "import", str(path), *words.split()[3:], "--delimiter", "tab").status == 2


@pytest.mark.parametrize(
    ("words", "status", "line"),
    [
        (["import", "nowhere.csv", "--niche", "moving"], 2, "cannot read nowhere.csv: No such file"),
        (["import", "FILE", "--niche", "nowhere"], 1, "there is no niche 'nowhere'"),
        (["import", "FILE", "--niche", "moving", "--map", "age"], 2, "must be COLUMN=FIELD"),
        (["import", "FILE", "--niche", "moving", "--map", "note=nothing"], 2, "there is no field 'nothing'"),
        (["import", "FILE", "--niche", "moving", "--delimiter", "ab"], 2, "must be one character, or tab"),
        (["import", "FILE", "--niche", "moving", "--encoding", "klingon"], 2, "is no text encoding"),
        (["approve"], 2, "say which"),
        (["approve", "--niche", "moving"], 2, "say which"),
        (["approve", "17"], 2, "'17' is no lead id"),
        (["approve", "--niche", "nowhere", "--all"], 1, "there is no niche 'nowhere'"),
        (["list", "--niche", "nowhere"], 1, "there is no niche 'nowhere'"),
        (["list", "--status", "sold"], 2, "there is no status 'sold'"),
    ],
)
def test_bad_input_gets_one_clear_line(
    fairlead: Program, database: Database, file: Path, words: list[str], status: int, line: str
) -> None:
    result = fairlead("leads", *(str(file) if word == "FILE" else word for word in words))
    assert (result.status, result.out) == (status, "")
    assert line in result.err
    assert result.err.count("\n") == 1, result.err
    assert stored_leads(database) == []


def test_an_interrupted_import_says_how_far_it_came(
    fairlead: Program, database: Database, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flow, "CHUNK_ROWS", 1)
    real = flow.RowReader.lead

    def interrupt(self: flow.RowReader, row: Row) -> object:
        if row.cells[0] == "old":
            raise KeyboardInterrupt
        return real(self, row)

    monkeypatch.setattr(flow.RowReader, "lead", interrupt)
    result = fairlead("leads", "import", str(file), "--niche", "moving")
    assert result.status == 130
    assert "interrupted: 1 added; the same command again goes on from there" in result.err
    assert [lead["age"] for lead in stored_leads(database)] == [40]


def test_approve_and_list(fairlead: Program, file: Path) -> None:
    assert fairlead("leads", "list").out == "No leads.\n"
    fairlead("leads", "import", str(file), "--niche", "moving")
    newest, oldest = fairlead("leads", "list", "--json").json
    assert (newest["status"], newest["niche"], newest["awaits_decision"]) == ("pending_approval", "moving", False)
    assert newest["created_at"].endswith("Z")

    one = fairlead("leads", "approve", oldest["lead_id"])
    assert (one.status, one.out) == (0, "1 approved\n")
    unknown = new_id()
    mixed = fairlead("leads", "approve", oldest["lead_id"], unknown, "--json")
    assert mixed.status == 1
    assert mixed.json["already"] == [oldest["lead_id"]]
    assert mixed.json["refused"] == [
        {"lead_id": unknown, "code": "lead_unknown", "message": f"there is no lead {unknown}"}
    ]
    refused = fairlead("leads", "approve", unknown)
    assert (refused.status, refused.err) == (1, f"error: there is no lead {unknown}\n")

    [approved] = fairlead("leads", "list", "--status", "approved", "--niche", "moving", "--json").json
    assert (approved["lead_id"], approved["awaits_decision"]) == (oldest["lead_id"], True)
    assert fairlead("leads", "approve", "--niche", "moving", "--all").out == "1 approved in moving\n"
    everything = fairlead("leads", "approve", "--niche", "moving", "--all", "--json")
    assert everything.json == {"niche": "moving", "approved_count": 0}
    listed = fairlead("leads", "list", "--limit", "1").out
    assert "approved, waits" in listed
    assert len(fairlead("leads", "list", "--limit", "1", "--json").json) == 1
