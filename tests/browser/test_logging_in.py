"""From an invitation to the first page, a lost password, wrong codes, and sessions that end elsewhere, in a browser."""

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from fairlead.core.permissions import Role
from fairlead.flows.access.invitations import invite_user
from fairlead.flows.access.sessions import revoke_sessions
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.browser.site import Site
from tests.browser.watched import Visit, hindrances
from tests.flows.access.people import (
    NEW_PASSWORD,
    PASSWORD,
    add_admin,
    add_provider,
    as_if_long_ago,
    code,
    enrolled_admin,
    provider_user,
    token_for,
)


def log_in(page: Page, email: str, password: str) -> None:
    page.get_by_label("Email address").fill(email)
    page.get_by_role("textbox", name="Password", exact=True).fill(password)
    page.get_by_role("button", name="Log in").click()


def shown_secret(page: Page) -> str:
    secret = page.locator("#enrolment-secret")
    expect(secret).to_be_visible()
    return secret.inner_text().replace(" ", "")


def test_an_invited_operator_sets_up_everything_and_is_let_in(
    database: Database, site: Site, visit: Visit, tmp_path: Path
) -> None:
    user_id = invite_user(database, "new@example.com", "New Operator", Role.ADMIN, OPERATOR).user_id
    token = token_for(database, user_id, "invite")
    # In a zone that the server does not know yet: the page is not asked for again, which would lose the token.
    page = visit(zone="Europe/Lisbon")
    page.context.clear_cookies()
    page.goto(f"/accept-invite#{token}")
    expect(page).to_have_url(f"{site.address}/accept-invite")
    assert hindrances(page) == []
    page.get_by_label("New password").fill("password1234")
    page.get_by_role("button", name="Set the password").click()
    expect(page.get_by_text("easy to guess")).to_be_visible()
    page.get_by_label("New password").fill(PASSWORD)
    page.get_by_role("button", name="Set the password").click()
    expect(page.get_by_text("Your password is set.")).to_be_visible()
    log_in(page, "new@example.com", PASSWORD)
    expect(page).to_have_url(re.compile("/login/enrolment"))
    page.get_by_role("button", name="Begin").click()
    picture = page.get_by_alt_text("The secret as a QR code", exact=False)
    expect(picture).to_be_visible()
    assert hindrances(page) == []
    assert picture.evaluate("async (picture) => { await picture.decode(); return picture.naturalWidth; }") > 0
    secret = shown_secret(page)
    page.get_by_role("textbox", name="Code").fill("000000")
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("alert").filter(has_text="code")).to_be_visible()
    page.get_by_role("textbox", name="Code").fill(code(database, secret))
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
    shown = page.locator("#recovery-codes li").all_inner_texts()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    download.value.save_as(tmp_path / "codes.txt")
    assert (tmp_path / "codes.txt").read_text().split() == shown
    assert len(shown) == 10
    page.get_by_role("link", name="I have kept them").click()
    expect(page).not_to_have_url(re.compile("/login"))
    # Its live connection stands, so that it is not refused halfway.
    expect(page.locator("[data-live-state]")).to_have_text("live")
    # The next time: the app's code, or one of those that were kept.
    page.context.clear_cookies()
    page.goto("/account")
    expect(page).to_have_url(f"{site.address}/login?next=%2Faccount")
    log_in(page, "new@example.com", PASSWORD)
    page.get_by_role("textbox", name="Code").fill(shown[0])
    page.get_by_role("button", name="Continue").click()
    expect(page).to_have_url(f"{site.address}/account")
    page.goto("/login/second-factor?next=/account")
    expect(page).to_have_url(f"{site.address}/account")


