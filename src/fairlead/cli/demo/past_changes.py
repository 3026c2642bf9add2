"""What was different in the demo's marketplace a year ago, and what changed since: it ends as its file says.

Providers joined and left, prices rose, filters narrowed; each change at its part of the time that the history spans.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from importlib.resources import files

from fairlead.flows.configuration.provider_status import suspend_provider
from fairlead.flows.configuration.reading import read_provider, subscriptions_of
from fairlead.flows.configuration.subscriptions import unsubscribe
from fairlead.flows.declaring.apply_marketplace import apply_marketplace
from fairlead.flows.declaring.declaration import Declaration, parse_declaration
from fairlead.flows.declaring.tables import LevelTable, NicheTable, ProviderTable, SubscriptionTable
from fairlead.flows.money.adjust_balance import adjust_balance
from fairlead.store.audit.log import Actor
from fairlead.store.connection import Database
from fairlead.store.lookups import provider_id_of

Change = Callable[[Database, Actor], None]

FOUNDERS = 11
"""So many providers of the file were there from the beginning; the others joined one by one."""
JOINED_FROM, JOINED_UNTIL = 0.06, 0.8

EARLIER_PRICES = {
    ("vps-hosting", "exclusive"): (2000, 0.45),
    ("vps-hosting", "standard"): (350, 0.25),
    ("dedicated-servers", "shared"): (1500, 0.6),
}
"""By niche and level: the price at first, and when it became what the file says."""

TOOK_EVERY_LEAD = {
    ("sales@bowline-hosting.example", "vps-hosting", "standard"): 0.35,
    ("sales@davit-servers.example", "vps-hosting", "premium"): 0.55,
    ("sales@ebb-tide-vps.example", "vps-hosting", "standard"): 0.7,
}
"""By provider, niche and level: when its filter became what the file says."""

LEFT = {"sales@stern-line-hosting.example": 0.5, "sales@windjammer-servers.example": 0.75}
GIVEN_FOR_GOODWILL = {"sales@capstan-compute.example": (0.4, 5000), "sales@vane-networks.example": (0.85, 7500)}


@dataclass(frozen=True, slots=True)
class PastChange:
    """Something that an operator or a provider changed, and when."""

    at: datetime
    change: Change


def former_providers() -> Declaration:
    """Those that have left, as they were when they joined."""
    return parse_declaration(_text("former_providers.toml"))


def demo_marketplace() -> Declaration:
    """The demo's marketplace as it is now."""
    return parse_declaration(_text("marketplace.toml"))


def first_marketplace(now: Declaration) -> Declaration:
    """The marketplace as it was at first: fewer providers, lower prices, wider filters, and those who have left."""
    niches = [_with_prices(niche) for niche in now.niches]
    providers = [_with_filters(provider) for provider in now.providers[:FOUNDERS]]
    return replace(now, niches=niches, providers=[*providers, *former_providers().providers])


def changes_since(now: Declaration, first: datetime, until: datetime) -> list[PastChange]:
    """What led from the first marketplace to that of now, in the order of time."""
    span = until - first
    changes = [PastChange(first + part * span, change) for part, change in _changes(now)]
    return sorted(changes, key=lambda each: each.at)


def _changes(now: Declaration) -> Iterator[tuple[float, Change]]:
    newcomers = now.providers[FOUNDERS:]
    for number, provider in enumerate(newcomers):
        part = JOINED_FROM + (JOINED_UNTIL - JOINED_FROM) * number / max(1, len(newcomers) - 1)
        yield part, _declares(replace(now, niches=[], providers=[_with_filters(provider)]))
    for (slug, level), (_, part) in EARLIER_PRICES.items():
        yield part, _declares(replace(now, niches=[_only(now, slug, level)], providers=[]))
    for (email, slug, level), part in TOOK_EVERY_LEAD.items():
        [provider] = [each for each in now.providers if each.email == email]
        own = [each for each in provider.subscription if (each.niche, each.level) == (slug, level)]
        alone = ProviderTable(email=email, subscription=own)
        yield part, _declares(replace(now, niches=[], providers=[alone]))
    for email, part in LEFT.items():
        yield part, _leaves(email)
    for email, (part, cents) in GIVEN_FOR_GOODWILL.items():
        yield part, _is_given(email, cents)


def _declares(document: Declaration) -> Change:
    def change(database: Database, actor: Actor) -> None:
        apply_marketplace(database, document, actor)

    return change


def _leaves(email: str) -> Change:
    """The provider ends its subscriptions, is paid what is left, and may not come back by itself."""

    def change(database: Database, actor: Actor) -> None:
        provider_id = database.read(lambda conn: provider_id_of(conn, email))
        for each in subscriptions_of(database, provider_id):
            unsubscribe(database, each.row.subscription.subscription_id, actor, of_provider_id=None)
        left_cents = read_provider(database, provider_id).row.balance.balance_cents
        if left_cents > 0:
            adjust_balance(database, provider_id, "debit", left_cents, "Paid out on leaving.", actor)
        suspend_provider(database, provider_id, actor, memo="Has given up its business.")

    return change


def _is_given(email: str, cents: int) -> Change:
    def change(database: Database, actor: Actor) -> None:
        provider_id = database.read(lambda conn: provider_id_of(conn, email))
        adjust_balance(database, provider_id, "credit", cents, "For the days on which its email failed.", actor)

    return change


def _with_prices(niche: NicheTable) -> NicheTable:
    levels = [_at_first(niche.slug, level) for level in niche.level]
    return niche.model_copy(update={"level": levels})


def _at_first(slug: str, level: LevelTable) -> LevelTable:
    earlier = EARLIER_PRICES.get((slug, level.name))
    return level if earlier is None else level.model_copy(update={"price_cents": earlier[0]})


def _only(now: Declaration, slug: str, level_name: str) -> NicheTable:
    [niche] = [each for each in now.niches if each.slug == slug]
    return NicheTable(slug=slug, level=[each for each in niche.level if each.name == level_name])


def _with_filters(provider: ProviderTable) -> ProviderTable:
    subscriptions = [_wider(provider.email, each) for each in provider.subscription]
    return provider.model_copy(update={"subscription": subscriptions})


def _wider(email: str, table: SubscriptionTable) -> SubscriptionTable:
    if (email, table.niche, table.level) not in TOOK_EVERY_LEAD:
        return table
    return table.model_copy(update={"filter": []})


def _text(name: str) -> str:
    return files("fairlead.cli.demo").joinpath(name).read_text(encoding="utf-8")
