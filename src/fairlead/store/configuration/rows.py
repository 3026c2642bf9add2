"""What a marketplace is made of: reading its niches, levels, providers and subscriptions under their locks.

Their order is: the marketplace's own row, niches, leads, providers, each ascending by id.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, LiteralString

from fairlead.core.calendar.limits import limits_text
from fairlead.core.canonical import JsonObject
from fairlead.core.entry.mailbox import mailbox_key
from fairlead.core.ledger import LowBalance
from fairlead.core.model import Balance, Level, ProviderTerms, Subscription, filter_text
from fairlead.core.money.spending_pace import DaysAlert
from fairlead.core.prices import price_rules_text
from fairlead.core.weighted import NO_LEVEL_PASS, LevelPass, pass_in_order
from fairlead.store.connection import Connection

DEFAULT_CURRENCY = "EUR"
"""The marketplace's until it declares another."""


class ConcurrentChange(Exception):
    """Another transaction changed what this one saw before its locks: roll it back and start again."""


class LockSetChanged(ConcurrentChange):
    """`niche_ids` turned out to be concerned too: they have to be locked from the beginning."""

    def __init__(self, niche_ids: Sequence[str]) -> None:
        super().__init__(f"{len(niche_ids)} more niches have to be locked")
        self.niche_ids = tuple(niche_ids)


@dataclass(frozen=True, slots=True)
class ReofferPolicy:
    """Unsold leads are offered again: every so many minutes, at most so often, for so many hours after approval."""

    every_minutes: int
    max_times: int
    max_hours: int


@dataclass(frozen=True, slots=True)
class NichePolicy:
    """What happens in a niche on its own. It says when a lead is decided, never who gets it.

    `phone_region` is the country whose telephone numbers its leads give without one, such as `DE`; None: none.
    """

    auto_distribute: bool = True
    reoffer: ReofferPolicy | None = None
    phone_region: str | None = None


@dataclass(frozen=True, slots=True)
class NicheRow:
    """A niche as it is configured. `max_recipients_per_lead` None: a lead has as many as the levels take (R16)."""

    niche_id: str
    slug: str
    name: str
    is_active: bool
    form_schema: JsonObject
    policy: NichePolicy = NichePolicy()
    is_archived: bool = False
    max_recipients_per_lead: int | None = None


@dataclass(frozen=True, slots=True)
class LevelRow:
    """A level, the niche that it belongs to, and where it stands if it ever gave a lead by weight (R15)."""

    niche_id: str
    level: Level
    is_deleted: bool = False
    level_pass: LevelPass = NO_LEVEL_PASS

    def as_level(self, level: Level) -> "LevelRow":
        """The row with the level, which it holds already, as given: all are even where its order becomes weighted."""
        return replace(self, level=level, level_pass=pass_in_order(self.level_pass, self.level.order, level.order))


@dataclass(frozen=True, slots=True)
class ProviderRow:
    """A provider, and what it can pay with."""

    provider_id: str
    email: str
    name: str
    status: str
    timezone: str
    low_balance_threshold_cents: int | None
    balance: Balance
    was_told_of_low_balance: bool = False
    limits_text: str | None = None
    schedule_text: str | None = None
    language: str | None = None
    conflict_group_id: str | None = None
    top_up_below_cents: int | None = None
    low_balance_days: int | None = None
    was_told_of_low_days: bool = False

    @property
    def terms(self) -> ProviderTerms:
        """What holds for all of its subscriptions."""
        return ProviderTerms(self.timezone, self.limits_text, self.schedule_text, self.conflict_group_id)

    @property
    def low_balance(self) -> LowBalance:
        """When the provider is told of a low balance, and whether it was."""
        return LowBalance(self.low_balance_threshold_cents, self.was_told_of_low_balance, self.top_up_below_cents)

    @property
    def days_alert(self) -> DaysAlert:
        """When the provider is told that its money lasts for few days only, and whether it was."""
        return DaysAlert(self.low_balance_days, self.was_told_of_low_days)


@dataclass(frozen=True, slots=True)
class SubscriptionRow:
    """A subscription, living or not, with the niche of its level and the email of its provider."""

    niche_id: str
    provider_email: str
    subscription: Subscription
    is_deleted: bool = False


