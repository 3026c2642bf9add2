"""A provider limits what it takes, and paints the week in which it takes it, by pointer and by keyboard."""

from playwright.sync_api import expect

from fairlead.store.connection import Database
from tests.api.portal import subscription
from tests.browser.site import Site
from tests.browser.watched import Visit, hindrances
from tests.flows.access.people import provider_user, value
from tests.flows.sales import sell


def cell(day: int, half_hour: int) -> str:
    return f'.week-cell[data-day="{day}"][data-number="{half_hour}"]'


def test_limits_are_set_and_a_week_is_painted(database: Database, site: Site, visit: Visit) -> None:
    sale = sell(database)
    gold = subscription(database, sale.anchor_id, "gold")
    page = visit(provider_user(database, sale.anchor_id, "desk@anchor.example").token)
    page.goto(f"/portal/subscriptions/{gold}")
    page.get_by_text("Change the limits").click()
    page.get_by_label("Leads in total").fill("4")
    page.get_by_label("Spending a month").fill("75.50")
    page.get_by_role("button", name="Save the limits").click()
    expect(page.get_by_role("row", name="Leads in total")).to_contain_text("1 of 4")
    expect(page.get_by_role("row", name="Spending a month")).to_contain_text("€20.00 of €75.50")
    page.get_by_text("Change the schedule").click()
    page.get_by_role("button", name="No hour").click()
    # By pointer: Monday from 9:00 to 10:30.
    page.hover(cell(0, 18))
    page.mouse.down()
    page.hover(cell(0, 19))
    page.hover(cell(0, 20))
    page.mouse.up()
    # By keyboard: the same of Tuesday, and half an hour of it closed again.
    page.locator(cell(0, 18)).focus()
    for key in ("ArrowDown", "Space", "Shift+ArrowRight", "Shift+ArrowRight", "Space"):
        page.keyboard.press(key)
    expect(page.locator(cell(1, 19))).to_have_attribute("aria-selected", "true")
    expect(page.locator(cell(1, 20))).to_have_attribute("aria-label", "Tue 10:00, closed")
    # Exactly: a night that goes on into the next day.
    for day in ("Mon", "Tue", "Wed", "Thu"):
        page.get_by_label(day, exact=True).uncheck()
    page.get_by_label("from", exact=True).fill("22:15")
    page.get_by_label("to", exact=True).fill("05:45")
    page.get_by_role("button", name="Open these hours").click()
    page.get_by_label("Dates off").fill("2031-12-24\n2031-12-31 to 2032-01-02")
    page.get_by_label("Off on public holidays of").select_option("DE")
    page.get_by_label("Region").select_option("BY")
    page.get_by_label("Paused until").fill("2027-03-28T09:30")
    assert hindrances(page) == []
    page.get_by_role("button", name="Save the schedule").click()
    # The pause ends on a Sunday, and the Monday is Easter Monday.
    expect(page.locator("#schedule")).to_contain_text("opens Tue 30 Mar 2027 09:00")
    expect(page.get_by_role("row", name="Friday")).to_contain_text("22:15")
    zone_hours = "select to_char((s.schedule ->> 'paused_until')::timestamptz at time zone p.timezone, 'HH24:MI')"
    assert value(database, f"{zone_hours} from subscriptions s join providers p on p.id = s.provider_id "
                           "where s.schedule is not null") == "09:30"  # fmt: skip
    assert value(database, "select schedule - 'paused_until' from subscriptions where schedule is not null") == {
        "weekly": [
            {"days": ["mon"], "opens": "09:00", "closes": "10:30"},
            {"days": ["tue"], "opens": "09:00", "closes": "10:00"},
            {"days": ["fri"], "opens": "22:15", "closes": "05:45"},
        ],
        "dates_off": ["2031-12-24", {"from": "2031-12-31", "to": "2032-01-02"}],
        "holidays": {"country": "DE", "region": "BY"},
    }
    # What is wrong is told beside it, and what was painted is kept.
    page.get_by_text("Change the schedule").click()
    page.get_by_label("Dates off").fill("Christmas")
    page.get_by_role("button", name="Save the schedule").click()
    expect(page.locator("[data-error-of=schedule]")).to_contain_text("date")
    expect(page.locator(cell(4, 45))).to_have_attribute("aria-selected", "true")
