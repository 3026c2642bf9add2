"""A level's price rules (R14): setting them, and trying them on a lead that does not exist."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from fairlead.core.calendar.schedule import FIRST_YEAR, LAST_YEAR
from fairlead.core.canonical import timestamp_text
from fairlead.core.errors import BadInput, Refused
from fairlead.core.form import FormSchema
from fairlead.core.price_rule_problems import new_price_rules
from fairlead.core.price_rule_words import WordedPrices, worded_prices
from fairlead.core.prices import (
    PriceFacts,
    compile_price_rules,
    condition_holds,
    is_within,
    lowest_price_cents,
    price_rules_document,
    price_rules_text,
    rule_that_holds,
)
from fairlead.core.subscription import readable_form
from fairlead.flows.changes import difference
from fairlead.flows.configuration.levels import (
    LevelMoves,
    level_moves,
    living_level,
    locked_level,
    moves_at_price,
    require_living,
    write_level,
)
from fairlead.flows.configuration.versions import (
    Changed,
    InvalidDocument,
    level_version,
    require_version,
)
from fairlead.flows.create_lead import fitting_answers
from fairlead.flows.declaring.plan_niches import level_document
from fairlead.flows.input_types import canonical_memo
from fairlead.flows.niche_locks import with_niche_locks
from fairlead.store.audit.log import Actor
from fairlead.store.configuration.lookups import level_row
from fairlead.store.configuration.rows import LevelRow, lock_providers, niche_rows, providers_at_levels
from fairlead.store.connection import Connection, Database
from fairlead.store.leads.rows import clock, niche_form
from fairlead.store.leads.views import lead_in_full
from fairlead.store.lookups import checked_id


@dataclass(frozen=True, slots=True)
class TriedRule:
    """A price rule, and which of its conditions hold for the lead, by their names in the document."""

    name: str
    price_cents: int
    conditions: Mapping[str, bool]
    holds: bool


@dataclass(frozen=True, slots=True)
class TrialOfPriceRules:
    """What the level asks for the lead: the price, and the number of the rule that decided it; None: its own price.

    `age_minutes` is how old the lead is taken to be at the moment, in whole minutes.
    """

    level: LevelRow
    price_cents: int
    rule_number: int | None
    rules: tuple[TriedRule, ...]
    decided_at: datetime
    age_minutes: int


@dataclass(frozen=True, slots=True)
class SeenPriceRules:
    """A level, the prices that it can ask, and the level's opaque version."""

    row: LevelRow
    version: str
    prices: WordedPrices


def read_price_rules(database: Database, level_id: str) -> SeenPriceRules:
    """The level's price rules as they are now. Raises `Refused`: `level_unknown`."""
    checked = checked_id(level_id, "level")
    with database.snapshot() as conn:
        row = level_row(conn, checked)
        if row is None:
            raise Refused("level_unknown", f"there is no level {checked}")
        [niche] = niche_rows(conn, [row.niche_id])
    schema = readable_form(niche.form_schema) or FormSchema()
    level = row.level
    prices = worded_prices(level.price_cents, level.price_rules_text, schema)
    return SeenPriceRules(row, level_version(row), prices)


def set_price_rules(
    database: Database,
    level_id: str,
    document: object,
    actor: Actor,
    *,
    memo: str | None = None,
    expected_version: str | None = None,
) -> Changed[LevelRow]:
    """The level has these price rules, from the next decision on.

    Subscriptions that even the lowest price is too dear for are deactivated at once, those that can be paid for again
    come back, and their providers are told (R9), as are those who pay at most less than the level asks now. Locks the
    niche, and, where the lowest price changes, the level's providers. Raises `InvalidDocument` and `Refused`:
    `level_unknown`, `level_deleted`, `form_unreadable`, `version_conflict`.
    """
    checked, memo = checked_id(level_id, "level"), canonical_memo(memo)

    def work(conn: Connection, _: Sequence[str]) -> Changed[LevelRow]:
        locked, before = locked_level(conn, checked)
        require_living(before)
        text = _checked(document, readable_form(locked.form_schema))
        after = replace(before, level=replace(before.level, price_rules_text=text))
        differing = difference("level", before.level.name, level_document(before.level), level_document(after.level))
        if differing is None:
            return Changed(before, level_version(before), took_effect=False)
        require_version(expected_version, level_version(before), f"the level {before.level.name!r}")
        is_repriced = lowest_price_cents(before.level) != lowest_price_cents(after.level)
        providers = lock_providers(conn, providers_at_levels(conn, [after])) if is_repriced else {}
        moves = moves_at_price(conn, after, providers) if is_repriced else []
        return write_level(conn, locked, after, moves, differing, "level.price_rules_changed", actor, memo, before)

    return with_niche_locks(database, work)


