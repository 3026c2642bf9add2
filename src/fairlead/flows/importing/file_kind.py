"""What a file is, by how it begins: text, a workbook, or something else that is named for what it is."""

import zipfile
from typing import BinaryIO, Literal

from fairlead.flows.importing.workbook_parts import NO_ARCHIVE

FIRST_BYTES = 512

_AS_CSV = "save it as .xlsx, or as CSV (UTF-8)"
_UNPACK = "unpack it and import what is inside"
_SIGNATURES = (
    (b"%PDF-", "a PDF", "export the table that it was made from, as CSV"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Excel workbook of the old kind (.xls), or one with a password", _AS_CSV),
    (b"\x1f\x8b", "compressed with gzip (.gz)", _UNPACK),
    (b"BZh", "compressed with bzip2 (.bz2)", _UNPACK),
    (b"\xfd7zXZ\x00", "compressed with xz (.xz)", _UNPACK),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd (.zst)", _UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive (.7z)", _UNPACK),
    (b"Rar!\x1a\x07", "a RAR archive (.rar)", _UNPACK),
    (b"{\\rtf", "a document of a word processor (.rtf)", "export its table as CSV"),
    (b"PAR1", "a Parquet file", "export it as CSV"),
    (b"SQLite format 3\x00", "an SQLite database", "export the table as CSV"),
)
# What an archive holds says what it is; the first that is found counts.
_MEMBERS = (
    ("xl/workbook.bin", "a binary Excel workbook (.xlsb)", _AS_CSV),
    ("word/document.xml", "a Word document (.docx)", "export its table as CSV"),
    ("Index/Document.iwa", "a Numbers document", "export it as CSV"),
    ("Index.zip", "a Numbers document", "export it as CSV"),
)
_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_MARKUP = (b"<!doctype", b"<html", b"<?xml", b"<table", b"<head", b"<meta")


def kind_of(file: BinaryIO) -> Literal["text", "workbook"] | tuple[str, str]:
    """How the file at its beginning is to be read; or what else it is, and what to do about it.

    Raises `OSError` where it cannot be read. Afterwards the file stands at its beginning again.
    """
    first = file.read(FIRST_BYTES)
    try:
        if first.startswith((b"PK\x03\x04", b"PK\x05\x06")):
            return _kind_of_archive(file)
    finally:
        file.seek(0)
    for signature, name, advice in _SIGNATURES:
        if first.startswith(signature):
            return name, advice
    for mark in _MARKS:
        first = first.removeprefix(mark)
    if first.replace(b"\x00", b"").lstrip().lower().startswith(_MARKUP):
        return "a web page or other markup (HTML, XML)", "open it in a spreadsheet and " + _AS_CSV
    return "text"


def _is_open_document(archive: zipfile.ZipFile) -> bool:
    # OpenDocument stores it as it is, at the beginning, so that it can be seen without unpacking.
    info = archive.getinfo("mimetype")
    is_plain = info.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
    return is_plain and b"opendocument" in archive.open(info).read(100)


def _kind_of_archive(file: BinaryIO) -> Literal["workbook"] | tuple[str, str]:
    try:
        with zipfile.ZipFile(file) as archive:
            names = set(archive.namelist())
            if "mimetype" in names and _is_open_document(archive):
                return "an OpenDocument file (.ods)", _AS_CSV
    except NO_ARCHIVE:
        return "a damaged archive or workbook (.zip, .xlsx)", "fetch it again"
    for member, name, advice in _MEMBERS:
        if member in names:
            return name, advice
    if any(name.startswith("xl/") for name in names):
        return "workbook"
    return "an archive (.zip)", _UNPACK
