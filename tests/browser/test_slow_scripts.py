"""What is typed or chosen before a page's own script is there stays, and no form is sent without it."""

import re
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from fairlead.flows.configuration.price_rules import set_price_rules
from fairlead.flows.configuration.subscriptions import set_filter
from fairlead.flows.intake.policy import change_intake_policy
from fairlead.flows.money.bad_leads import report_bad_lead
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.leads.intake import IntakePolicy
from tests.api.portal import subscription
from tests.browser.site import Site
from tests.browser.test_late_answers import Held
from tests.browser.watched import Visit, await_script
from tests.core.test_picture import png
from tests.flows.access.people import enrolled_admin, provider_user, rows, value
from tests.flows.sales import PORTAL, sell

AT = re.compile("As if it were|Decided at")


@contextmanager
def without_script(page: Page, address: str, script: str) -> Generator[None]:
    """The page as it is before its script came, which comes at the end."""
    late = Held(page, f"**/{script}")
    page.goto(address)
    late.wait()
    yield
    late.let_go()
    expect(page.locator(f"[data-module='{script}'][data-started]").first).to_be_attached()


def press_before(page: Page, address: str, script: str, button: str | None, fill: Callable[[], None]) -> None:
    """What is filled in is sent before the script is there: it goes when that has come, and only then."""
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method) if "preview" not in request.url else None)
    late = Held(page, f"**/{script}")
    page.goto(address)
    late.wait()
    fill()
    if button is None:
        page.keyboard.press("Enter")
    else:
        page.get_by_role("button", name=button, exact=True).first.click()
    page.wait_for_timeout(200)
    assert not {"POST", "PUT", "PATCH"} & set(sent), "it was sent without what the script adds"
    late.go_on()


def open_part(page: Page, summary: str) -> None:
    page.locator("summary", has_text=summary).click()


def test_a_provider_loses_no_choice_to_a_slow_script(database: Database, site: Site, visit: Visit) -> None:
    sale = sell(database)
    gold = subscription(database, sale.anchor_id, "gold")
    rule = {"field_key": "cores", "operator": "gte", "value": 2}
    set_filter(database, gold, {"version": 1, "rules": [rule]}, OPERATOR, of_provider_id=None)
    page = visit(provider_user(database, sale.anchor_id, "desk@anchor.example").token)
    own = f"/portal/subscriptions/{gold}"

    press_before(page, own, "filter-builder.js", "Save the filter", lambda: None)
    expect(page.get_by_text("The filter is changed.")).to_be_visible()
    stored = "select filter_rules -> 'rules' from subscriptions where id = %s"
    assert value(database, stored, gold) == [rule], "no rule was sent before the rules were there"
    with without_script(page, own, "filter-builder.js"):
        page.get_by_role("button", name="Add a group").click()
    expect(page.locator(".rule-group")).to_have_count(1)

    def fill_week() -> None:
        open_part(page, "Change the schedule")
        page.get_by_label("Dates off").fill("2031-12-24")
        page.get_by_label("Off on public holidays of").select_option("DE")
        page.get_by_label("Paused until").fill("2031-03-28T09:30")

    press_before(page, own, "week-editor.js", "Save the schedule", fill_week)
    expect(page.locator("#schedule")).to_contain_text("24 Dec 2031")
    schedule = value(database, "select schedule from subscriptions where id = %s", gold)
    assert (schedule["dates_off"], schedule["holidays"]) == (["2031-12-24"], {"country": "DE"})
    with without_script(page, own, "week-editor.js"):
        open_part(page, "Change the schedule")
        assert page.get_by_label("Dates off").input_value() == "2031-12-24", "it comes with the page"
        assert page.get_by_label("Paused until").input_value() == "2031-03-28T09:30"
        page.get_by_label("Region").select_option("BY")
        page.get_by_label("Dates off").fill("2031-12-24\n2032-01-02")
    expect(page.get_by_label("Region")).to_have_value("BY")
    page.get_by_role("button", name="Save the schedule").click()
    expect(page.locator("#schedule")).to_contain_text("2 Jan 2032")
    changed = value(database, "select schedule from subscriptions where id = %s", gold)
    assert changed["holidays"] == {"country": "DE", "region": "BY"}
    assert changed["paused_until"] == schedule["paused_until"], "what was not touched stays as it was"

    with without_script(page, f"/portal/leads/{sale.anchor}#report", "open-by-address.js"):
        open_part(page, "Reject")
        note = page.locator("#reject").get_by_label("Why")
        note.focus()
        page.keyboard.type("rings at ")
    page.keyboard.type("nine")
    expect(note).to_have_value("rings at nine")

    press_before(
        page, "/portal/inbox", "inbox-search.js", None, lambda: page.get_by_label("Search your leads").fill("none")
    )
    expect(page.locator("[data-found]")).to_be_visible()


