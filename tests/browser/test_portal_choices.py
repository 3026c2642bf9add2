"""A provider chooses what it buys, by clicking, and connects its systems; secrets are shown where they were made."""

import re
from pathlib import Path

from playwright.sync_api import expect

from fairlead.flows.configuration.form_schemas import change_form_schema
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.browser.site import Site
from tests.browser.watched import Visit, hindrances
from tests.flows.access.people import PASSWORD, add_provider, provider_user, rows, value
from tests.flows.sales import sell


def test_a_filter_is_built_by_clicking_and_tried_before_it_is_saved(
    database: Database, site: Site, visit: Visit
) -> None:
    sell(database)
    provider_id = add_provider(database, "Capstan")
    page = visit(provider_user(database, provider_id, "desk@capstan.example").token, phone=True)
    page.goto("/portal/subscriptions")
    assert hindrances(page) == []
    page.get_by_role("row", name=re.compile("gold")).get_by_role("link", name="Look and subscribe").click()
    preview = page.locator(".preview")
    expect(preview).to_contain_text("1 of the last 1 leads")
    page.get_by_role("button", name="Add a rule").click()
    page.get_by_label("Question").select_option("region")
    page.get_by_label("Comparison").select_option("in")
    expect(preview).to_contain_text("A rule has no value yet, or a group no rule.")
    page.get_by_label("south").check()
    expect(preview).to_contain_text("0 of the last 1 leads")
    expect(preview).to_contain_text("Region is south")
    assert hindrances(page) == []
    page.get_by_role("button", name="Subscribe").click()
    expect(page).to_have_url(re.compile("/portal/subscriptions/"))
    page.get_by_role("button", name="Add a rule").click()
    second = page.locator(".rules > li").nth(1)
    second.get_by_label("Question").select_option("cores")
    second.get_by_label("Comparison").select_option("between")
    page.get_by_role("button", name="Save the filter").click()
    expect(page.locator("[data-error-of=rules]")).to_be_visible()
    second.get_by_label("Value").first.fill("4")
    second.get_by_label("Value").last.fill("8")
    page.get_by_role("button", name="Save the filter").click()
    expect(page.get_by_text("The filter is changed.")).to_be_visible()
    [stored] = rows(database, "select filter_rules -> 'rules' from subscriptions where provider_id = %s", provider_id)
    assert stored == [
        {"field_key": "region", "operator": "in", "value": ["south"]},
        {"field_key": "cores", "operator": "between", "value": [4, 8]},
    ]
    page.get_by_role("button", name="Leave the level").click()
    page.locator("#confirm-dialog").get_by_role("button", name="Leave the level").click()
    expect(page.get_by_text("You have left the level.")).to_be_visible()
    page.goto("/portal/more")
    expect(page.get_by_text("You subscribe to nothing")).to_be_visible()
    assert hindrances(page) == []


