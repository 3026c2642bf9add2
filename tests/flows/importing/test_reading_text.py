"""How text is read: its encoding, its delimiter, rows that are too long, quotes that do not match."""

import csv
import io
import os
import threading
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.core.errors import BadInput
from fairlead.flows.importing.lead_file import LONGEST_CELL, LONGEST_ROW, Row
from fairlead.flows.importing.opening import Reading, open_lead_file
from fairlead.flows.importing.row_scan import RowScan

FINE = "a note of some words as they stand in files"
UNMATCHED = "the quotes do not match"
TOO_LONG = "a cell is too long: it may have 131,072 characters"


def read(path: Path, content: str | bytes, written: str = "utf-8", **reading: str) -> tuple[list[str], list[Row]]:
    """The header and the rows of this content."""
    path.write_bytes(content.encode(written) if isinstance(content, str) else content)
    file = open_lead_file(path, Reading(**reading))
    try:
        return file.header, list(file)
    finally:
        file.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file is."""
    return tmp_path / "leads.csv"


def cells(rows: list[Row]) -> list[list[str]]:
    assert [row.complaint for row in rows] == [None] * len(rows)
    return [list(row.cells) for row in rows]


@pytest.mark.parametrize("said", [None, "utf-8", "latin-1", "utf-16-le", "UTF-16"])
@pytest.mark.parametrize("written", ["utf-16", "utf-32"])
def test_the_mark_of_utf_16_outweighs_what_is_said(path: Path, written: str, said: str | None) -> None:
    reading = {} if said is None else {"encoding": said}
    header, rows = read(path, "id\tcity\r\nl:1\tKöln\r\nl:2\t東京\r\n", written, **reading)
    assert header == ["id", "city"]
    assert cells(rows) == [["l:1", "Köln"], ["l:2", "東京"]]


@pytest.mark.parametrize("said", [None, "utf-8", "utf-8-sig"])
def test_the_mark_of_utf_8_is_no_part_of_the_first_name(path: Path, said: str | None) -> None:
    header, rows = read(path, '"age",city\n41,Köln\n', "utf-8-sig", **({} if said is None else {"encoding": said}))
    assert (header, cells(rows)) == (["age", "city"], [["41", "Köln"]])


def test_a_mark_of_utf_8_before_text_that_is_none_is_passed_over(path: Path) -> None:
    # So it is in the rejected rows of a file that mixes encodings, which are imported again with the other one.
    header, rows = read(path, b"\xef\xbb\xbfage,city\n41,K\xf6ln\n", encoding="latin-1")
    assert (header, cells(rows)) == (["age", "city"], [["41", "Köln"]])


@pytest.mark.parametrize(
    ("content", "encoding", "complaint"),
    [
        (
            b"a,note\n1,O\x92Brien\n",
            None,
            "is not utf-8: byte 0x92 at character 2 of 'note' (perhaps --encoding cp1252)",
        ),
        (b"a,note\n1,\x80 20k\n", None, "is not utf-8: byte 0x80 at character 1 of 'note' (perhaps --encoding cp1252)"),
        # Not Windows-1252 either.
        (b"a,note\n1,\x8f\x93\n", None, "is not utf-8: byte 0x8f at character 1 of 'note'"),
        (b"a,note\n1,x,\x93\n", None, "is not utf-8: byte 0x93 at character 1 of column 3 (perhaps --encoding cp1252)"),
        (b"a,note\n1,x\x81\n", "cp1252", "is not cp1252: byte 0x81 at character 2 of 'note'"),
        (b"a,note\n1,O\x92Brien\n", "latin-1", "U+0092 at character 2 of 'note' (perhaps --encoding cp1252)"),
        (b"a,note\n1,and so on\x85\n", "ISO-8859-15", "U+0085 at character 10 of 'note' (perhaps --encoding cp1252)"),
        ("a,note\n\x9f,x\n", None, "U+009F at character 1 of 'a' (perhaps it was read in a wrong encoding before)"),
        (
            "a,note\n1,€\x80\n".encode("utf-16"),
            None,
            "U+0080 at character 2 of 'note' (perhaps it was read in a wrong encoding before)",
        ),
        (b"a,note\n1,n\x00ul\n", None, "holds a NUL character at character 2 of 'note'"),
        ("a,note\n1,x".encode("utf-16")[:-1], None, "is not utf-16: byte 0x78 at character 1 of 'note'"),
    ],
)
def test_what_is_no_text_is_named_with_its_place(
    path: Path, content: str | bytes, encoding: str | None, complaint: str
) -> None:
    _, rows = read(path, content, **({} if encoding is None else {"encoding": encoding}))
    assert len(rows) == 1
    assert (rows[0].complaint or "").endswith(complaint)


def test_text_in_cp1252_and_every_other_letter_is_fine(path: Path) -> None:
    _, rows = read(path, "a;note\n1;Seán O\u2019Brien \u2013 20 k€\n", "cp1252", encoding="cp1252")
    assert cells(rows) == [["1", "Seán O\u2019Brien \u2013 20 k€"]]
    _, rows = read(path, "a;note\n1;\u00a0\u00ad\u00ff\u200d\U0001f469\n")
    assert cells(rows) == [["1", "\u00a0\u00ad\u00ff\u200d\U0001f469"]]


@pytest.mark.parametrize(
    ("content", "delimiter"),
    [
        ("sep=;\r\ncontact_name;a,b,c,d\r\nAnn;1,2,3,4\r\n", ";"),
        ('"sep=,"\na,b;c;d\n1,2;3;4\n', ","),
        ("SEP=\t\na\tb|c|d\n1\t2|3|4\n", "\t"),
        ("sep=^\na^b\n1^2\n", "^"),
    ],
)
@pytest.mark.parametrize("written", ["utf-8", "utf-8-sig", "utf-16"])
def test_excels_first_line_says_the_delimiter(path: Path, content: str, delimiter: str, written: str) -> None:
    header, rows = read(path, content, written)
    assert (len(header), len(rows), len(rows[0].cells)) == (2, 1, 2)
    assert rows[0].line == 3
    file = open_lead_file(path, Reading())
    file.close()
    assert (file.delimiter, file.sep_line) == (delimiter, content.splitlines(keepends=True)[0])


def test_a_delimiter_that_is_given_wins_over_the_first_line(path: Path) -> None:
    header, rows = read(path, "sep=;\na,b\n1,2\n", delimiter=",")
    assert (header, cells(rows)) == (["a", "b"], [["1", "2"]])
    file = open_lead_file(path, Reading(delimiter=","))
    file.close()
    assert file.sep_line == ""
    # What only begins like it is a column.
    assert read(path, "sep=a,b\n1,2\n")[0] == ["sep=a", "b"]


@pytest.mark.parametrize(
    "long",
    [
        pytest.param("x" * (LONGEST_CELL + 1), id="one line, no quotes"),
        pytest.param('"' + "lorem line\n" * 14_000 + '"', id="many lines"),
        pytest.param('"' + 'say ""hi""\n' * 20_000 + '"', id="quotes within"),
        pytest.param('"' + "z,z@example.com,44\n" * 8_000 + '"', id="lines that look like rows"),
        pytest.param('"' + "x" * (2 * LONGEST_ROW + 3) + '"', id="longer than a row is kept"),
        pytest.param('"' + "lorem line\n" * 100_000 + '"', id="many lines, more than are kept"),
        pytest.param('"' + ('""' * LONGEST_ROW) + '"', id="quotes alone"),
    ],
)
@pytest.mark.parametrize("written", ["utf-8", "utf-16", "shift_jis"])
def test_a_cell_that_is_too_long_is_one_row(path: Path, long: str, written: str) -> None:
    content = f"name,mail,age\nA,a@example.com,30\nB,{long},31\nC,c@example.com,32\nD,d@example.com,33\n"
    _, rows = read(path, content, written, **({"encoding": written} if written == "shift_jis" else {}))
    assert [row.cells[0] for row in rows if row.complaint is None] == ["A", "C", "D"]
    (bad,) = [row for row in rows if row.complaint is not None]
    assert (bad.line, (bad.complaint or "")[: len(TOO_LONG)]) == (3, TOO_LONG)
    assert rows[-1].line == content.count("\n")
    if bad.lines > 1:
        assert (bad.complaint or "").endswith(f"(lines 3 to {content.count(chr(10)) - 2:,})")
    assert sum(map(len, bad.cells)) <= LONGEST_CELL


def test_cells_of_the_longest_length_are_taken_and_rows_have_one_too(path: Path) -> None:
    longest = "x" * LONGEST_CELL
    assert cells(read(path, f'a,b\n{longest},1\n"{longest}",2\n')[1]) == [[longest, "1"], [longest, "2"]]
    row = ",".join(["x" * 100_000] * 11)
    _, rows = read(path, "a,b\n" + row + "\n1,2\n")
    assert [each.complaint for each in rows] == ["the row is too long: it may have 1,000,000 characters", None]
    with pytest.raises(BadInput, match="the header cannot be read: a cell is too long"):
        read(path, f"a,{longest}x\n1,2\n")


@pytest.mark.parametrize("rows_behind", [10, 30_000])
@pytest.mark.parametrize("written", ["utf-8", "utf-16", "cp1252", "shift_jis"])
def test_a_quote_that_is_never_closed_costs_its_line_however_much_follows(
    path: Path, rows_behind: int, written: str
) -> None:
    content = 'a,b\n1,"never closed\n' + f"2,{FINE}\n" * rows_behind
    _, rows = read(path, content, written, encoding=written)
    assert (rows[0].line, rows[0].cells) == (2, ['1,"never closed'])
    assert (rows[0].complaint or "").startswith(UNMATCHED)
    assert len(rows) == rows_behind + 1
    assert (rows[-1].line, rows[-1].cells, rows[-1].complaint) == (rows_behind + 2, ["2", FINE], None)


def test_a_quote_whose_line_is_too_long_to_be_kept_costs_that_line(path: Path) -> None:
    _, rows = read(path, 'a,b\n1,"' + "x" * (LONGEST_ROW + 10) + "\n2,fine\n3,fine\n")
    assert [(row.line, row.complaint is None) for row in rows] == [(2, False), (3, True), (4, True)]


def test_many_long_and_unmatched_rows_take_no_more_time_than_the_file_has_lines(path: Path) -> None:
    # Each would look ahead to the end, if looking ahead did not end at the next quote.
    _, rows = read(path, "a,b\n" + ('1,"open\n' + f"2,{FINE}\n" * 6_000) * 6)
    assert len(rows) == 6 * 6_001 - sum(row.lines - 1 for row in rows)


def test_memory_is_bounded_for_rows_of_any_length(path: Path) -> None:
    path.write_text('a,b\n1,"' + "x" * 20_000_000 + '"\n2,fine\n3,"' + "lorem line\n" * 300_000 + '"\n4,fine\n')
    tracemalloc.start()
    try:
        file = open_lead_file(path, Reading())
        rows = [(row.line, row.complaint is None) for row in file]
        peak = tracemalloc.get_traced_memory()[1]
        file.close()
    finally:
        tracemalloc.stop()
    assert rows == [(2, False), (3, True), (4, False), (300_005, True)]
    # Kept in memory, the first row alone would take 20 MB.
    assert peak < 12_000_000, peak


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with a name here")
def test_a_pipe_is_read_as_a_file_is(path: Path) -> None:
    os.mkfifo(path)
    content = 'a,b\n1,"never closed\n' + f"2,{FINE}\n" * 30_000
    writer = threading.Thread(target=lambda: path.write_text(content))
    writer.start()
    file = open_lead_file(path, Reading())
    writer.join(60)
    assert len(list(file)) == 30_001
    assert file.share_read() == 1.0
    file.close()


TEXT = st.text(st.sampled_from('ab",;\n\r'), max_size=40)


@given(TEXT, st.integers(1, 40))
def test_a_scan_ends_a_row_where_the_reader_of_csv_does(text: str, size: int) -> None:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        cells: list[str] | None = next(reader, [])
    except csv.Error:
        cells = None
    scan = RowScan(",")
    for start in range(0, len(text), size):
        scan.feed(text[start : start + size])
    scan.finish()
    assert (scan.state == "malformed") == (cells is None)
    if cells:
        assert scan.longest_cell == max(map(len, cells))