def test_a_lost_password_is_replaced_and_its_link_good_once(database: Database, site: Site, visit: Visit) -> None:
    person = provider_user(database, add_provider(database))
    page = visit(phone=True)
    page.goto("/login")
    page.get_by_role("link", name="Forgot your password?").click()
    page.get_by_label("Email address").fill(person.email)
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_role("heading", name="Look into your mail")).to_be_visible()
    token = token_for(database, person.user_id, "password_reset")
    page.goto(f"/reset-password#{token}")
    page.get_by_label("New password").fill(NEW_PASSWORD)
    page.get_by_role("button", name="Set the password").click()
    expect(page).to_have_url(f"{site.address}/login")
    log_in(page, person.email, PASSWORD)
    expect(page.get_by_role("alert").filter(has_text="email")).to_be_visible()
    log_in(page, person.email, NEW_PASSWORD)
    expect(page).not_to_have_url(re.compile("/login"))
    page.goto(f"/reset-password#{token}")
    page.get_by_label("New password").fill(PASSWORD)
    page.get_by_role("button", name="Set the password").click()
    expect(page.get_by_text("the link was used, has expired")).to_be_visible()
    page.goto("/accept-invite")
    expect(page.get_by_text("This address is not complete.")).to_be_visible()


def test_five_wrong_codes_end_the_login_and_lead_to_its_beginning(database: Database, site: Site, visit: Visit) -> None:
    enrolled_admin(database)
    page = visit()
    page.goto("/account")
    log_in(page, "ann@example.com", PASSWORD)
    for number in range(6):
        page.get_by_role("textbox", name="Code").fill(f"00000{number}")
        with page.expect_response("**/second-factor"):
            page.get_by_role("button", name="Continue").click()
    expect(page).to_have_url(f"{site.address}/login?next=%2Faccount")
    expect(page.get_by_text("Your login has ended. Log in again.")).to_be_visible()


def test_a_session_that_ends_elsewhere_loses_nothing_that_was_typed(
    database: Database, site: Site, visit: Visit
) -> None:
    person = enrolled_admin(database)
    page = visit(person.token)
    page.goto("/account")
    page.get_by_label("Present password").fill(PASSWORD)
    page.get_by_label("New password").fill(NEW_PASSWORD)
    revoke_sessions(database, person.user_id, OPERATOR)
    page.get_by_role("button", name="Change the password").click()
    expect(page.get_by_text("Your session has ended.")).to_be_visible()
    other_tab = page.context.new_page()
    other_tab.goto("/login")
    log_in(other_tab, person.email, PASSWORD)
    as_if_long_ago(database)
    other_tab.get_by_role("textbox", name="Code").fill(code(database, person.seed))
    other_tab.get_by_role("button", name="Continue").click()
    expect(other_tab).not_to_have_url(re.compile("/login"))
    page.get_by_role("button", name="Change the password").click()
    expect(page.get_by_text("Your password is changed.")).to_be_visible()


def test_a_provider_chooses_a_second_factor_and_ends_its_other_sessions(
    database: Database, site: Site, visit: Visit
) -> None:
    person = provider_user(database, add_provider(database))
    page = visit(person.token, phone=True)
    other = visit()
    other.goto("/login?next=/account")
    log_in(other, person.email, PASSWORD)
    expect(other).to_have_url(f"{site.address}/account")
    page.goto("/account")
    assert hindrances(page) == []
    page.get_by_role("button", name="End all others").click()
    page.locator("#confirm-dialog").get_by_role("button", name="End all others").click()
    expect(page.get_by_text("All other sessions have ended.")).to_be_visible()
    other.reload()
    expect(other).to_have_url(re.compile("/login"))
    page.get_by_role("link", name="Set one up").click()
    page.get_by_role("button", name="Begin").click()
    secret = shown_secret(page)
    page.get_by_role("textbox", name="Code").fill(code(database, secret))
    page.get_by_role("button", name="Confirm").click()
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_text("You log in with a code of your authenticator app.")).to_be_visible()
    page.get_by_role("button", name="New recovery codes").click()
    page.locator("#confirm-dialog").get_by_role("button", name="New recovery codes").click()
    expect(page.locator("#recovery-codes li")).to_have_count(10)


def test_an_operator_without_a_second_factor_sees_nothing_before_it(
    database: Database, site: Site, visit: Visit
) -> None:
    add_admin(database)
    page = visit()
    page.goto("/account")
    log_in(page, "ann@example.com", PASSWORD)
    expect(page).to_have_url(f"{site.address}/login/enrolment?next=%2Faccount")
    page.goto("/account")
    expect(page).to_have_url(f"{site.address}/login/enrolment?next=%2Faccount")
