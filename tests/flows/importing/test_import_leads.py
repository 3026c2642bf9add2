"""Importing: what the cells mean, which rows are refused and where they stood, and that twice is once."""

import csv
from pathlib import Path
from typing import Any

import pytest

from fairlead.core.errors import BadInput, Refused
from fairlead.flows.importing import import_leads as flow
from fairlead.flows.importing.import_leads import Imported, ImportOptions, import_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.flows.niches import add_niche, audited, stored_leads


def run(database: Database, path: Path, content: str | bytes, **options: Any) -> Imported:
    """The content, imported as a file at `path`."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return import_leads(database, path, ImportOptions("moving", **options), OPERATOR)


@pytest.fixture
def file(database: Database, tmp_path: Path) -> Path:
    """A path for a file of leads; the niche `moving` is there."""
    add_niche(database)
    return tmp_path / "leads.csv"


def rejects_of(path: Path, encoding: str = "utf-8", delimiter: str = ",") -> list[dict[str, str]]:
    with path.with_name(path.name + ".rejects.csv").open(encoding=encoding, newline="") as stream:
        return list(csv.DictReader(stream, delimiter=delimiter))


def test_cells_become_the_forms_types_and_details(database: Database, file: Path) -> None:
    header = "AGE,city,job,pets,owner,contact_name,contact_email,contact_phone,utm_source,referrer,comment\n"
    row = '41, Ávila ,nurse,cat|dog,Yes,Ana,ana@example.test,+34 600,ads,https://example.test,"a ""b"""\n'
    result = run(database, file, header + row + "4.5,,,,,,,,,,\n")

    assert (result.read, result.added, result.rejected) == (2, 2, 0)
    assert result.ignored_columns == ("comment",)
    assert stored_leads(database) == [
        {"age": 41, "city": "Ávila", "job": "nurse", "pets": ["cat", "dog"], "owner": True},
        {"age": 4.5},
    ]
    details = "contact_name, contact_email, contact_phone, utm_source, utm_medium, utm_campaign, referrer"
    assert stored_leads(database, details) == [
        ("Ana", "ana@example.test", "+34 600", "ads", None, None, "https://example.test"),
        (None,) * 7,
    ]


def test_leads_are_pending_unless_approved_on_the_way(database: Database, file: Path) -> None:
    states = "status, awaits_decision, approved_by, approved_at is not null, attributes ->> 'age'"
    run(database, file, "age\n1\n2\n")
    assert stored_leads(database, states) == [("pending_approval", False, None, False, age) for age in "12"]

    run(database, file, "age\n1\n3\n4\n", approve=True)
    assert stored_leads(database, states)[2:] == [("approved", True, "operator", True, age) for age in "34"]
    outcomes = [{"count": 2, "approved": False}, {"count": 2, "approved": True}]
    assert audited(database, "leads.imported") == outcomes


def test_approved_leads_keep_the_files_order_across_chunks(
    database: Database, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flow, "CHUNK_ROWS", 7)
    run(database, file, "age\n" + "".join(f"{age}\n" for age in range(100, 0, -1)), approve=True)
    with database.snapshot() as conn:
        rows = conn.execute("select (attributes ->> 'age')::int from leads order by approved_at, id").fetchall()
    assert [row[0] for row in rows] == list(range(100, 0, -1))
    assert [event["count"] for event in audited(database, "leads.imported")] == [7] * 14 + [2]


def test_the_same_file_twice_adds_nothing_and_alike_rows_are_different_people(database: Database, file: Path) -> None:
    content = "age,city\n40,Oslo\n40,Oslo\n41,Oslo\n40,Oslo\n"
    assert run(database, file, content).added == 4
    again = run(database, file, content)
    assert (again.read, again.added, again.already_there) == (4, 0, 4)
    # Columns in another order, a file that has grown: only what is new is added.
    assert run(database, file, "city;age\nOslo;40\nOslo;41\nOslo;40\nOslo;40\nOslo;40\n").added == 1
    assert len(audited(database, "leads.imported")) == 2


