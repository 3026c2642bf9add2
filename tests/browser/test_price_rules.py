"""An operator sets a level's price rules by clicking and keys, and tries them on leads before and after saving."""

from playwright.sync_api import expect

from fairlead.store.connection import Database
from tests.browser.site import Site
from tests.browser.test_every_page import too_wide
from tests.browser.watched import Visit, await_script, hindrances
from tests.flows.access.people import enrolled_admin, rows
from tests.flows.sales import query, sell


def own_page(database: Database) -> tuple[str, str]:
    """The page of the level gold, and the level's id."""
    [(niche_id, level_id)] = query(
        database, "select niche_id::text, id::text from competition_levels where name = 'gold'"
    )
    return f"/niches/{niche_id}/levels/{level_id}/price-rules", level_id


def test_price_rules_are_built_ordered_tried_and_saved(database: Database, site: Site, visit: Visit) -> None:
    sell(database)
    address, level_id = own_page(database)
    page = visit(enrolled_admin(database).token)
    page.goto(address.split("/levels")[0])
    page.get_by_role("link", name="Price rules of gold").click()
    await_script(page, "price-rules.js")
    await_script(page, "price-trial.js")
    assert hindrances(page) == []
    rule = page.locator(".price-rule")

    page.get_by_role("button", name="Add a price rule").click()
    page.keyboard.type("Big ones")
    page.keyboard.press("Tab")
    page.keyboard.type("25.00")
    rule.nth(0).get_by_label("what the lead answered").check()
    rule.nth(0).get_by_label("Question").select_option("cores")
    rule.nth(0).get_by_label("Comparison").select_option("gte")
    rule.nth(0).get_by_label("Value").fill("16")
    expect(rule.nth(0).locator(".preview")).to_contain_text("Cores at least 16")

    page.get_by_role("button", name="Add a price rule").click()
    page.keyboard.type("Nights")
    rule.nth(1).get_by_label("Price in EUR").fill("7")
    rule.nth(1).get_by_label("the hour of the week").check()
    rule.nth(1).get_by_label("from", exact=True).fill("22:00")
    rule.nth(1).get_by_label("to", exact=True).fill("06:00")
    rule.nth(1).get_by_label("Sat").check()
    page.get_by_label("Time zone of the hours").fill("Europe/Berlin")

    page.get_by_role("button", name="Add a price rule").click()
    page.keyboard.type("Old ones")
    rule.nth(2).get_by_label("Price in EUR").fill("4,50")
    page.get_by_role("button", name="Save").click()
    page.locator("#confirm-dialog").get_by_role("button", name="Save").click()
    expect(rule.nth(2)).to_contain_text("a price rule needs a condition")
    rule.nth(2).get_by_label("how old the lead is").check()
    rule.nth(2).get_by_label("At least so old").fill("2")

    # A lead that is made up, by rules that are not saved yet.
    trial = page.locator("#trial")
    trial.get_by_label("Cores").fill("16")
    trial.get_by_label("Came in so long before").fill("3")
    trial.get_by_label("Unit").select_option("hours")
    trial.get_by_role("button", name="Try it").click()
    expect(trial.locator("[data-trial-price]")).to_have_text("€25.00: rule 1, Big ones, decides.")
    expect(trial.locator(".trial-rules")).to_contain_text("Holds too, but an earlier rule decides.")
    assert hindrances(page) == []

    # The oldest first, by keys.
    rule.nth(2).get_by_label("Name").focus()
    page.keyboard.press("Alt+ArrowUp")
    page.keyboard.press("Alt+ArrowUp")
    expect(rule.nth(0).get_by_label("Name")).to_have_value("Old ones")
    expect(rule.nth(0).get_by_label("Name")).to_be_focused()
    trial.get_by_role("button", name="Try it").click()
    expect(trial.locator("[data-trial-price]")).to_have_text("€4.50: rule 1, Old ones, decides.")

    page.get_by_label("Why").fill("old leads are worth less")
    page.get_by_role("button", name="Save").click()
    page.locator("#confirm-dialog").get_by_role("button", name="Save").click()
    expect(page.get_by_text("The price rules were changed.")).to_be_visible()
    expect(page.locator(".table")).to_contain_text("Mon Tue Wed Thu Fri Sat 22:00 to 06:00 (Europe/Berlin)")
    [stored] = rows(database, "select price_rules from competition_levels where id = %s", level_id)
    assert [each["name"] for each in stored["rules"]] == ["Old ones", "Big ones", "Nights"]
    assert stored["rules"][0]["lead_age_minutes"] == {"from": 120}
    assert stored["rules"][1]["filter"] == {
        "version": 1,
        "rules": [{"field_key": "cores", "operator": "gte", "value": 16}],
    }
    assert (stored["rules"][2]["hours"][0]["closes"], stored["rules"][2]["price_cents"]) == ("06:00", 700)
    assert hindrances(page) == []


def test_a_lead_of_the_niche_is_tried_at_a_moment(database: Database, site: Site, visit: Visit) -> None:
    sell(database)
    address, level_id = own_page(database)
    page = visit(enrolled_admin(database).token, phone=True)
    page.goto(address)
    await_script(page, "price-rules.js")
    await_script(page, "price-trial.js")
    page.get_by_role("button", name="Add a price rule").click()
    page.keyboard.type("Nights")
    rule = page.locator(".price-rule")
    rule.get_by_label("Price in EUR").fill("7")
    rule.get_by_label("the hour of the week").check()
    rule.get_by_label("from", exact=True).fill("00:00")
    rule.get_by_label("to", exact=True).fill("00:00")
    for name in ("Sat", "Sun"):
        rule.get_by_label(name).check()
    trial = page.locator("#trial")
    trial.get_by_label("Lead", exact=True).select_option(index=1)
    expect(trial.get_by_label("Cores")).to_be_hidden()
    trial.get_by_role("button", name="Try it").click()
    expect(trial.locator("[data-trial-price]")).to_have_text("€7.00: rule 1, Nights, decides.")
    expect(trial.locator(".trial-rules")).to_contain_text("hours: yes")
    trial.get_by_label("Decided at").fill("2020-01-06T03:00")
    trial.get_by_role("button", name="Try it").click()
    expect(trial.locator(".form-error, [data-error-of=at]").filter(visible=True)).to_contain_text("came in later")
    trial.get_by_label("Lead", exact=True).select_option("other")
    trial.get_by_label("Id of the lead").fill(level_id)
    trial.get_by_label("Decided at").fill("")
    trial.get_by_role("button", name="Try it").click()
    expect(trial.locator(".form-error")).to_contain_text("there is no lead")
    assert hindrances(page) == []
    assert too_wide(page) == []