def test_an_operator_loses_no_choice_to_a_slow_script(
    database: Database, site: Site, visit: Visit, tmp_path: Path
) -> None:
    sale = sell(database)
    submit_leads(database, "hosting", [{"cores": 8, "region": "north"}] * 2, OPERATOR, approve=False)
    report_bad_lead(database, sale.anchor_id, sale.anchor, "unreachable", None, PORTAL)
    niche_id = value(database, "select id::text from niches where slug = 'hosting'")
    page = visit(enrolled_admin(database).token)

    with without_script(page, "/leads", "lead-selection.js"):
        page.get_by_label("Select all on this page").check()
    every_box_is_checked(page.locator("tbody input[name=lead_ids]"))
    expect(page.locator("[data-selected]")).to_have_text("3 selected")
    with without_script(page, "/money/reports", "decide-reports.js"):
        page.get_by_label("Select all reports").check()
    every_box_is_checked(page.locator("[data-report]"))
    expect(page.locator("p[data-preview]")).to_contain_text("1 selected")

    def fill_dry_run() -> None:
        page.get_by_label("Cores").fill("8")
        page.get_by_role("radio", name="north").check()
        page.get_by_label(AT).fill("2020-02-29T12:00")

    press_before(page, "/dry-run", "dry-run.js", "Try it", fill_dry_run)
    expect(page.locator("[data-error-of='at']")).to_contain_text("this moment is over")

    with without_script(page, f"/niches/{niche_id}/form", "form-editor.js"):
        page.get_by_label("Label").first.fill("Number of cores")
    page.get_by_role("button", name="See what the change does").click()
    expect(page.get_by_role("button", name="Save as a new version")).to_be_enabled()
    expect(page.get_by_label("Label").first).to_have_value("Number of cores")

    with without_script(page, f"/niches/{niche_id}", "level-change.js"):
        page.locator("summary", has_text=re.compile("Change gold")).click()
        page.locator("details[open]").get_by_label("Price").fill("900.00")
    expect(page.locator("details[open] [data-outcome]")).to_contain_text("stop")
    with without_script(page, f"/niches/{niche_id}", "duplicate-rule.js"):
        open_part(page, "Which leads are the same")
        page.get_by_label("A lead that came before is").select_option("flag")
    expect(page.get_by_label("Among the leads of so many days")).to_be_visible()

    with without_script(page, "/settings/templates/lead_assigned", "template-preview.js"):
        page.locator("[name=subject]").fill("A lead at last")
    expect(page.locator("[data-preview-subject]")).to_have_text("A lead at last")
    with without_script(page, "/settings", "picture-file.js"):
        page.get_by_label("Picture").set_input_files(
            {"name": "logo.png", "mimeType": "image/png", "buffer": png(64, 32)}
        )
    page.get_by_role("button", name="Use this picture").click()
    expect(page.locator(".rail-brand img")).to_be_visible()
    file = tmp_path / "plz.csv"
    file.write_bytes(b"10115,52.5337,13.3872\n")

    def fill_table() -> None:
        page.get_by_label("Name", exact=True).fill("de")
        page.get_by_label("File").set_input_files(file)

    with without_script(page, "/postcode-tables", "postcode-file.js"):
        fill_table()
    expect(page.locator("[name='content']")).not_to_have_value("")
    page.get_by_role("button", name="Load the file").click()
    expect(page.get_by_text("de, version 1, is loaded: 1 postcodes.")).to_be_visible()

    def fill_person() -> None:
        page.get_by_label("Email address or telephone number").fill("ada@example.com")

    press_before(page, "/settings/personal-data", "person-erasure.js", "Show what would go", fill_person)
    expect(page.locator("[data-summary]")).to_contain_text("No lead is of this person")


def test_price_rules_are_not_lost_to_a_slow_script(database: Database, site: Site, visit: Visit) -> None:
    sell(database)
    [(niche_id, level_id)] = rows(
        database, "select array[niche_id::text, id::text] from competition_levels where name = 'gold'"
    )
    old = {"name": "Old", "price_cents": 300, "lead_age_minutes": {"from": 120}}
    set_price_rules(database, level_id, {"version": 1, "rules": [old]}, OPERATOR)
    page = visit(enrolled_admin(database).token)
    own = f"/niches/{niche_id}/levels/{level_id}/price-rules"

    def fill_zone() -> None:
        page.get_by_label("Time zone of the hours").fill("Europe/Lisbon")

    press_before(page, own, "price-rules.js", "Save", fill_zone)
    page.locator("#confirm-dialog").get_by_role("button", name="Save").click()
    expect(page.get_by_text("The price rules were changed.")).to_be_visible()
    stored = value(database, "select price_rules from competition_levels where id = %s", level_id)
    assert (stored["timezone"], stored["rules"]) == ("Europe/Lisbon", [old])

    def fill_trial() -> None:
        page.get_by_label("Cores").fill("16")
        page.get_by_label("Came in so long before").fill("3")
        page.locator("#trial").get_by_label("Unit").select_option("60")

    press_before(page, own, "price-trial.js", "Try it", fill_trial)
    expect(page.locator("[data-trial-price]")).to_have_text("€3.00: rule 1, Old, decides.")


def test_a_consumer_loses_no_answer_to_a_slow_script(database: Database, site: Site, visit: Visit) -> None:
    sell(database)
    change_intake_policy(database, "hosting", IntakePolicy(is_public=True), OPERATOR)
    page = visit()
    page.goto("/forms/hosting")
    await_script(page, "consumer-form.js")
    page.get_by_label("Cores").fill("4")
    page.get_by_label("Name", exact=True).fill("Ada")
    with without_script(page, "/forms/hosting", "consumer-form.js"):
        page.get_by_label("Cores").fill("12")
    expect(page.get_by_label("Name", exact=True)).to_have_value("Ada")
    expect(page.get_by_label("Cores")).to_have_value("12")
    page.reload()
    expect(page.get_by_label("Cores")).to_have_value("12")


def every_box_is_checked(boxes: Locator) -> None:
    expect(boxes.first).to_be_checked()
    assert all(each.is_checked() for each in boxes.all())
