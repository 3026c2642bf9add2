"""Rows that are rejected, empty or joined by a quote; and the file of them, imported again once they are right."""

import csv
from pathlib import Path
from typing import Any

import pytest

from fairlead.flows.importing.import_leads import Imported, ImportOptions, import_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.flows.niches import add_niche, stored_leads

AS_IT_IS = " (put the row right; if it is right as it is, empty this cell)"
JOINED = "a quoted cell holds lines that are rows of this file: a quote is missing, or one too many"


@pytest.fixture
def file(database: Database, tmp_path: Path) -> Path:
    """A path for a file of leads; the niche `moving` is there."""
    fields = ({"key": "age", "label": "Age", "type": "number"}, {"key": "note", "label": "Note", "type": "text"})
    add_niche(database, fields=fields)
    return tmp_path / "leads.csv"


def run(database: Database, path: Path, content: str | None = None, **options: Any) -> Imported:
    """The content, or what is there, imported as a file at `path`."""
    if content is not None:
        path.write_bytes(content.encode())
    return import_leads(database, path, ImportOptions("moving", **options), OPERATOR)


def rejects_of(path: Path) -> Path:
    return path.with_name(path.name + ".rejects.csv")


def rejected(path: Path) -> list[dict[str, str]]:
    with rejects_of(path).open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def put_right(path: Path, *changes: tuple[str, str]) -> Path:
    """The file of rejected rows with these changes; its path."""
    text = rejects_of(path).read_bytes().decode()
    for old, new in changes:
        assert old in text, (old, text)
        text = text.replace(old, new)
    rejects_of(path).write_bytes(text.encode())
    return rejects_of(path)


def test_rows_that_hold_nothing_are_passed_over_and_counted(database: Database, file: Path) -> None:
    nothing = ',,,\n,,,,,\n,\n   \n\n \t ,\u00a0,\u3000,\n"","",,\n'
    done = run(database, file, "contact_name,contact_email,age,note\nA One,a1@example.com,30,hello\n" + nothing)
    assert (done.read, done.added, done.rejected, done.empty) == (1, 1, 0, 7)
    assert not rejects_of(file).exists()
    # A row that holds something, if in a column that fills nothing, is no empty one.
    assert run(database, file, "age,other\n31,\n,x\n").rejected == 1


def test_rows_that_are_too_short_or_too_long_are_a_guess_until_they_are_changed(database: Database, file: Path) -> None:
    header = "contact_name,contact_email,age,note\n"
    done = run(
        database, file, header + "B Two,b2@example.com,31\nC Three,c3@example.com,32,,\nD,d@example.com,33,a,b\n,,,\n"
    )
    assert (done.added, done.rejected, done.empty) == (0, 3, 1)
    assert [row["reason"][:13] for row in rejected(file)] == ["has 3 columns", "has 5 columns", "has 5 columns"]

    # As it is, nothing was put right: the same rows are rejected again, and the file of them has the same columns.
    again = run(database, rejects_of(file))
    assert (again.added, again.rejected) == (0, 3)
    rows = rejected(rejects_of(file))
    assert list(rows[0]) == ["contact_name", "contact_email", "age", "note", "line", "reason"]
    assert [row["reason"] for row in rows] == [
        "has 3 columns where the header has 4" + AS_IT_IS,
        "has 5 columns where the header has 4" + AS_IT_IS,
        "has 5 columns where the header has 4" + AS_IT_IS,
    ]
    # And once more: what is to be done is said once.
    third = run(database, rejects_of(rejects_of(file)))
    assert third.rejected == 3
    assert rejected(rejects_of(rejects_of(file))) == rows

    changes = [
        ("31,,", "31,was cut off,"),
        ('32,",",', "32,,"),
        ('"a,b",4,has 5 columns where the header has 4', '"a,b",4,'),
    ]
    assert run(database, put_right(file, *changes)).added == 3
    assert stored_leads(database, "attributes ->> 'note'") == ["was cut off", None, "a,b"]


@pytest.mark.parametrize(
    "content",
    [
        'v1@example.com,30,"a roof\nv2@example.com,31,fine\nv3@example.com,32,fine\nv4@example.com,33,window 36"\n',
        'v1@example.com,30,"wants a roof\nv2@example.com,31,window 36"\n',
        # The quote opens in another column than the last, and in the first.
        'v1@example.com,"30,wants a roof\nv2@example.com,31",fine\n',
        '"v1@example.com,30,a\r\nv2@example.com,31,b\r\nv3@example.com",32,c\r\n',
    ],
)
def test_rows_that_a_quote_has_joined_are_no_one_lead(database: Database, file: Path, content: str) -> None:
    done = run(database, file, "contact_email,age,note\n" + content + "v5@example.com,34,fine\n")
    assert (done.added, done.rejected) == (1, 1)
    assert [(int(row["line"]), row["reason"]) for row in rejected(file)] == [(2, JOINED)]
    assert stored_leads(database, "contact_email") == ["v5@example.com"]