def lock_marketplace(conn: Connection, currency: str, *, may_change: bool) -> tuple[str, bool]:
    """The marketplace's currency, and whether its row is new, made with the currency given.

    Holds the row against transactions that change configuration as a whole, not against those that use it; against
    those too when the currency is another and may change, since this lock comes first and cannot be had later.
    """
    inserted = conn.execute(
        "insert into marketplace (currency) values (%s) on conflict do nothing returning currency", (currency,)
    ).fetchone()
    row = conn.execute("select currency from marketplace for no key update").fetchone()
    assert row is not None, "the row is never deleted"
    if may_change and row[0] != currency:
        conn.execute("select from marketplace for update")
    return row[0], inserted is not None


def hold_currency(conn: Connection) -> str:
    """The marketplace's currency, which stays the same until the transaction ends; EUR until one was declared."""
    row = conn.execute("select currency from marketplace for key share").fetchone()
    return DEFAULT_CURRENCY if row is None else row[0]


def change_currency(conn: Connection, currency: str) -> bool:
    """The marketplace's currency is the given one. False, and nothing is changed, once there is a ledger entry.

    Needs the marketplace's lock, so that no deposit is under way, and those of all niches, so that no purchase is.
    """
    row = conn.execute("select exists (select from ledger_entries)").fetchone()
    assert row is not None, "exists has an answer"
    if row[0]:
        return False
    conn.execute("update marketplace set currency = %s", (currency,))
    return True


def niche_ids_of(conn: Connection, slugs: Sequence[str] | None) -> list[str]:
    """The ids of the niches with these slugs, or of all niches. Locks nothing."""
    rows = conn.execute(
        "select id::text from niches where %s::text[] is null or slug = any(%s) order by id",
        (None if slugs is None else list(slugs), [] if slugs is None else list(slugs)),
    ).fetchall()
    return [row[0] for row in rows]


def niche_rows(conn: Connection, niche_ids: Sequence[str]) -> list[NicheRow]:
    """The niches, by id. Needs their locks."""
    rows = conn.execute(
        """
        select id::text, slug, name, is_active, form_schema, auto_distribute, phone_region,
               reoffer_every_minutes, reoffer_max_times, reoffer_max_hours, is_archived, max_recipients_per_lead
        from niches where id = any(%s::uuid[]) order by id
        """,
        (list(niche_ids),),
    ).fetchall()
    return [
        NicheRow(
            niche_id,
            slug,
            name,
            is_active,
            form_schema,
            NichePolicy(auto_distribute, ReofferPolicy(*reoffer) if reoffer[0] is not None else None, phone_region),
            is_archived,
            most,
        )
        for niche_id, slug, name, is_active, form_schema, *policy, is_archived, most in rows
        for auto_distribute, phone_region, *reoffer in [policy]
    ]


def level_rows(conn: Connection, niche_ids: Sequence[str]) -> list[LevelRow]:
    """The living levels of the niches, by id. Needs the niches' locks."""
    rows = conn.execute(
        """
        select niche_id::text, id::text, name, price_cents, max_recipients, order_position, is_active, is_exclusive,
               price_rules, queue_order, global_pass, global_pass_seq, longest_stride
        from competition_levels where niche_id = any(%s::uuid[]) and deleted_at is null order by id
        """,
        (list(niche_ids),),
    ).fetchall()
    return [
        LevelRow(niche_id, level_of_columns(*level), level_pass=LevelPass(*level_pass))
        for niche_id, *columns in rows
        for level, level_pass in [(columns[:-3], columns[-3:])]
    ]


def level_of_columns(*columns: Any) -> Level:
    """The level that these columns of its row say, in the order of its fields."""
    *own, price_rules, order = columns
    return Level(*own, price_rules_text=price_rules_text(price_rules), order=order)


def provider_ids_by_email(conn: Connection, emails: Sequence[str]) -> dict[str, str]:
    """By email, as given, the id of the provider that has its mailbox, however it is written. Locks nothing.

    Of several from before mailboxes were compared it is the one whose address is written like this, else the oldest.
    """
    rows = conn.execute(
        """
        select given.email, p.id::text
        from unnest(%(emails)s::text[], %(keys)s::text[]) as given (email, key)
        join providers p on p.email_key = given.key
        union all
        select given.email, p.id::text
        from unnest(%(emails)s::text[]) as given (email) join providers p on lower(p.email) = lower(given.email)
        """,
        {"emails": list(emails), "keys": [mailbox_key(email) for email in emails]},
    ).fetchall()
    return dict(rows)


