"""Whatever way a text comes in, it is stored composed, and found and compared in whichever way it is written."""

from collections.abc import Callable

import pytest

from fairlead.core.entry.text import composed
from fairlead.core.errors import BadInput
from fairlead.core.permissions import Role
from fairlead.delivery.templates import Template
from fairlead.flows.access.api_keys import create_api_key
from fairlead.flows.access.invitations import create_admin, invite_user
from fairlead.flows.access.principal import Client
from fairlead.flows.access.registration import register_provider
from fairlead.flows.configuration.bad_lead_window import change_bad_lead_window
from fairlead.flows.configuration.form_schemas import change_form_schema
from fairlead.flows.configuration.level_order import reorder_levels
from fairlead.flows.configuration.levels import LevelChange, change_level, create_level, delete_level
from fairlead.flows.configuration.marketplace import change_marketplace
from fairlead.flows.configuration.niches import NicheChange, change_niche, create_niche
from fairlead.flows.configuration.provider_notes import add_provider_note
from fairlead.flows.configuration.provider_status import suspend_provider
from fairlead.flows.configuration.providers import ProviderChange, change_provider, create_provider
from fairlead.flows.configuration.subscriptions import pause_subscription, subscribe
from fairlead.flows.create_lead import EnteredLead, create_lead
from fairlead.flows.intake.policy import change_intake_policy
from fairlead.flows.money.adjust_balance import adjust_balance
from fairlead.flows.money.deposit import deposit
from fairlead.flows.notifications.templates import save_template
from fairlead.flows.reject_lead import reject_lead
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.leads.intake import IntakePolicy
from tests.flows.configuration.market import Market, open_market
from tests.flows.marketplaces import declare, everything
from tests.flows.sales import query

COMPOSED, DECOMPOSED = "K\u00f6ln-S\u00fcd & J\u00f6rg", "Ko\u0308ln-Su\u0308d & Jo\u0308rg"
TYPED = f" {DECOMPOSED}\u00a0"
"""As a telephone's keyboard may send it: decomposed, with spaces around it."""

FILE = """
[[niche]]
slug = "vps"
name = "NAME"
field = [{ key = "city", label = "NAME", type = "select", options = ["NAME"] }]
level = [{ name = "NAME", price_cents = 500, max_recipients = 1, order_position = 1 }]

[[provider]]
email = "new@example.com"
name = "NAME"
deposit = [{ external_id = "NAME", amount_cents = 5000 }]
subscription = [{ niche = "vps", level = "NAME", filter = [{ field_key = "city", operator = "in", value = ["NAME"] }] }]
"""

Way = Callable[[Database, Market, str], object]

