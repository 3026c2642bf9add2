"""Papers as they are printed: the paper alone, on sheets of A4, whole, with the heads of columns on each."""

import re
import zlib
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from fairlead.flows.money.adjust_balance import adjust_balance
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.browser.site import Site
from tests.browser.watched import Visit, hindrances
from tests.console.test_receipts import name_both
from tests.flows.access.people import enrolled_admin, provider_user, rows, value
from tests.flows.sales import MEMO, Sale, sell

ENTRIES = 120
HEAD, ROW = (1.0, 0.0, 1.0), (0.0, 1.0, 0.0)
"""What the heads of columns and the rows are painted with, so that a printed sheet shows how many it has."""
_PAINTED = re.compile(rb"([-.\d]+) ([-.\d]+) ([-.\d]+) rg\b|\b(q|Q)\b|\bre\s+(f)\b")
A4_POINTS = (595, 842)


@pytest.fixture
def sale(database: Database) -> Sale:
    """Two providers, one of whom has a long month, and names on papers."""
    sale = sell(database)
    name_both(database, sale.anchor_id)
    for number in range(ENTRIES):
        adjust_balance(database, sale.anchor_id, "credit", 100 + number, MEMO, OPERATOR)
    return sale


def sheets(pdf: bytes) -> Iterator[bytes]:
    """What is drawn on each sheet."""
    for found in re.finditer(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL):
        try:
            drawn = zlib.decompress(found[1])
        except zlib.error:
            continue
        if b" rg" in drawn and b"BT" in drawn:
            yield drawn


def painted(drawn: bytes, colour: tuple[float, ...]) -> int:
    """How many rectangles of the colour are drawn."""
    current, before, count = None, list[tuple[float, ...] | None](), 0
    for red, green, blue, state, fill in _PAINTED.findall(drawn):
        if red:
            current = tuple(map(float, (red, green, blue)))
        elif state == b"q":
            before.append(current)
        elif state == b"Q":
            current = before.pop()
        elif fill and current == colour:
            count += 1
    return count


def printed(page: Page) -> bytes:
    """The PDF of the page as it is, with one cell of each row and of each head painted."""
    page.evaluate(
        """([head, row]) => {
            const sheet = new CSSStyleSheet();
            sheet.replaceSync(`.table.cards th:nth-child(2) { background: ${head} !important; }
                               .table.cards td:nth-child(2) { background: ${row} !important; }`);
            document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
        }""",
        [f"rgb({' '.join(str(round(255 * part)) for part in colour)})" for colour in (HEAD, ROW)],
    )
    return page.pdf(prefer_css_page_size=True, print_background=True)


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("who", ["operator", "provider"])
def test_a_long_statement_is_printed_whole(
    who: str, language: str, database: Database, site: Site, visit: Visit, sale: Sale
) -> None:
    month = value(database, "select to_char(max(created_at) at time zone 'UTC', 'YYYY-MM') from ledger_entries")
    if who == "operator":
        page = visit(enrolled_admin(database).token, dark=True)
        path = f"/providers/{sale.anchor_id}/statements/{month}"
    else:
        page, path = visit(provider_user(database, sale.anchor_id).token, phone=True), f"/portal/statements/{month}"
    page.context.add_cookies([{"name": "language", "value": language, "url": site.address}])
    page.goto(path)
    expect(page.locator(".table.cards tbody tr")).to_have_count(ENTRIES + 2)
    pdf = printed(page)
    boxes = {tuple(map(round, map(float, box.split()[2:]))) for box in re.findall(rb"/MediaBox \[([^\]]+)\]", pdf)}
    assert all(abs(got - wanted) <= 1 for box in boxes for got, wanted in zip(box, A4_POINTS, strict=True)), boxes
    drawn = list(sheets(pdf))
    assert 3 <= len(drawn) == len(re.findall(rb"/Type\s*/Page\b", pdf)) <= 6
    assert sum(painted(each, ROW) for each in drawn) == ENTRIES + 2, "no row is missing, and none is on two sheets"
    with_rows = [each for each in drawn if painted(each, ROW)]
    assert [painted(each, HEAD) for each in with_rows] == [1] * len(with_rows)


def test_nothing_of_the_console_is_on_a_paper(database: Database, site: Site, visit: Visit, sale: Sale) -> None:
    number = value(database, "select min(number) from receipts where provider_id = %s", sale.anchor_id)
    page = visit(enrolled_admin(database).token)
    for path, words in (
        (f"/money/receipts/{number}", "Deposit to the balance"),
        (
            f"/providers/{sale.anchor_id}/statements/{value(database, 'select to_char(now(), %s)', 'YYYY-MM')}",
            "Opening",
        ),
    ):
        page.goto(path)
        page.emulate_media(media="print")
        expect(page.get_by_text(words).first).to_be_visible()
        for hidden in (".rail", ".top", ".trail", ".no-print", ".actions a", "form"):
            assert page.locator(f"{hidden}:visible").count() == 0, f"{hidden} of {path}"
        page.emulate_media(media="screen")


def test_billing_details_are_given_and_a_second_editor_loses_nothing(
    database: Database, site: Site, visit: Visit
) -> None:
    sale = sell(database)
    theirs = visit(enrolled_admin(database).token)
    theirs.goto(f"/providers/{sale.anchor_id}/billing-details")
    own = visit(provider_user(database, sale.anchor_id).token, phone=True)
    own.goto("/portal/receipts")
    own.get_by_role("link", name="Say what they are to name").click()
    form = own.locator("#billing")
    form.get_by_role("button", name="Save").click()
    assert own.evaluate("document.activeElement.name") == "legal_name", "what is missing is asked for"
    form.get_by_label("Legal name").fill("Anchor Hosting GmbH")
    form.get_by_label("Address").fill("Kai 4\n20457 Hamburg")
    form.get_by_label("Country").fill("ZZ")
    form.get_by_label("Email for papers").fill("books@localhost")
    form.get_by_role("button", name="Save").click()
    expect(form.locator("[data-error-of=country]")).to_contain_text("two capital letters")
    expect(form.locator("[data-error-of=email]")).to_be_visible()
    assert hindrances(own) == []
    form.get_by_label("Country").fill("DE")
    form.get_by_label("Email for papers").fill("")
    form.get_by_role("button", name="Save").click()
    expect(own.get_by_text("Papers say so from now on.")).to_be_visible()
    assert rows(database, "select legal_name || '/' || country from billing_details") == ["Anchor Hosting GmbH/DE"]

    theirs.get_by_label("Legal name").fill("Anchor Ltd")
    theirs.get_by_label("Address").fill("Quay 4")
    theirs.get_by_label("Country").fill("IE")
    theirs.get_by_role("button", name="Save").click()
    expect(theirs.locator(".form-error")).to_contain_text("Another user changed this")
    expect(theirs.get_by_label("Legal name")).to_have_value("Anchor Ltd")
    expect(theirs.get_by_text("Meanwhile changed to: Anchor Hosting GmbH")).to_be_visible()
    assert hindrances(theirs) == []
    assert rows(database, "select legal_name from billing_details") == ["Anchor Hosting GmbH"]