def test_an_external_id_or_chosen_columns_tell_leads_apart(database: Database, file: Path) -> None:
    result = run(database, file, "external_id,age\nA,1\nB,2\nA,3\n,4\n")
    assert (result.added, result.already_there, result.rejected) == (2, 1, 1)
    assert "external_id is empty" in rejects_of(file)[0]["reason"]
    # The first of them stays; the same id later is the same lead, whatever else has changed.
    assert [lead["age"] for lead in stored_leads(database)] == [1, 2]
    assert run(database, file, "Id,age\nB,9\n", mapping={"id": "external_id"}).added == 0

    mails = "age,contact_email\n1,Ana@example.test\n2,ana@example.test \n3,bo@example.test\n"
    chosen = run(database, file, mails, dedupe=["contact_email"])
    assert (chosen.added, chosen.already_there) == (2, 1)
    renamed = run(database, file, "age,Mail\n7,ana@example.test\n", dedupe=["mail"], mapping={"Mail": "contact_email"})
    assert renamed.already_there == 1


def test_an_id_and_a_column_are_known_however_their_letters_are_composed(database: Database, file: Path) -> None:
    name, typed = "Kennung f\u00fcr uns", "Kennung fu\u0308r uns"
    for column, target in ((name, typed), (typed, name)):
        for each in ("M\u00fc-1", "Mu\u0308-1"):
            run(database, file, f"{column},age\n{each},1\n", mapping={target: "external_id"})
    assert len(stored_leads(database)) == 1


def test_bad_rows_are_reported_with_line_and_reason_and_the_rest_goes_in(database: Database, file: Path) -> None:
    content = (
        "age,city,job,owner\n"
        "40,Oslo,nurse,yes\n"  # 2
        "old,Oslo,nurse,yes\n"  # 3
        '41,"two\nlines",pilot,perhaps\n'  # 4 and 5
        "\n"  # 6
        ",Oslo,,\n"  # 7
        "42,Oslo\n"  # 8
        "43,Oslo,nurse,no,more,cells\n"  # 9
        "44,a\x00b,,\n"  # 10
        '45,"Bergen\n'  # 11, never closed
        "46,Bergen,,\n"  # 12
        ",,,\n"  # 13
        '47,"Olden ""by""\nthe sea",,\n'  # 14 and 15
        '48,"x" y,,\n'  # 16
        "49,,,\n"  # 17
    )
    result = run(database, file, content)

    # An empty line and a row of delimiters alone are what spreadsheets leave behind the last lead.
    assert (result.read, result.added, result.rejected, result.empty) == (12, 4, 8, 2)
    assert stored_leads(database) == [
        {"age": 40, "city": "Oslo", "job": "nurse", "owner": True},
        {"age": 46, "city": "Bergen"},
        {"age": 47, "city": 'Olden "by"\nthe sea'},
        {"age": 49},
    ]
    rejected = rejects_of(file)
    assert list(rejected[0]) == ["age", "city", "job", "owner", "line", "reason"]
    assert [row["line"] for row in rejected] == ["3", "4", "7", "8", "9", "10", "11", "16"]
    reasons = [row["reason"] for row in rejected]
    assert reasons[0] == "Age: must be a number such as 42, -3 or 0.5"
    assert reasons[1].startswith("Job: must be one of: nurse, teacher; Owner: must be yes or no")
    assert reasons[2] == "Age is required"
    assert reasons[3] == "has 2 columns where the header has 4"
    assert reasons[4] == "has 6 columns where the header has 4"
    assert reasons[5] == "holds a NUL character at character 2 of 'city'"
    assert reasons[6].startswith("the quotes do not match")
    assert reasons[7].startswith("the quotes do not match")
    assert rejected[1]["city"] == "two\nlines"
    assert rejected[4]["owner"] == "no,more,cells"
    assert rejected[5]["city"] == "a\x00b"
    assert rejected[6]["age"] == '45,"Bergen'
    assert result.rejects_path == file.with_name("leads.csv.rejects.csv")