def test_joined_rows_are_parted_in_the_file_of_rejects(database: Database, file: Path) -> None:
    joined = 'v1@example.com,30,"wants a roof\nv2@example.com,31,fine\nv3@example.com,32,window 36"\n'
    run(database, file, "contact_email,age,note\n" + joined)
    assert run(database, rejects_of(file)).rejected == 1
    assert rejected(rejects_of(file))[0]["reason"] == JOINED + AS_IT_IS
    # An editor takes the quote away: rows that lack the two columns are rows of the file as well.
    assert run(database, put_right(file, ('"wants', "wants"))).added == 3
    assert stored_leads(database, "contact_email, attributes ->> 'note'") == [
        ("v1@example.com", "wants a roof"),
        ("v2@example.com", "fine"),
        ("v3@example.com", 'window 36"'),
    ]
    # The same put right in the file that they came from: no one is there twice.
    assert run(database, file, "contact_email,age,note\n" + joined.replace('"wants', "wants")).added == 0


def test_texts_of_several_lines_are_fine_and_one_that_looks_like_rows_can_be_confirmed(
    database: Database, file: Path
) -> None:
    notes = [
        'line one\nline two, with "quotes"\n\nline four',
        "Dear all,\nnot,a row,of this\nx@example.com,none,7",
        "red, green, blue\nyellow, 5, pink",
        "a\n\n\nb",
    ]
    rows = "".join('a@example.com,30,"{}"\n'.format(note.replace('"', '""')) for note in notes)
    assert run(database, file, "contact_email,age,note\n" + rows).added == len(notes)

    looks = 'a@example.com,30,"see:\nv2@example.com,31,fine"\n'
    assert run(database, file, "contact_email,age,note\n" + looks).rejected == 1
    assert run(database, put_right(file, (f'"{JOINED}"', ""))).added == 1


def test_rows_that_are_too_long_or_not_closed_are_rejected_again_until_they_are_changed(
    database: Database, file: Path
) -> None:
    long = '2,"' + "lorem line\n" * 14_000 + '"\n'
    done = run(database, file, "age,note\n1,ok\n" + long + '3,"never closed\n4,ok\n')
    assert (done.added, done.rejected) == (2, 2)
    first, second = rejected(file)
    assert (first["line"], first["age"]) == ("3", '2,"lorem line')
    assert first["reason"] == "a cell is too long: it may have 131,072 characters (lines 3 to 14,003)"
    assert (second["line"], second["age"]) == ("14004", '3,"never closed')
    assert run(database, rejects_of(file)).rejected == 2
    assert run(database, put_right(file, ('"3,""never closed",,', "3,now closed,"))).added == 1
    assert stored_leads(database, "attributes ->> 'note'") == ["ok", "ok", "now closed"]


def test_line_and_reason_make_no_other_lead(database: Database, file: Path) -> None:
    content = "contact_email,age,note,from\na@example.com,old,x,web\nb@example.com,41,y,web\n"
    run(database, file, content)
    right = put_right(file, ("old", "40"))
    assert run(database, right, mapping={"from": "utm_source"}).added == 1
    # Under another mapping, from another line, or in the file that it came from: the same row.
    text = right.read_text()
    assert run(database, right, text.replace(",2,", ",99,")).added == 0
    assert run(database, file, content.replace("old", "40")).added == 0
    assert run(database, right, text, dedupe=["contact_email"]).added == 0


@pytest.mark.parametrize(
    ("sep", "written"), [("sep=;\r\n", "utf-8"), ("", "utf-8-sig"), ("", "utf-16"), ("sep=;\n", "utf-16")]
)
def test_rejects_are_written_as_the_file_was(database: Database, file: Path, sep: str, written: str) -> None:
    file.write_bytes((sep + "age;note\r\nold;Köln, süd\r\n41;x\r\n").encode(written))
    assert run(database, file).rejected == 1
    text = rejects_of(file).read_bytes().decode(written)
    line = 3 if sep else 2
    assert text == f"{sep}age;note;line;reason\r\nold;Köln, süd;{line};Age: must be a number such as 42, -3 or 0.5\r\n"
    rejects_of(file).write_bytes(text.replace("old", "40").encode(written))
    assert run(database, rejects_of(file)).added == 1