def providers_at_levels(conn: Connection, levels: Sequence[LevelRow]) -> list[str]:
    """The providers with a living subscription to one of the levels, by id. Needs the locks of the levels' niches."""
    rows = conn.execute(
        """
        select distinct provider_id::text from subscriptions
        where niche_id = any(%s::uuid[]) and competition_level_id = any(%s::uuid[]) and deleted_at is null order by 1
        """,
        _places(levels),
    ).fetchall()
    return [row[0] for row in rows]


def provider_ids(conn: Connection) -> list[str]:
    """Every provider of the marketplace, by id. Locks nothing."""
    return [row[0] for row in conn.execute("select id::text from providers order by id").fetchall()]


_PROVIDERS: LiteralString = """
    select id::text, email, name, status, timezone, low_balance_threshold_cents,
           balance_cents, credit_limit_cents, ledger_seq, low_balance_alerted_at is not null, limits, schedule,
           language, conflict_group_id::text, top_up_below_cents, low_balance_days,
           low_balance_days_alerted_at is not null
    from providers where id = any(%s::uuid[]) order by id"""


def lock_providers(conn: Connection, provider_ids: Sequence[str]) -> dict[str, ProviderRow]:
    """The providers by id, their rows locked in ascending order of id."""
    return _providers(conn, provider_ids, _PROVIDERS + " for no key update")


def unlocked_providers(conn: Connection, provider_ids: Sequence[str]) -> dict[str, ProviderRow]:
    """The providers by id, as they are seen without their locks."""
    return _providers(conn, provider_ids, _PROVIDERS)


def _providers(conn: Connection, provider_ids: Sequence[str], statement: LiteralString) -> dict[str, ProviderRow]:
    rows = conn.execute(statement, (list(provider_ids),)).fetchall()
    return {
        provider_id: ProviderRow(
            provider_id,
            email,
            name,
            status,
            zone,
            threshold,
            Balance(*balance),
            was_told,
            limits_text(limits),
            limits_text(schedule),
            *others,
        )
        for provider_id, email, name, status, zone, threshold, *balance, was_told, limits, schedule, others in (
            (*row[:-5], row[-5:]) for row in rows
        )
    }


def subscription_rows(
    conn: Connection, provider_ids: Sequence[str], niche_ids: Sequence[str], levels: Sequence[LevelRow]
) -> list[SubscriptionRow]:
    """By id: every subscription that the providers ever had, and the living ones in the niches and at the levels.

    Needs the locks of the providers, the niches, and the levels' niches.
    """
    rows = conn.execute(
        """
        select s.niche_id::text, p.email, s.deleted_at is not null, s.id::text, s.provider_id::text,
               s.competition_level_id::text, s.is_active, s.deactivation_reason, s.filter_rules, s.filter_is_valid,
               s.limits, s.schedule, s.max_price_cents, s.weight
        from subscriptions s join providers p on p.id = s.provider_id
        where s.provider_id = any(%s::uuid[])
           or (s.niche_id = any(%s::uuid[]) and s.deleted_at is null)
           or (s.niche_id = any(%s::uuid[]) and s.competition_level_id = any(%s::uuid[]) and s.deleted_at is null)
        order by s.id
        """,
        (list(provider_ids), list(niche_ids), *_places(levels)),
    ).fetchall()
    return [SubscriptionRow(row[0], row[1], subscription_of_columns(*row[3:]), row[2]) for row in rows]


def subscription_of_columns(
    subscription_id: str,
    provider_id: str,
    level_id: str,
    is_active: bool,
    deactivation_reason: str | None,
    filter_rules: JsonObject,
    filter_is_valid: bool,
    own_limits: JsonObject | None = None,
    schedule: JsonObject | None = None,
    max_price_cents: int | None = None,
    weight: int = 1,
) -> Subscription:
    """The subscription that these columns of its row say, in the order of its fields."""
    return Subscription(
        subscription_id,
        provider_id,
        level_id,
        is_active,
        deactivation_reason,
        filter_text(filter_rules),
        filter_is_valid,
        limits_text(own_limits),
        limits_text(schedule),
        max_price_cents,
        weight,
    )


def _places(levels: Sequence[LevelRow]) -> tuple[list[str], list[str]]:
    """The levels' niches, which an index finds, and the levels themselves."""
    return [row.niche_id for row in levels], [row.level.level_id for row in levels]