def test_rejected_rows_can_be_put_right_and_imported(database: Database, file: Path) -> None:
    run(database, file, "age;city\nold;Oslo\n41;Oslo\n")
    rejects = file.with_name("leads.csv.rejects.csv")
    fixed = rejects.read_text().replace("old", "40")
    assert run(database, file, fixed, rejects_path=file.with_name("again.csv")).added == 1
    assert [lead["age"] for lead in stored_leads(database)] == [41, 40]
    assert not file.with_name("again.csv").exists()


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-16", "utf-8-sig", "shift_jis"])
def test_other_encodings(database: Database, file: Path, encoding: str) -> None:
    city = "東京" if encoding == "shift_jis" else "Besançon"
    result = run(database, file, f"age;city\nx;{city}\n41;{city}\n".encode(encoding), encoding=encoding)
    assert (result.added, result.rejected) == (1, 1)
    assert stored_leads(database) == [{"age": 41, "city": city}]
    assert rejects_of(file, encoding, ";")[0]["city"] == city


def test_a_byte_order_mark_is_no_part_of_the_first_column(database: Database, file: Path) -> None:
    assert run(database, file, b'\xef\xbb\xbf"age",city\r\n41,Oslo\r\n').added == 1
    assert stored_leads(database) == [{"age": 41, "city": "Oslo"}]


def test_undecodable_bytes_cost_their_row_and_are_kept_in_the_rejects(database: Database, file: Path) -> None:
    content = "age,city\n40,Oslo\n41,Besançon\n42,Århus\n43,Kyiv\n".encode("latin-1")
    result = run(database, file, content)
    assert (result.added, result.rejected) == (2, 2)
    rejected = rejects_of(file, "latin-1")
    assert [(row["line"], row["city"]) for row in rejected] == [("3", "Besançon"), ("4", "Århus")]
    assert rejected[0]["reason"].startswith("is not utf-8: byte 0xe7")
    rejects = file.with_name("leads.csv.rejects.csv")
    options = ImportOptions("moving", encoding="latin-1")
    assert import_leads(database, rejects, options, OPERATOR).added == 2


@pytest.mark.parametrize(("given", "delimiter"), [(None, ","), (None, ";"), (None, "\t"), (None, "|"), ("^", "^")])
def test_delimiters(database: Database, file: Path, given: str | None, delimiter: str) -> None:
    lines = [["age", "city"], ["41", '"Oslo, or; Ber\tgen|^"']]
    content = "".join(delimiter.join(line) + "\r\n" for line in lines)
    assert run(database, file, content, delimiter=given).added == 1
    assert stored_leads(database) == [{"age": 41, "city": "Oslo, or; Ber\tgen|^"}]


def test_the_header_alone_and_old_line_endings_are_fine(database: Database, file: Path) -> None:
    assert run(database, file, "age,city\n") == Imported(share_read=1.0)
    assert run(database, file, "age,city\r41,Oslo\r42,Oslo\r").added == 2