def test_groups_and_a_list_from_a_file_are_built_by_clicking(
    database: Database, site: Site, visit: Visit, tmp_path: Path
) -> None:
    sale = sell(database)
    [niche_id] = rows(database, "select id::text from niches")
    fields: list[dict[str, object]] = [
        {"key": "region", "label": "Region", "type": "select", "options": ["north", "south"]},
        {"key": "zip", "label": "Postcode", "type": "text"},
        {"key": "place", "label": "Place", "type": "text"},
    ]
    change_form_schema(database, str(niche_id), {"version": 1, "fields": fields}, OPERATOR)
    page = visit(provider_user(database, sale.anchor_id).token)
    wanting_all = "select id::text from subscriptions where provider_id = %s and filter_rules -> 'rules' = '[]'"
    [subscription_id] = rows(database, wanting_all, sale.anchor_id)
    page.goto(f"/portal/subscriptions/{subscription_id}")
    page.get_by_role("button", name="Add a group").click()
    group = page.locator(".rule-group")
    expect(page.locator(".preview")).to_contain_text("a group no rule")
    group.get_by_role("button", name="Add a rule").click()
    first = group.locator(".rules > li").first
    first.get_by_label("Question").select_option("zip")
    first.get_by_label("Comparison").select_option("postcode_in")
    codes = tmp_path / "postcodes.csv"
    codes.write_text("\n".join(f"{number:05}; somewhere" for number in range(3000)))
    first.get_by_label("From a file").set_input_files(codes)
    expect(first).to_contain_text("3,000 values")
    group.get_by_role("button", name="Add a rule").click()
    second = group.locator(".rules > li").nth(1)
    second.get_by_label("Question").select_option("place")
    second.get_by_label("Comparison").select_option("within_km")
    second.get_by_label("Kilometres").fill("25")
    second.get_by_label("Latitude").fill("52.52")
    second.get_by_label("Longitude").fill("13.405")
    group.get_by_role("button", name="Add a group").click()
    inner = group.locator(".rule-group")
    inner.get_by_label("Of the group").select_option("none")
    inner.get_by_role("button", name="Add a rule").click()
    inner.get_by_label("Question").select_option("region")
    inner.get_by_label("Comparison").select_option("eq")
    expect(page.locator(".preview")).to_contain_text("Place within 25 km of 52.52, 13.405 or not (Region is north)")
    assert hindrances(page) == []
    page.get_by_role("button", name="Save the filter").click()
    expect(page.get_by_text("The filter is changed.")).to_be_visible()
    [stored] = rows(database, "select filter_rules from subscriptions where id = %s", subscription_id)
    assert stored["version"] == 2
    listed, circle, turned = stored["rules"][0]["any"]
    assert (len(listed["value"]), listed["value"][0]) == (3000, "00000")
    assert circle["value"] == {"point": [52.52, 13.405], "km": 25}
    assert turned == {"not": {"any": [{"field_key": "region", "operator": "eq", "value": "north"}]}}
    first.get_by_label("Values, one a line").fill("10115\n???")
    expect(page.locator(".preview")).to_contain_text("'???' is no postcode")


def test_an_endpoint_and_a_key_show_their_secrets_once(database: Database, site: Site, visit: Visit) -> None:
    sale = sell(database)
    person = provider_user(database, sale.anchor_id)
    page = visit(person.token)
    page.goto("/portal/deliveries")
    page.get_by_label("Address").fill("https://93.184.216.34/leads")
    page.get_by_role("button", name="Create the endpoint").click()
    expect(page.locator("#new-secret")).to_have_text(re.compile("^whsec_"))
    page.get_by_role("link", name="I have kept it").click()
    expect(page.locator("#new-secret")).to_be_hidden()
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("Paused. What is to be sent waits.")).to_be_visible()
    assert hindrances(page) == []
    page.get_by_role("button", name="Remove").click()
    page.locator("#confirm-dialog").get_by_role("button", name="Remove").click()
    expect(page.get_by_role("button", name="Create the endpoint")).to_be_visible()
    # The proof of the login is no longer fresh: it is asked for in place, and what was typed is kept.
    value(database, "update sessions set stepped_up_at = stepped_up_at - interval '1 hour'")
    page.goto("/portal/settings")
    page.get_by_text("Create a key").click()
    page.get_by_label("What it is for").fill("our CRM")
    page.get_by_role("button", name="Create the key").click()
    page.locator("#step-up-proof").fill(PASSWORD)
    page.locator("#step-up-dialog").get_by_role("button", name="Confirm").click()
    expect(page.locator("#new-secret")).to_have_text(re.compile("^fl_"))
    row = page.locator("[data-rows]").get_by_role("row", name=re.compile("our CRM"))
    expect(row).to_contain_text("read")
    assert hindrances(page) == []
    row.get_by_role("button", name="Revoke").click()
    page.locator("#confirm-dialog").get_by_role("button", name="Revoke").click()
    none = page.get_by_text("There is no key.")
    expect(none).to_be_visible()
    expect(none).to_be_focused()
    page.reload()
    page.get_by_role("button", name="Show the API keys").press("Enter")
    expect(none).to_be_focused()
    page.get_by_label("A refund: Email").uncheck()
    page.locator("form[data-api*=preferences]").get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    expect(page.get_by_label("A refund: Email")).not_to_be_checked()