WAYS: dict[str, Way] = {
    "niche": lambda db, on, text: create_niche(db, "vps", text, OPERATOR),
    "niche, memo": lambda db, on, text: create_niche(db, "vps", "VPS", OPERATOR, memo=text),
    "niche, changed": lambda db, on, text: change_niche(db, on.niche, NicheChange(name=text), OPERATOR),
    "niche, changed, memo": lambda db, on, text: change_niche(
        db, on.niche, NicheChange(name="Other"), OPERATOR, memo=text
    ),
    "form": lambda db, on, text: change_form_schema(
        db,
        on.niche,
        {"version": 1, "fields": [{"key": "a", "type": "select", "label": text.strip(), "options": [text.strip()]}]},
        OPERATOR,
    ),
    "form, memo": lambda db, on, text: change_form_schema(
        db, on.niche, {"version": 1, "fields": [{"key": "a", "type": "text"}]}, OPERATOR, memo=text
    ),
    "level": lambda db, on, text: create_level(db, on.niche, text, 100, 1, OPERATOR),
    "level, memo": lambda db, on, text: create_level(db, on.niche, "bronze", 100, 1, OPERATOR, memo=text),
    "level, changed": lambda db, on, text: change_level(db, on.gold, LevelChange(name=text), OPERATOR),
    "level, deleted": lambda db, on, text: delete_level(
        db, create_level(db, on.niche, "bronze", 100, 1, OPERATOR).row.level.level_id, OPERATOR, memo=text
    ),
    "order": lambda db, on, text: reorder_levels(db, on.niche, [on.silver, on.gold], OPERATOR, memo=text),
    "marketplace": lambda db, on, text: change_marketplace(db, "EUR", OPERATOR, memo=text),
    "window": lambda db, on, text: change_bad_lead_window(db, on.niche, 9, OPERATOR, memo=text),
    "intake": lambda db, on, text: change_intake_policy(
        db, "hosting", IntakePolicy(is_public=True), OPERATOR, memo=text
    ),
    "provider": lambda db, on, text: create_provider(db, "new@example.com", text, OPERATOR),
    "provider, memo": lambda db, on, text: create_provider(db, "new@example.com", "New", OPERATOR, memo=text),
    "provider, changed": lambda db, on, text: change_provider(db, on.anchor, ProviderChange(name=text), OPERATOR),
    "provider, suspended": lambda db, on, text: suspend_provider(db, on.anchor, OPERATOR, memo=text),
    "note": lambda db, on, text: add_provider_note(db, on.anchor, text, OPERATOR),
    "subscription": lambda db, on, text: subscribe(
        db,
        create_provider(db, "new@example.com", "New", OPERATOR).row.provider_id,
        on.gold,
        OPERATOR,
        memo=text,
    ),
    "subscription, paused": lambda db, on, text: pause_subscription(
        db, next(iter(on.subscriptions.values())), OPERATOR, of_provider_id=None, memo=text
    ),
    "registration": lambda db, on, text: register_provider(db, "new@example.com", text, Client("192.0.2.1", "", None)),
    "operator": lambda db, on, text: create_admin(db, "ann@example.com", text, OPERATOR),
    "user": lambda db, on, text: invite_user(
        db, "sam@example.com", text, Role.PROVIDER, OPERATOR, provider_id=on.anchor
    ),
    "key": lambda db, on, text: create_api_key(db, text, ["own:read"], OPERATOR, provider_id=on.anchor),
    "money": lambda db, on, text: adjust_balance(db, on.anchor, "credit", 100, f"{text} agreed on", OPERATOR),
    "lead": lambda db, on, text: create_lead(
        db,
        EnteredLead("hosting", {"cores": 8, "region": "north"}, {"contact_name": text, "utm_source": text}),
        OPERATOR,
        approve=False,
    ),
    "lead, rejected": lambda db, on, text: reject_lead(
        db, submit_leads(db, "hosting", [{"cores": 8, "region": "north"}], OPERATOR, approve=False)[0], text, OPERATOR
    ),
    "template": lambda db, on, text: save_template(
        db, Template("lead_assigned", text.strip(), f"<p>{text}</p>", text), text, OPERATOR
    ),
    "deposit": lambda db, on, text: deposit(db, on.anchor, 100, text, text, OPERATOR),
    "file": lambda db, on, text: declare(db, FILE.replace("NAME", text.strip())),
}


MAKES_ITS_OWN_OF_IT = ("lead", "form", "template", "file", "marketplace", "money", "level, deleted", "subscription")
"""Words that come first or behind, several texts at once, or things of one name made beside it."""


@pytest.mark.parametrize("way", WAYS)
def test_a_decomposed_text_is_stored_composed(database: Database, way: str) -> None:
    market = open_market(database)
    WAYS[way](database, market, TYPED)
    rows = [row for table in everything(database).values() for row in table]
    assert [row for row in rows if composed(row) != row] == []
    is_memo_of_nothing = way == "marketplace"  # the currency is that already
    assert is_memo_of_nothing or any(
        COMPOSED in row.replace("\\u00f6", "\u00f6").replace("\\u00fc", "\u00fc") for row in rows
    )


UNSEEN = ("a\x85b", "a\x9bb", "\x00", "\ud800", "a\u202eb", "\u2028", "\u200b", " \u00a0 ")


@pytest.mark.parametrize("way", [each for each in WAYS if each not in MAKES_ITS_OWN_OF_IT])
def test_what_cannot_be_shown_is_refused_in_a_line(database: Database, way: str) -> None:
    market = open_market(database)
    for typed in UNSEEN:
        before = query(database, "select count(*) from audit_log where memo is not null")
        with pytest.raises(BadInput) as caught:
            WAYS[way](database, market, typed)
        assert all("\n" not in problem and problem.isprintable() for problem in caught.value.problems), typed
        assert query(database, "select count(*) from audit_log where memo is not null") == before
