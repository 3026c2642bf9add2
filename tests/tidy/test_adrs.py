"""Decision records have one form, and the index says what they say."""

import re
from pathlib import Path

import pytest

ADRS = Path(__file__).parents[2] / "docs" / "adr"
PAGES = sorted(ADRS.glob("0*.md"))
STATUS = re.compile(r"proposed|accepted|superseded by \[\d{4}\]\(\d{4}-[a-z0-9-]+\.md\)")
ROW = re.compile(r"^\| \[(\d{4})\]\(([^)]*)\) \| (.*) \| (\S+) \| (.*) \|$", re.MULTILINE)


def _read(page: Path) -> tuple[str, str, str, str, list[str]]:
    """Number, title, date, status and headings, as the page has them."""
    text = page.read_text(encoding="utf-8")
    found = re.match(r"# (\d{4}): (.*)\n\n- Status: (.*)\n- Date: (.*)\n\n", text)
    assert found, f"{page.name} does not begin as docs/adr/0000-template.md does"
    number, title, status, date = found.groups()
    return number, title, date, status, re.findall(r"^## (.*)$", text, re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_record_has_the_form_of_the_template(page: Path) -> None:
    number, _title, date, status, headings = _read(page)
    assert number == page.name[:4]
    assert headings[:4] == ["Context", "Decision", "Consequences", "Alternatives"]
    if number != "0000":
        assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", date)
        assert STATUS.fullmatch(status)


def test_the_index_says_what_the_records_say() -> None:
    rows = [
        (file, title, date, status) for _, file, title, date, status in ROW.findall((ADRS / "README.md").read_text())
    ]
    pages = [(page.name, *_read(page)[1:4]) for page in PAGES if not page.name.startswith("0000")]
    assert rows == pages


def test_numbers_have_no_gap_and_no_double() -> None:
    assert [int(page.name[:4]) for page in PAGES] == list(range(len(PAGES)))