@pytest.mark.parametrize(
    ("content", "options", "problem"),
    [
        ("", {}, "is empty"),
        ("\n\n", {}, "is empty"),
        ("city\nOslo\n", {}, "the form requires 'age'"),
        ("a,b\n1,2\n", {}, "no column has the name of a field"),
        ("age,Age\n1,2\n", {}, "two columns, 'age' and 'Age', are for 'age'"),
        ("age\n1\n", {"mapping": {"years": "age"}}, "the file has no column 'years'"),
        ("age,x\n1,2\n", {"mapping": {"x": "shoe_size"}}, "there is no field 'shoe_size'"),
        ("age,x,x\n1,2,3\n", {"mapping": {"x": "city"}}, "the file has 2 columns 'x'"),
        ("age\n1\n", {"dedupe": ["mail"]}, "--dedupe mail"),
        ("age\n1\n", {"encoding": "utf-99"}, "'utf-99' is no text encoding"),
        ("age\n1\n", {"encoding": "base64"}, "'base64' is no text encoding"),
        (b"\xe7ge,age\n1,1\n", {}, "the header cannot be read: is not utf-8"),
        ("age\n1\n".encode("utf-16-le"), {}, "NUL character at character 2 of column 1 (perhaps --encoding utf-16-le)"),
        ("age\n1\n", {"sheet": "Leads"}, "is text, and has no sheets"),
        ('sep="\nage\n1\n', {}, "names no character that can divide cells"),
        ("age,x\n1,2\n", {"ignore": ["y"]}, "--ignore y: the file has no column 'y'"),
        ("age,x\n1,2\n", {"ignore": ["#3"]}, "the file has no column '#3'"),
        ("age,x\n1,2\n", {"ignore": ["x"], "mapping": {"#2": "city"}}, "the column 'x' is mapped and ignored"),
        ("age,x\n1,2\n", {"mapping": {"x": "city", "#2": "job"}}, "the same column is mapped to 'city'"),
    ],
)
def test_what_cannot_be_read_is_refused_before_anything_is_written(
    database: Database, file: Path, content: str | bytes, options: dict[str, Any], problem: str
) -> None:
    with pytest.raises(BadInput) as caught:
        run(database, file, content, **options)
    assert any(problem in line for line in caught.value.problems), caught.value.problems
    assert "\n" not in str(caught.value)
    assert stored_leads(database) == []
    assert list(file.parent.iterdir()) == [file]


def test_missing_files_and_niches(database: Database, file: Path) -> None:
    with pytest.raises(BadInput, match=r"cannot read .*leads\.csv: No such file"):
        import_leads(database, file, ImportOptions("moving"), OPERATOR)
    with pytest.raises(BadInput, match="Is a directory"):
        import_leads(database, file.parent, ImportOptions("moving"), OPERATOR)
    with pytest.raises(Refused, match="there is no niche 'nowhere'"):
        import_leads(database, file, ImportOptions("nowhere"), OPERATOR)
    with pytest.raises(BadInput, match="would overwrite"):
        run(database, file, "age\nx\n", rejects_path=file)
    with pytest.raises(BadInput, match="cannot write the rejected rows"):
        run(database, file, "age\nx\n", rejects_path=file.parent / "nowhere" / "rejects.csv")


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        (
            "contact_phone,4.91512E+11",
            "contact_phone: is a number that a spreadsheet has rounded; its last digits are lost",
        ),
        ("contact_phone,#NUM!", "contact_phone: is an error value of a spreadsheet, and no telephone number"),
        ("contact_phone," + "U8JZpDE0iGXl" * 340, "contact_phone: must be one line of at most 100 characters"),
        ("contact_email,not an address", "contact_email: must be an email address such as ada@example.com"),
        ("contact_email," + "x" * 4_000 + "@example.com", "contact_email: must be an email address of at most 254"),
        ("contact_name," + "N" * 4_000, "contact_name: must be one line of 1 to 200 characters"),
    ],
)
def test_a_contact_that_cannot_be_rejects_its_own_row_and_no_other(
    database: Database, file: Path, cell: str, reason: str
) -> None:
    name, value = cell.split(",")
    imported = run(database, file, f"age,{name}\n1,\n2,{value}\n3,\n")
    assert (imported.added, imported.rejected) == (2, 1)
    rejects = file.with_name(file.name + ".rejects.csv").read_text(encoding="utf-8-sig")
    assert reason in rejects
    assert ",3," in rejects


def test_marks_of_ad_platforms_exports_are_understood(database: Database, file: Path) -> None:
    run(database, file, "age,city,contact_phone\n1,z:02134,p:+49305550102\n2,z:SW1A 1AA,p:+4930 5550102\n3,p:hello,\n")
    assert stored_leads(database, "attributes->>'city', contact_phone, phone_key") == [
        ("02134", "+49305550102", "49305550102"),
        ("SW1A 1AA", "+4930 5550102", "49305550102"),
        ("p:hello", None, None),
    ]
