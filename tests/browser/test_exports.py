"""An operator requests an export in a real browser, watches it come, and has the file."""

import re
import threading
from datetime import date, timedelta
from pathlib import Path

from playwright.sync_api import expect

from fairlead.store.connection import Database
from tests.browser.site import Site
from tests.browser.watched import Visit, hindrances
from tests.flows.access.people import enrolled_admin, rows, value
from tests.flows.exporting.exports import builder, forget_jobs
from tests.flows.sales import sell


def test_an_export_is_requested_watched_and_fetched(
    database: Database, site: Site, visit: Visit, tmp_path: Path
) -> None:
    sale = sell(database)
    page = visit(enrolled_admin(database).token)
    page.goto("/exports")
    expect(page.get_by_text("No export was requested")).to_be_visible()
    assert hindrances(page) == []
    page.get_by_role("link", name="New export").first.click()
    assert hindrances(page) == []
    page.get_by_role("link", name="Leads", exact=True).last.click()
    expect(page).to_have_url(re.compile(r"/exports/new\?kind=leads$"))
    assert hindrances(page) == []
    page.get_by_label("From optional", exact=True).fill(str(date.today() - timedelta(days=2)))  # noqa: DTZ011 - any day before will do
    page.get_by_label("Through optional", exact=True).fill(str(date.today() + timedelta(days=2)))  # noqa: DTZ011
    page.get_by_label("Status", exact=True).select_option("distributed")
    page.locator("summary", has_text="Columns").click()
    page.get_by_label("referrer", exact=True).uncheck()
    page.get_by_label("Send me an email when it is ready").check()
    page.get_by_role("button", name="Request the export").click()
    expect(page).to_have_url(re.compile("/exports$"))
    [(export_id, parameters)] = rows(database, "select id::text, parameters from exports")
    assert parameters["filters"] == {"status": "distributed"}
    assert "referrer" not in parameters["columns"]
    assert len(parameters["columns"]) > 10
    assert hindrances(page) == []

    # The bar moves while a worker is at it, and its part of the page is there anew when it is over, without the rest.
    halfway, go_on = threading.Event(), threading.Event()

    def may_go_on() -> bool:
        halfway.set()
        return go_on.wait(60)

    worker = threading.Thread(target=builder(database).build, args=(export_id, may_go_on))
    worker.start()
    assert halfway.wait(60)
    value(database, "update exports set rows_written = 30, rows_expected = 120 where id = %s", export_id)
    expect(page.get_by_text("30 of about 120 rows")).to_be_visible()
    expect(page.get_by_role("progressbar")).to_have_js_property("value", 0.25)
    page.locator("#search").fill("half a na")
    go_on.set()
    worker.join()
    forget_jobs(database)
    download_link = page.get_by_role("link", name="Download")
    expect(download_link).to_be_visible()
    expect(page.locator("#search")).to_have_value("half a na")
    expect(page.locator("#search")).to_be_focused()
    with page.expect_download() as fetched:
        download_link.click()
    file = tmp_path / "leads.csv"
    fetched.value.save_as(file)
    assert sale.lead_id in file.read_text(encoding="utf-8-sig")
    assert fetched.value.suggested_filename.startswith("leads-")

    page.get_by_role("link", name="Leads", exact=True).last.click()
    expect(page.get_by_text("SHA-256")).to_be_visible()
    assert hindrances(page) == []
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button").last.click()
    expect(page.get_by_text("No export was requested")).to_be_visible()
    assert rows(database, "select count(*) from exports") == [0]
