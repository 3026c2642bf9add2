"""Struck at every statement, verbs that configure a marketplace one by one: each is done once, whole, and told."""

from collections.abc import Callable

import pytest

from fairlead.core.returns import RefundPolicy
from fairlead.flows.configuration.conflict_groups import (
    create_conflict_group,
    remove_conflict_group,
    rename_conflict_group,
)
from fairlead.flows.configuration.form_schemas import change_form_schema
from fairlead.flows.configuration.level_order import reorder_levels
from fairlead.flows.configuration.levels import LevelChange, change_level, create_level, delete_level
from fairlead.flows.configuration.niche_archive import archive_niche, restore_niche
from fairlead.flows.configuration.niches import NicheChange, change_niche, create_niche
from fairlead.flows.configuration.own_provider import OwnProfileChange, change_own_profile
from fairlead.flows.configuration.provider_notes import add_provider_note
from fairlead.flows.configuration.provider_status import suspend_provider
from fairlead.flows.configuration.providers import ProviderChange, change_provider, create_provider
from fairlead.flows.configuration.refund_policy import change_refund_policy
from fairlead.flows.configuration.subscriptions import subscribe, unsubscribe
from fairlead.flows.configuration.templates_of_niches import (
    WantedLevel,
    create_niche_from_template,
    niche_templates,
)
from fairlead.flows.configuration.weights import set_subscription_weight
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.chaos.proxy import Proxy
from tests.chaos.struck import AT_COMMITS, Flow, Row, strike_at_every_statement
from tests.chaos.test_configuration_crash_points import ending_of_market, id_in, market
from tests.flows.sales import query

pytestmark = [pytest.mark.chaos, pytest.mark.slow]

Act = Callable[[Database, Database, str], object]
FORM = {"version": 1, "fields": [{"key": "age", "label": "Age", "type": "number"}]}


def of_niche(verb: Callable[[Database, str], object]) -> Act:
    return lambda database, direct, slug: verb(database, id_in(direct, "niches", "slug", slug))


def level_of(direct: Database, slug: str, name: str) -> str:
    [(level_id,)] = query(
        direct,
        "select l.id::text from competition_levels l join niches n on n.id = l.niche_id"
        " where n.slug = %s and l.name = %s",
        slug,
        name,
    )
    return str(level_id)


def of_level(name: str, verb: Callable[[Database, str], object]) -> Act:
    return lambda database, direct, slug: verb(database, level_of(direct, slug, name))


def of_provider(verb: Callable[[Database, str], object]) -> Act:
    return lambda database, direct, slug: verb(database, id_in(direct, "providers", "name", slug))


def of_subscription(verb: Callable[[Database, str], object]) -> Act:
    def act(database: Database, direct: Database, slug: str) -> None:
        provider_id = id_in(direct, "providers", "name", slug)
        verb(database, id_in(direct, "subscriptions", "provider_id", provider_id))

    return act


def with_two_levels(database: Database, slug: str) -> str:
    """A level more, which is cheaper and has no subscription."""
    market(database, slug)
    create_level(database, id_in(database, "niches", "slug", slug), "cheap", 100, 1, OPERATOR)
    return slug


def turn_round(database: Database, direct: Database, slug: str) -> None:
    niche_id = id_in(direct, "niches", "slug", slug)
    ids = [row[0] for row in query(direct, "select id::text from competition_levels where niche_id = %s", niche_id)]
    positions = dict(query(direct, "select id::text, order_position from competition_levels"))
    reorder_levels(database, niche_id, sorted(ids, key=lambda each: -positions[each]), OPERATOR)


def join_cheap(database: Database, direct: Database, slug: str) -> None:
    subscribe(database, id_in(direct, "providers", "name", slug), level_of(direct, slug, "cheap"), OPERATOR)


def archived(database: Database, slug: str) -> str:
    market(database, slug)
    archive_niche(database, id_in(database, "niches", "slug", slug), OPERATOR)
    return slug