def preview_price_rules(database: Database, level_id: str, document: object) -> LevelMoves:
    """What `set_price_rules` would do to subscriptions now, by the balances of this moment. Nothing is changed.

    Raises `InvalidDocument` and `Refused`: `level_unknown`, `level_deleted`, `form_unreadable`.
    """
    checked = checked_id(level_id, "level")
    with database.snapshot() as conn:
        before = living_level(conn, checked)
        [niche] = niche_rows(conn, [before.niche_id])
        text = _checked(document, readable_form(niche.form_schema))
        return level_moves(conn, before, replace(before, level=replace(before.level, price_rules_text=text)))


@dataclass(frozen=True, slots=True)
class MadeUpLead:
    """A lead that does not exist: its answers, and how old it is."""

    attributes: Mapping[str, object] = field(repr=False)
    age_minutes: int = 0


def try_price_rules(
    database: Database,
    level_id: str,
    lead: MadeUpLead | str,
    *,
    at: datetime | None = None,
    document: object = None,
) -> TrialOfPriceRules:
    """What the level would ask for the lead at the moment; without one, now.

    The lead is made up, or the id of one of the niche: then its answers count, and when it came in. By the level's own
    price rules, or by those that are given. Nothing is written. Raises `BadInput`, naming each answer that does not fit
    the form, or the moment where it lies before the lead came in or in a year whose hours cannot be reckoned,
    `InvalidDocument`, and `Refused`: `level_unknown`, `level_deleted`, `form_unreadable`, `lead_unknown` (also for a
    lead of another niche), `lead_erased`.
    """
    checked = checked_id(level_id, "level")
    with database.snapshot() as conn:
        row = living_level(conn, checked)
        [niche] = niche_rows(conn, [row.niche_id])
        schema = readable_form(niche.form_schema)
        text = row.level.price_rules_text if document is None else _checked(document, schema)
        if schema is None:
            raise _unreadable()
        moment = at or clock(conn)
        answers, age = _tried_lead(conn, niche.slug, lead, moment)
    rules = compile_price_rules(text, schema)
    facts = PriceFacts(answers, age, lambda hours, timezone: is_within(hours, timezone, moment))
    tried: list[TriedRule] = []
    for rule in rules.rules:
        held = {name: bool(holds) for name, holds in condition_holds(rule, rules.timezone, facts).items()}
        tried.append(TriedRule(rule.name, rule.price_cents, held, all(held.values())))
    rule = rule_that_holds(rules, facts)
    price_cents = row.level.price_cents if rule is None else tried[rule.number - 1].price_cents
    number = None if rule is None else rule.number
    return TrialOfPriceRules(row, price_cents, number, tuple(tried), moment, int(age // timedelta(minutes=1)))


def _tried_lead(
    conn: Connection, niche_slug: str, lead: MadeUpLead | str, moment: datetime
) -> tuple[Mapping[str, object], timedelta]:
    """The answers that count, and how old the lead is at the moment."""
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise BadInput([f"at: must lie between the years {FIRST_YEAR} and {LAST_YEAR}"])
    if isinstance(lead, MadeUpLead):
        form = niche_form(conn, niche_slug)
        if form is None:
            raise _unreadable()
        answers, problems = fitting_answers(form, lead.attributes)
        if problems:
            raise BadInput(problems)
        return answers, timedelta(minutes=lead.age_minutes)
    found = lead_in_full(conn, checked_id(lead, "lead"))
    if found.niche != niche_slug:
        raise Refused("lead_unknown", f"the niche has no lead {found.lead_id}")
    if found.answers_erased_at is not None:
        raise Refused("lead_erased", "the lead's answers were erased, so no rule can be asked about them")
    if moment < found.created_at:
        raise BadInput([f"at: the lead came in later, at {timestamp_text(found.created_at)}"])
    return found.attributes, moment - found.created_at


def require_fitting_price_rules(levels: Sequence[LevelRow], form: FormSchema) -> None:
    """The price rules of all these levels fit the form. Raises `Refused`: `price_rules_unfit`."""
    for row in levels:
        problems = new_price_rules(price_rules_document(row.level.price_rules_text), form)[1]
        if problems:
            words = f"the price rules of the level {row.level.name!r} do not fit it: {problems[0].path}: "
            raise Refused("price_rules_unfit", f"{words}{problems[0].message}; change them first")


def _checked(document: object, form: FormSchema | None) -> str | None:
    if form is None:
        raise _unreadable()
    stored, problems = new_price_rules(document, form)
    if problems:
        raise InvalidDocument(problems)
    return price_rules_text(stored)


def _unreadable() -> Refused:
    return Refused("form_unreadable", "the niche's form cannot be read, so no price rule fits it")
