"""A message's template is previewed in a real browser, in its frame and nowhere else."""

from playwright.sync_api import expect

from fairlead.store.connection import Database
from tests.browser.watched import Visit
from tests.flows.access.people import enrolled_admin

COVERS_ALL = '<div style="position: fixed; top: 0; left: 0; width: 3000px; height: 3000px">Log in again</div>'
IS_COVERED = "document.elementFromPoint(5, 5)?.closest('[data-preview-html]') !== null"


def test_a_message_stays_in_its_frame(database: Database, visit: Visit) -> None:
    page = visit(enrolled_admin(database).token)
    page.goto("/settings/templates/lead_assigned")
    page.locator("textarea[name=html]").evaluate(
        "(field, html) => { field.value = html; field.dispatchEvent(new Event('input', { bubbles: true })); }",
        COVERS_ALL,
    )
    expect(page.locator("[data-preview-html]")).to_contain_text("Log in again")
    page.evaluate("window.scrollTo(0, 0)")
    assert not page.evaluate(IS_COVERED)