MARKETS: dict[str, tuple[Callable[[Database, str], str], Act]] = {
    "recipients per lead": (
        market,
        of_niche(lambda own, each: change_niche(own, each, NicheChange(max_recipients_per_lead=2), OPERATOR)),
    ),
    "what refunds give back": (
        market,
        of_niche(lambda own, each: change_refund_policy(own, each, RefundPolicy(returns_turn=True), OPERATOR)),
    ),
    "a form": (market, of_niche(lambda own, each: change_form_schema(own, each, FORM, OPERATOR))),
    "restore a niche": (archived, of_niche(lambda own, each: restore_niche(own, each, OPERATOR))),
    "a new level": (market, of_niche(lambda own, each: create_level(own, each, "new", 100, 2, OPERATOR))),
    "reorder levels": (with_two_levels, turn_round),
    "a weighted level": (
        market,
        of_level(
            "only",
            lambda own, each: change_level(own, each, LevelChange(order="weighted", price_cents=300), OPERATOR),
        ),
    ),
    "delete a level": (with_two_levels, of_level("cheap", lambda own, each: delete_level(own, each, OPERATOR))),
    "change a provider": (
        market,
        of_provider(lambda own, each: change_provider(own, each, ProviderChange(credit_limit_cents=600), OPERATOR)),
    ),
    "suspend a provider": (market, of_provider(lambda own, each: suspend_provider(own, each, OPERATOR))),
    "an own profile": (
        market,
        of_provider(
            lambda own, each: change_own_profile(own, each, OwnProfileChange(low_balance_threshold_cents=9), OPERATOR)
        ),
    ),
    "subscribe": (with_two_levels, join_cheap),
    "unsubscribe": (
        market,
        of_subscription(lambda own, each: unsubscribe(own, each, OPERATOR, of_provider_id=None)),
    ),
    "a weight": (market, of_subscription(lambda own, each: set_subscription_weight(own, each, 3, OPERATOR))),
}


@pytest.mark.parametrize("how", AT_COMMITS)
@pytest.mark.parametrize("name", MARKETS)
def test_what_breaks_at_any_statement_of_a_verb_is_done_once(
    name: str, how: str, database: Database, database_url: str, proxy: Proxy
) -> None:
    strike_at_every_statement(Flow(*MARKETS[name], ending_of_market), how, database, database_url, proxy)


def named(table: str, column: str) -> Callable[[Database, str], Row]:
    """How many there are of that name, and how often that was audited."""
    text = (
        f"select (select count(*) from {table} where {column} = '{{0}}'),"
        f" (select count(*) from audit_log where new::text like '%%\"{{0}}\"%%' or old::text like '%%\"{{0}}\"%%')"
    )
    return lambda database, name: query(database, text.format(name))


def group(database: Database, slug: str) -> str:
    create_conflict_group(database, slug, OPERATOR)
    return slug


def of_group(verb: Callable[[Database, str, str], object]) -> Act:
    return lambda database, direct, slug: verb(database, id_in(direct, "conflict_groups", "name", slug), slug)


def just_named(_: Database, slug: str) -> str:
    return slug


def ending_of_notes(database: Database, slug: str) -> Row:
    provider_id = id_in(database, "providers", "name", slug)
    return query(database, "select note from provider_notes where provider_id = %s", provider_id)


TEMPLATE = next(iter(niche_templates()))
GOLD, SILVER = WantedLevel("gold", 200, 1), WantedLevel("silver", 100, 2)
OTHERS = {
    "a new niche": Flow(
        just_named, lambda own, _, slug: create_niche(own, slug, slug, OPERATOR), named("niches", "slug")
    ),
    "a niche from a template": Flow(
        just_named,
        lambda own, _, slug: create_niche_from_template(own, TEMPLATE, slug, slug, [GOLD, SILVER], OPERATOR),
        named("niches", "slug"),
    ),
    "a new provider": Flow(
        just_named,
        lambda own, _, slug: create_provider(own, f"{slug}@example.com", slug, OPERATOR),
        named("providers", "name"),
    ),
    "rename a conflict group": Flow(
        group,
        of_group(lambda own, each, slug: rename_conflict_group(own, each, f"{slug} renamed", OPERATOR)),
        named("conflict_groups", "name"),
    ),
    "remove a conflict group": Flow(
        group,
        of_group(lambda own, each, _: remove_conflict_group(own, each, OPERATOR)),
        named("conflict_groups", "name"),
    ),
    "a note": Flow(
        market, of_provider(lambda own, each: add_provider_note(own, each, "they pay", OPERATOR)), ending_of_notes
    ),
}


@pytest.mark.parametrize("how", AT_COMMITS)
@pytest.mark.parametrize("name", OTHERS)
def test_what_breaks_at_any_statement_is_there_once(
    name: str, how: str, database: Database, database_url: str, proxy: Proxy
) -> None:
    strike_at_every_statement(OTHERS[name], how, database, database_url, proxy)
