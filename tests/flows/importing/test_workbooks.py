"""Excel workbooks as lead files: what cells become, what is refused before it is unpacked, and that twice is once."""

import gzip
import struct
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from fairlead.core.errors import BadInput
from fairlead.flows.importing import workbook_parts
from fairlead.flows.importing.import_leads import ImportOptions, import_leads
from fairlead.flows.importing.lead_file import Row
from fairlead.flows.importing.opening import Reading, open_lead_file
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.flows.niches import add_niche, stored_leads
from tests.workbooks import (
    DATE,
    DURATION,
    MOMENT,
    POSTAL_CODE,
    cell,
    members,
    raw_sheet,
    sheet,
    write_members,
    write_workbook,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the workbook is."""
    return tmp_path / "leads.xlsx"


def read(path: Path, **reading: str) -> tuple[list[str], list[Row]]:
    """The header and the rows."""
    file = open_lead_file(path, Reading(**reading))
    try:
        return file.header, list(file)
    finally:
        file.close()


def refusal(path: Path, **reading: str) -> str:
    """The one line with which the file is refused."""
    with pytest.raises(BadInput) as caught:
        read(path, **reading)
    (problem,) = caught.value.problems
    assert problem.startswith(str(path))
    assert "\n" not in problem
    return problem.removeprefix(f"{path} ")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Köln", "Köln"),
        ("  a & b\n<c>  ", "  a & b\n<c>  "),
        (40, "40"),
        ("<c><v>40.0</v></c>", "40"),
        (-3, "-3"),
        (4.5, "4.5"),
        ("<c><v>0.30000000000000004</v></c>", "0.3"),
        # What a CSV file would hold as 4.91512E+11 is all there.
        ("<c><v>4.91512345678E+11</v></c>", "491512345678"),
        ("<c><v>4915123456789012345</v></c>", "4.91512345678901e+18"),
        (1e300, "1e+300"),
        (True, "TRUE"),
        (False, "FALSE"),
        (cell(46_000, DATE), "2025-12-09"),
        (cell(46_000.5, MOMENT), "2025-12-09T12:00:00"),
        (cell(46_000, MOMENT), "2025-12-09"),
        (cell(0.25, MOMENT), "06:00:00"),
        (cell(1.5, DURATION), "36:00:00"),
        # The zero is how the number is shown.
        (cell(2134, POSTAL_CODE), "2134"),
        ('<c t="d"><v>2026-03-01T10:00:00</v></c>', "2026-03-01T10:00:00"),
        ('<c t="s"><v>1</v></c>', "shared"),
        ('<c t="str"><f>A1</f><v>computed</v></c>', "computed"),
        ('<c t="e"><f>1/0</f><v>#DIV/0!</v></c>', "#DIV/0!"),
        ('<c t="e"><v>#N/A</v></c>', "#N/A"),
    ],
)
def test_cells_are_what_a_csv_file_would_hold(path: Path, value: object, text: str) -> None:
    write_members(path, members({"Leads": sheet([["a", "b"], ["x", value]])}, strings=["no", "shared"]))
    header, rows = read(path)
    assert header == ["a", "b"]
    assert [(row.line, list(row.cells), row.complaint) for row in rows] == [(2, ["x", text], None)]


def test_a_workbook_of_1904_has_its_own_dates(path: Path) -> None:
    write_members(path, members({"A": sheet([["on"], [cell(44_538, DATE)]])}, of_1904=True))
    assert [row.cells for row in read(path)[1]] == [["2025-12-09"]]


def test_rows_have_the_numbers_that_the_sheet_shows_wherever_it_begins(path: Path) -> None:
    rows = (
        '<row r="4"><c r="C4" t="inlineStr"><is><t>age</t></is></c>'
        '<c r="D4" t="inlineStr"><is><t>city</t></is></c></row>'
        '<row r="6"><c r="C6"><v>41</v></c><c r="D6" t="e"><v>#REF!</v></c></row>'
        '<row r="9"><c r="C9"><v>42</v></c><c r="F9"><v>7</v></c></row>'
        # Cells that are formatted and empty make no sheet larger.
        '<row r="1048576"><c r="XFD1048576" s="1"/></row>'
    )
    write_members(path, members({"A": raw_sheet(rows)}))
    header, found = read(path)
    assert header == ["age", "city"]
    filled = [(row.line, list(row.cells)) for row in found if not row.is_empty(2)]
    assert filled == [(6, ["41", "#REF!"]), (9, ["42", "", "", "7"])]
    assert [row.line for row in found] == [5, 6, 7, 8, 9]


def test_the_first_sheet_that_is_shown_or_the_one_that_is_named(path: Path) -> None:
    sheets = {"Old": sheet([["old"], [1]]), "März": sheet([["new"], [2]]), "Other": sheet([["other"], [3]])}
    write_members(path, members(sheets, hidden=["Old"]))
    assert read(path)[0] == ["new"]
    assert read(path, sheet="Other")[0] == ["other"]
    assert read(path, sheet="other ")[0] == ["other"]
    assert read(path, sheet="Old")[0] == ["old"]
    assert refusal(path, sheet="April") == "has no sheet 'April'; its sheets are Old, März, Other"
    write_members(path, members(sheets, hidden=list(sheets)))
    assert refusal(path) == "has no sheet of cells that is shown; its sheets are Old, März, Other"


def test_characters_that_no_text_holds_are_complained_about_here_too(path: Path) -> None:
    write_workbook(
        path, [["a", "b"], ["x", "O\x92Brien"], ["x", '<c t="str"><v>_x0000_</v></c>'], ["x", "y" * 131_073]]
    )
    assert [row.complaint for row in read(path)[1]] == [
        "holds the control character U+0092 at character 2 of 'b'",
        "holds a NUL character at character 1 of 'b'",
        "a cell is too long: it may have 131,072 characters",
    ]


def _far(place: str) -> str:
    return raw_sheet(f'<row r="1"><c r="A1"><v>1</v></c></row><row><c r="{place}"><v>2</v></c></row>')


@pytest.mark.parametrize("place", ["XFD1048576", "xfd1048576", "A10000001", "ZZZ1", "CV200001", "XFE1"])
def test_a_cell_far_out_is_refused_before_the_sheet_is_unpacked(path: Path, place: str) -> None:
    write_members(path, members({"Leads": _far(place)}))
    reason = refusal(path)
    assert reason.startswith(f"has a cell at {place.upper()} of sheet 'Leads', which is too far out") or (
        place == "A10000001" and "damaged" in reason
    )


@pytest.mark.parametrize(
    "rows",
    [
        # Where a cell is may be said by its row alone, or by nothing.
        '<row r="1"><c><v>1</v></c></row><row r="1048576">' + "<c/>" * 16_383 + "<c><v>2</v></c></row>",
        "<row><c><v>1</v></c></row>" + '<row r="1048575"/><row>' + "<c/>" * 99 + "<c><v>1</v></c></row>",
        "<row r='1'><c r='A1'><v>1</v></c></row><row><c r=\n'&#88;FD1048576'><v>2</v></c></row>",
        # The only one that there is.
        '<row><c r="A1048577"><v>1</v></c></row>',
        '<row><c r="XFE1"><v>1</v></c></row>',
        '<x:row xmlns:x="urn:x"><x:c r="A1"><x:v>1</x:v></x:c><x:c r="XFD1048576"><x:v>2</x:v></x:c></x:row>',
    ],
)
def test_however_it_is_written_where_a_cell_is(path: Path, rows: str) -> None:
    write_members(path, members({"Leads": raw_sheet(rows)}))
    assert "which is too far out" in refusal(path)


def test_a_bomb_is_refused_also_with_a_false_size(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook_parts, "MOST_BYTES", 5_000_000)
    contents: dict[str, str | bytes] = dict(members({"A": sheet([["a"], [1]])}))
    write_members(path, contents | {"xl/media/image1.png": b"\0" * 6_000_000})
    assert refusal(path).startswith("unpacks to more than 5 MB")

    # The same with a size in its directory that is a lie: other programs unpack on to where the data end.
    packed = path.read_bytes()
    lie = packed.replace(struct.pack("<L", 6_000_000), struct.pack("<L", 1_000))
    assert lie != packed
    path.write_bytes(lie)
    assert refusal(path).startswith("unpacks to more than 5 MB")


def test_a_text_that_is_repeated_counts_each_time(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook_parts, "MOST_BYTES", 5_000_000)
    rows = '<row><c t="s"><v>0</v></c></row>' * 2_000
    write_members(path, members({"A": raw_sheet(rows)}, strings=["x" * 30_000]))
    assert refusal(path).startswith("repeats texts to more than 5 MB")


def test_cells_are_counted_wherever_they_say_they_are(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook_parts, "MOST_CELLS", 1_000)
    write_members(path, members({"A": raw_sheet('<row><c r="A1"><v>1</v></c></row>' * 1_001)}))
    assert "too far out" in refusal(path)
    write_members(path, members({"A": sheet([["a"]])}, strings=["x"] * 1_001))
    assert "more than 1,000 texts" in refusal(path)


@pytest.mark.parametrize("missing", ["_rels/.rels", "xl/_rels/workbook.xml.rels", "xl/workbook.xml"])
def test_a_damaged_workbook_is_named(path: Path, missing: str) -> None:
    contents = members({"A": sheet([["a"], [1]])})
    del contents[missing]
    write_members(path, contents)
    assert refusal(path) == f"is a damaged Excel workbook: {missing} is missing"


def _changed(contents: dict[str, str], **changes: str) -> dict[str, str]:
    return contents | {f"xl/worksheets/{name}.xml": text for name, text in changes.items()}


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ("<worksheet><sheetData><row>", "sheet1.xml is no XML"),
        ("junk<worksheet><sheetData/></worksheet>", "sheet1.xml is no XML"),
        ('<!DOCTYPE x [<!ENTITY a "b">]><worksheet><sheetData/></worksheet>', "sheet1.xml has a DOCTYPE"),
        (raw_sheet('<row><c r="A0"><v>1</v></c></row>'), "has a cell at no place"),
        (raw_sheet('<row r="x"><c><v>1</v></c></row>'), "has a row without a number"),
        (raw_sheet('<row><c r="A1" r="B2"><v>1</v></c></row>'), "sheet1.xml is no XML"),
        (raw_sheet('<row><c t="s"><v>99</v></c></row>'), "cannot be read"),
        (raw_sheet('<row><c t="e"><v>#MADE-UP</v></c></row>'), "cannot be read"),
        (raw_sheet(""), ": the first row of the sheet must name the columns"),
    ],
)
def test_sheets_that_cannot_be_read_end_in_one_line(path: Path, rows: str, reason: str) -> None:
    write_members(path, _changed(members({"A": sheet([["a"], [1]])}), sheet1=rows))
    assert reason in refusal(path)


def test_archives_that_are_cut_or_hold_a_member_twice(path: Path) -> None:
    contents = members({"A": sheet([["a"], [1]])})
    write_members(path, contents)
    whole = path.read_bytes()
    path.write_bytes(whole[:-30])
    assert refusal(path).startswith("is a damaged archive or workbook (.zip, .xlsx)")
    path.write_bytes(whole[:300] + bytes(byte ^ 0x55 for byte in whole[300:340]) + whole[340:])
    assert refusal(path).startswith("is a damaged")
    # By another writing of its name, since `zipfile` warns of the same one.
    write_members(path, contents | {"XL\\workbook.xml": contents["xl/workbook.xml"]})
    assert refusal(path).startswith("is a damaged Excel workbook: it has two members")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("xl/workbook.xml", contents["xl/workbook.xml"])
    assert refusal(path) == "is a damaged Excel workbook: xl/workbook.xml is packed as no workbook is"


def _archive(path: Path, *names: str) -> bytes:
    write_members(path, dict.fromkeys(names, "application/vnd.oasis.opendocument.spreadsheet"))
    return path.read_bytes()


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"%PDF-1.7\n%\xe2\xe3", "a PDF"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600,
            "an Excel workbook of the old kind (.xls), or one with a pass",
        ),
        (gzip.compress(b"age\n41\n", mtime=0), "compressed with gzip (.gz)"),
        (b"BZh91AY&SY", "compressed with bzip2"),
        (b"7z\xbc\xaf\x27\x1c\0\4", "a 7-Zip archive"),
        (("mimetype", "content.xml"), "an OpenDocument file (.ods)"),
        (("leads.csv",), "an archive (.zip)"),
        (("xl/workbook.bin", "[Content_Types].xml"), "a binary Excel workbook (.xlsb)"),
        (("word/document.xml", "[Content_Types].xml"), "a Word document"),
        (("Index/Document.iwa",), "a Numbers document"),
        (b"PK\x05\x06" + b"\0" * 18, "an archive (.zip)"),
        (b"PK\x03\x04 and no more", "a damaged archive or workbook"),
        (b"\xef\xbb\xbf<html><table><tr><td>age</td></tr></table>", "a web page or other markup"),
        ("<?xml version='1.0'?><Workbook/>".encode("utf-16"), "a web page or other markup"),
        (b"SQLite format 3\0", "an SQLite database"),
    ],
)
def test_other_kinds_of_files_are_named_for_what_they_are(
    tmp_path: Path, content: bytes | tuple[str, ...], name: str
) -> None:
    # Whatever their names say: leads.csv.gz is often called leads.csv, and a web page leads.xls.
    path = tmp_path / "leads.csv"
    path.write_bytes(content if isinstance(content, bytes) else _archive(path, *content))
    assert refusal(path).startswith(f"is {name}")


def test_without_the_extra_one_line_says_which_to_install(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_workbook(path, [["a"], [1]])
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    assert "the extra xlsx: install it with pip install 'fairlead[xlsx]'" in refusal(path)


def test_a_workbook_is_imported_once_and_its_rejects_again(database: Database, path: Path) -> None:
    add_niche(database)
    values: list[list[Any]] = [
        ["Age", "City", "Owner", "contact_phone", "Submitted"],
        [40, "Köln", True, 4915112345678, cell(46_000.5, MOMENT)],
        ["old", "Bonn", False, None, cell(46_001, DATE)],
        [None, None, None, None, None],
        [41, "Ulm", None, '<c t="e"><v>#N/A</v></c>', None],
        [40, "Köln", True, 4915112345678, cell(46_000.5, MOMENT)],
    ]
    write_workbook(path, values)
    options = ImportOptions("moving")
    first = import_leads(database, path, options, OPERATOR)
    assert (first.read, first.added, first.rejected, first.empty, first.share_read) == (4, 2, 2, 1, 1.0)
    again = import_leads(database, path, options, OPERATOR)
    assert (again.added, again.already_there, again.rejected) == (0, 2, 2)
    assert (
        stored_leads(database, "attributes, contact_phone")
        == [({"age": 40, "city": "Köln", "owner": True}, "4915112345678")] * 2
    )

    rejects = path.with_name("leads.xlsx.rejects.csv")
    text = rejects.read_text(encoding="utf-8-sig")
    assert text.splitlines() == [
        "Age,City,Owner,contact_phone,Submitted,line,reason",
        'old,Bonn,FALSE,,2025-12-10,3,"Age: must be a number such as 42, -3 or 0.5"',
        '41,Ulm,,#N/A,,5,"contact_phone: is an error value of a spreadsheet, and no telephone number"',
    ]
    rejects.write_text(text.replace("old", "39").replace("#N/A", ""), encoding="utf-8-sig")
    assert import_leads(database, rejects, options, OPERATOR).added == 2
    # The same rows as a CSV file, or put right in the workbook: they are the same leads.
    write_workbook(path, [*values[:2], [39, *values[2][1:]], [41, "Ulm"], values[5]])
    assert import_leads(database, path, options, OPERATOR).added == 0
