"""What every page has: login, rail, search, preferences, keys, and room on a phone."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.site import Site
from tests.browser.test_late_answers import Held
from tests.browser.watched import Visit, hindrances
from tests.flows.access.people import PASSWORD, add_admin, enrolled_admin


def test_a_wrong_password_is_said_beside_the_form_which_keeps_the_address(site: Site, visit: Visit) -> None:
    add_admin(site.database)
    page = visit()
    page.goto("/login")
    page.get_by_label("Email address").fill("ann@example.com")
    page.get_by_role("textbox", name="Password", exact=True).fill("not the password")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert page.get_by_label("Email address").input_value() == "ann@example.com"
    page.get_by_role("textbox", name="Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page).not_to_have_url(f"{site.address}/login")


def test_the_frame_hinders_no_user_in_light_dark_or_on_a_phone(site: Site, visit: Visit) -> None:
    token = enrolled_admin(site.database).token
    for dark, phone in ((False, False), (True, False), (False, True), (True, True)):
        page = visit(token, dark=dark, phone=phone)
        page.goto("/design")
        assert hindrances(page) == []
        width = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert width == 0, "the page is wider than the window"


def test_the_rail_is_a_drawer_on_a_phone_that_keys_open_and_close(site: Site, visit: Visit) -> None:
    page = visit(enrolled_admin(site.database).token, phone=True)
    page.goto("/design")
    button = page.get_by_role("button", name="Sections")
    expect(page.get_by_role("link", name="Providers")).to_be_hidden()
    button.press("Enter")
    expect(page.get_by_role("link", name="Providers")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Providers")).to_be_hidden()
    expect(button).to_be_focused()


def test_slash_goes_to_the_search_and_a_choice_of_theme_stays(site: Site, visit: Visit) -> None:
    page = visit(enrolled_admin(site.database).token)
    page.goto("/design")
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.locator("details.menu summary").click()
    page.get_by_label("Dark").check()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_a_key_shows_the_keys_and_escape_gives_the_focus_back(site: Site, visit: Visit) -> None:
    page = visit(enrolled_admin(site.database).token)
    page.goto("/providers")
    page.get_by_role("link", name="Conflict groups").focus()
    shown = page.get_by_role("dialog", name="Keyboard")
    page.keyboard.press("?")
    expect(shown).to_contain_text("to the next row of a table, and back")
    assert hindrances(page) == []
    page.keyboard.press("Escape")
    expect(shown).to_be_hidden()
    expect(page.get_by_role("link", name="Conflict groups")).to_be_focused()
    page.locator("details.menu summary").click()
    page.get_by_role("button", name="Keyboard").click()
    expect(shown).to_be_visible()
    page.get_by_role("button", name="Close").click()
    expect(shown).to_be_hidden()
    expect(page.get_by_role("button", name="Keyboard")).to_be_focused()
    page.keyboard.press("/")
    expect(page.locator("#search")).to_be_focused()
    page.keyboard.type("?")
    expect(page.locator("#search")).to_have_value("?")
    expect(shown).to_be_hidden()


@pytest.mark.parametrize("key", ["Escape", "Enter"])
def test_a_question_asked_out_of_a_menu_gives_the_focus_back_to_it(key: str, site: Site, visit: Visit) -> None:
    ann = enrolled_admin(site.database)
    page = visit(ann.token)
    page.goto("/leads?status=approved")
    menu = page.locator("summary", has_text="Save view")
    menu.click()
    page.get_by_label("Name").fill("Mine")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    menu.click()
    button = page.get_by_role("button", name="Delete Mine")
    button.click()
    expect(page.locator("#confirm-dialog")).to_be_visible()
    if key == "Escape":
        page.keyboard.press("Escape")
    else:
        page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#confirm-dialog")).to_be_hidden()
    expect(button).to_be_focused()


def test_a_language_chosen_before_the_script_was_there_is_taken(site: Site, visit: Visit) -> None:
    page = visit(enrolled_admin(site.database).token)
    late = Held(page, "**/console.js")
    page.goto("/providers", wait_until="commit")
    late.wait()
    page.locator("details.menu summary").click()
    page.get_by_label("Deutsch").check()
    late.let_go()
    expect(page.locator("html")).to_have_attribute("lang", "de")


def test_times_are_in_the_zone_that_the_browser_says(site: Site, visit: Visit) -> None:
    page = visit(enrolled_admin(site.database).token, zone="Australia/Adelaide")
    page.context.clear_cookies(name="time_zone")
    page.goto("/design")
    expect(page.locator("body")).to_have_attribute("data-zone", "Australia/Adelaide")
    expect(page.locator("td time").first).to_have_attribute("title", re.compile("Australia/Adelaide$"))
