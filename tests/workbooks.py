"""Excel workbooks written by hand, as small as Excel takes them, for tests that read some."""

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"

# By position: a plain number, a date, a date with a time, a duration of more than a day, a postal code of five digits.
STYLES = f"""<styleSheet xmlns="{MAIN}"><numFmts count="2"><numFmt numFmtId="164" formatCode="[h]:mm:ss"/>
<numFmt numFmtId="165" formatCode="00000"/></numFmts><cellXfs count="5"><xf numFmtId="0"/><xf numFmtId="14"/>
<xf numFmtId="22"/><xf numFmtId="164"/><xf numFmtId="165"/></cellXfs></styleSheet>"""
DATE, MOMENT, DURATION, POSTAL_CODE = 1, 2, 3, 4


def cell(value: object, style: int = 0) -> str:
    """A cell without its place: text stands within it, None is empty."""
    if value is None:
        return "<c/>"
    if isinstance(value, bool):
        return f'<c t="b"><v>{int(value)}</v></c>'
    if isinstance(value, str):
        return f'<c t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'
    return f'<c s="{style}"><v>{value}</v></c>'


def sheet(rows: Sequence[Sequence[object]]) -> str:
    """A sheet of these values; what begins with `<c` is a cell already."""
    lines = [
        "".join(each if isinstance(each, str) and each.startswith("<c") else cell(each) for each in row) for row in rows
    ]
    return raw_sheet("".join(f"<row>{line}</row>" for line in lines))


def raw_sheet(rows: str) -> str:
    """A sheet whose rows are written already."""
    return f'<?xml version="1.0"?><worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>'


def members(
    sheets: Mapping[str, str], hidden: Sequence[str] = (), strings: Sequence[str] = (), of_1904: bool = False
) -> dict[str, str]:
    """Every member of the workbook by its path; `strings` are shared among the sheets."""
    entries, relations = "", ""
    for number, name in enumerate(sheets, start=1):
        state = ' state="hidden"' if name in hidden else ""
        entries += f'<sheet name="{escape(name)}" sheetId="{number}"{state} r:id="rId{number}"/>'
        relations += f'<Relationship Id="rId{number}" Type="{OFFICE}/worksheet" Target="worksheets/sheet{number}.xml"/>'
    shared = "".join(f"<si><t>{escape(text)}</t></si>" for text in strings)
    last = len(sheets)
    relations += f'<Relationship Id="rId{last + 1}" Type="{OFFICE}/styles" Target="styles.xml"/>'
    relations += f'<Relationship Id="rId{last + 2}" Type="{OFFICE}/sharedStrings" Target="sharedStrings.xml"/>'
    dates = '<workbookPr date1904="1"/>' if of_1904 else ""
    root = f'<Relationship Id="rId1" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
    return {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types"/>',
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships">{root}</Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}">{dates}<sheets>{entries}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships">{relations}</Relationships>',
        "xl/styles.xml": STYLES,
        "xl/sharedStrings.xml": f'<sst xmlns="{MAIN}">{shared}</sst>',
        **{f"xl/worksheets/sheet{number}.xml": text for number, text in enumerate(sheets.values(), start=1)},
    }


def write_members(path: Path, contents: Mapping[str, str | bytes]) -> Path:
    """The archive of these members."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return path


def write_workbook(path: Path, rows: Sequence[Sequence[object]]) -> Path:
    """The workbook of one sheet with these values."""
    return write_members(path, members({"Leads": sheet(rows)}))
