"""An operator loads a postcode table from a file, in a real browser: each refused line is shown with its reason."""

from pathlib import Path

from playwright.sync_api import Page, expect

from fairlead.flows.configuration.postcode_tables import list_postcode_tables, load_postcode_table
from fairlead.flows.configuration.subscriptions import set_filter
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.browser.watched import Visit, await_script, hindrances
from tests.flows.access.people import enrolled_admin
from tests.flows.configuration.test_filter_renewals import OTHERS
from tests.flows.configuration.test_postcode_tables import FIRST, MARKET, near
from tests.flows.marketplaces import declare
from tests.flows.sales import query

WRONG = b"zip;lat;lon\r\n10115;52.5337;13.3872\r\n???;1;2\r\n10115;52.5;13.4\r\n14467;52.3988;13.0657\r\n"
RIGHT = b"\xef\xbb\xbfzip;lat;lon\r\n10115;52.5337;13.3872\r\n14467;52.3988;13.0657\r\n"


def test_a_file_is_refused_line_by_line_mended_and_loaded(database: Database, visit: Visit, tmp_path: Path) -> None:
    page = visit(enrolled_admin(database).token)
    page.goto("/overview")
    page.get_by_role("link", name="Postcode tables").click()
    expect(page.get_by_text("No postcode tables")).to_be_visible()
    file = tmp_path / "plz.csv"
    file.write_bytes(WRONG)
    page.get_by_label("Name", exact=True).fill("De")
    _choose(page, file)
    _load(page)
    expect(page.locator("[data-error-of='name']")).to_contain_text("1 to 50 small letters")
    page.get_by_label("Name", exact=True).fill("de")
    _load(page)
    expect(page.get_by_text("Nothing was loaded. Lines that were refused: 2")).to_be_focused()
    rows = page.locator("[data-refused-lines] tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.nth(0)).to_contain_text("3???;1;2must be a postcode, its latitude and its longitude in degrees")
    expect(rows.nth(1)).to_contain_text("410115;52.5;13.4an earlier line has the postcode 10115")
    assert hindrances(page) == []
    assert list_postcode_tables(database) == []
    file.write_bytes(RIGHT)
    _choose(page, file)
    _load(page)
    expect(page.get_by_text("de, version 1, is loaded: 2 postcodes.")).to_be_visible()
    table = page.get_by_role("region", name="Loaded tables")
    expect(table.get_by_role("row")).to_have_count(2)
    expect(table).to_contain_text("no subscription")
    assert hindrances(page) == []
    page.get_by_label("Name", exact=True).fill("de")
    _choose(page, file)
    _load(page)
    expect(page.get_by_text("Nothing was loaded: de, version 1, has the same postcodes already.")).to_be_visible()
    assert [(each.version, each.postcode_count) for each in list_postcode_tables(database)] == [(1, 2)]


def test_filters_are_renewed_and_what_is_typed_stays(database: Database, visit: Visit) -> None:
    declare(database, MARKET + OTHERS)
    load_postcode_table(database, "de", FIRST, OPERATOR)
    ids = [found for (found,) in query(database, "select id::text from subscriptions order by id")]
    for subscription_id in ids:
        set_filter(database, subscription_id, near(30), OPERATOR, of_provider_id=None)
    load_postcode_table(database, "de", "14467;52.3988;13.0657\n", OPERATOR)
    point = {"table": "de", "point": [52.4, 13.06], "km": 30, "version": 1}
    rules = {"version": 2, "rules": [{"field_key": "zip", "operator": "within_km", "value": point}]}
    set_filter(database, ids[-1], rules, OPERATOR, of_provider_id=None)
    page = visit(enrolled_admin(database).token)
    page.goto("/postcode-tables")
    await_script(page, "postcode-renewal.js")
    page.get_by_label("Name", exact=True).fill("at")
    page.get_by_role("button", name="Renew their filters").click()
    confirm = page.locator("#confirm-dialog")
    expect(confirm).to_contain_text("The filters of 3 subscriptions go by version 2 of de from the next decision on.")
    confirm.get_by_role("button", name="Renew their filters").click()
    expect(page.get_by_text("Filters renewed: 1. They go by version 2 from the next decision on.")).to_be_visible()
    kept = page.locator("[data-renewal-kept]")
    expect(kept).to_contain_text("Filters that go on as they were, each for its reason: 2")
    expect(kept.get_by_role("listitem").first).to_contain_text("the table 'de' has no postcode 10115")
    expect(page.get_by_text("2 subscriptions go by older versions")).to_be_visible()
    expect(page.get_by_label("Name", exact=True)).to_have_value("at")
    assert hindrances(page) == []
    # What took the list's place works as that did.
    page.get_by_role("button", name="Renew their filters").click()
    confirm.get_by_role("button", name="Renew their filters").click()
    expect(page.get_by_text("Filters renewed: 0.")).to_be_visible()


def test_a_file_that_is_too_large_is_not_sent(database: Database, visit: Visit, tmp_path: Path) -> None:
    page = visit(enrolled_admin(database).token)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.method))
    page.goto("/postcode-tables")
    file = tmp_path / "plz.csv"
    file.write_bytes(b"10115,52.5337,13.3872\n" * 46_000)
    page.get_by_label("Name", exact=True).fill("de")
    page.get_by_label("File").set_input_files(file)
    expect(page.locator("[data-error-of='content']")).to_contain_text("fairlead postcodes load")
    _load(page)
    assert hindrances(page) == []
    assert "POST" not in asked


def _choose(page: Page, file: Path) -> None:
    """Its text is read before anything else is done, which an operator's hands are too slow to forestall."""
    page.get_by_label("File").set_input_files([])
    page.get_by_label("File").set_input_files(file)
    expect(page.locator("[name='content']")).not_to_have_value("")


def _load(page: Page) -> None:
    page.get_by_role("button", name="Load the file").click()
