"""What a marketplace file makes of niches and their levels: the pure difference, nothing is read or written."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace

from fairlead.core.canonical import JsonObject
from fairlead.core.form import FormSchema, spelt_like
from fairlead.core.model import LEAST_RECENTLY_SERVED, Level
from fairlead.core.price_rule_problems import new_price_rules
from fairlead.core.prices import lowest_price_cents, price_rules_document, price_rules_text
from fairlead.core.subscription import readable_form
from fairlead.flows.changes import Change, difference
from fairlead.flows.declaring.tables import LevelTable, NicheTable
from fairlead.flows.declaring.timed_documents import as_json
from fairlead.store.configuration.rows import LevelRow, NichePolicy, NicheRow, ReofferPolicy


@dataclass(slots=True)
class NichePlan:
    """The niches and levels as they will be, and what of it is new."""

    new_id: Callable[[], str]
    by_slug: dict[str, NicheRow]
    schemas: dict[str, FormSchema]
    """By niche id. A niche is missing here when its form cannot be read: no filter is valid there."""
    levels: dict[str, LevelRow]
    """By level id, deleted ones included."""
    level_of: dict[tuple[str, str], LevelRow]
    """The living levels by niche id and name."""
    written_niches: list[NicheRow] = field(default_factory=list[NicheRow])
    restated_niches: list[NicheRow] = field(default_factory=list[NicheRow])
    """Those of them that the journal tells of: a policy alone changes nothing about who gets a lead."""
    policies: list[tuple[str, NichePolicy, NichePolicy]] = field(
        default_factory=list[tuple[str, NichePolicy, NichePolicy]]
    )
    """The policies that change: niche id, old, new."""
    written_levels: list[LevelRow] = field(default_factory=list[LevelRow])
    repriced: list[LevelRow] = field(default_factory=list[LevelRow])
    before_price: dict[str, Level] = field(default_factory=dict[str, Level])
    """Those whose lowest price is another one, as they were, by id."""
    deleted: list[LevelRow] = field(default_factory=list[LevelRow])
    created_niche_ids: list[str] = field(default_factory=list[str])
    reformed_niche_ids: list[str] = field(default_factory=list[str])
    changes: list[Change] = field(default_factory=list[Change])
    problems: list[str] = field(default_factory=list[str])

    @property
    def new_forms(self) -> list[tuple[str, JsonObject]]:
        """The forms, by niche id, of the niches that are new or get another one."""
        return [
            (row.niche_id, row.form_schema)
            for row in self.written_niches
            if row.niche_id in self.reformed_niche_ids or row.niche_id in self.created_niche_ids
        ]

    @property
    def slugs(self) -> dict[str, str]:
        """The slugs by niche id."""
        return {row.niche_id: row.slug for row in self.by_slug.values()}


def plan_niches(
    tables: Sequence[NicheTable], niches: Sequence[NicheRow], levels: Sequence[LevelRow], new_id: Callable[[], str]
) -> NichePlan:
    """The plan that turns these niches and living levels into what the file says. `plan.problems` name their keys."""
    plan = NichePlan(
        new_id,
        {row.slug: row for row in niches},
        {},
        {row.level.level_id: row for row in levels},
        {(row.niche_id, row.level.name): row for row in levels},
    )
    for row in niches:
        schema = readable_form(row.form_schema)
        if schema is not None:
            plan.schemas[row.niche_id] = schema
    for number, table in enumerate(tables):
        path = f"niche[{number}]"
        niche = _plan_niche(plan, path, table)
        for place, level in enumerate(table.level):
            _plan_level(plan, f"{path}.level[{place}]", niche, level)
        _check_positions(plan, path, niche, table)
        _check_other_price_rules(plan, path, niche, table)
    return plan


def _plan_niche(plan: NichePlan, path: str, table: NicheTable) -> NicheRow:
    before = plan.by_slug.get(table.slug)
    schema = table.form()
    if before is None:
        if table.name is None:
            plan.problems.append(f"{path}.name: is missing, and the niche {table.slug!r} does not exist yet")
        form = schema or FormSchema()
        after = NicheRow(
            plan.new_id(),
            table.slug,
            table.name or table.slug,
            table.active is not False,
            form.to_json(),
            _policy(NichePolicy(), table),
            max_recipients_per_lead=table.max_recipients_per_lead or None,
        )
        plan.schemas[after.niche_id] = form
        plan.created_niche_ids.append(after.niche_id)
    else:
        after = replace(
            before,
            name=before.name if table.name is None else table.name,
            is_active=before.is_active if table.active is None else table.active,
            policy=_policy(before.policy, table),
            max_recipients_per_lead=(
                before.max_recipients_per_lead
                if table.max_recipients_per_lead is None
                else table.max_recipients_per_lead or None
            ),
        )
        if before.is_archived and after.is_active:
            plan.problems.append(f"{path}.active: the niche {table.slug!r} is archived: restore it first")
        if schema is not None:
            schema = spelt_like(schema, plan.schemas.get(before.niche_id))
        if schema is not None and schema != plan.schemas.get(before.niche_id):
            after = replace(after, form_schema=schema.to_json())
            plan.schemas[before.niche_id] = schema
            plan.reformed_niche_ids.append(before.niche_id)
    change = difference("niche", after.slug, before and niche_document(before), niche_document(after))
    if change is not None:
        plan.changes.append(change)
        plan.written_niches.append(after)
        policy_before = before.policy if before is not None else NichePolicy()
        if before is None or replace(before, policy=after.policy) != after:
            plan.restated_niches.append(after)
        if policy_before != after.policy:
            plan.policies.append((after.niche_id, policy_before, after.policy))
    plan.by_slug[after.slug] = after
    return after


def _policy(before: NichePolicy, table: NicheTable) -> NichePolicy:
    reoffer = before.reoffer
    if (said := table.reoffer) is not None:
        reoffer = (
            None
            if said.every_minutes is None or said.max_times is None or said.max_hours is None
            else ReofferPolicy(said.every_minutes, said.max_times, said.max_hours)
        )
    return NichePolicy(
        before.auto_distribute if table.auto_distribute is None else table.auto_distribute,
        reoffer,
        before.phone_region if table.phone_region is None else table.phone_region or None,
    )


def policy_document(policy: NichePolicy) -> JsonObject:
    """The policy in the words of the file."""
    return {
        "auto_distribute": policy.auto_distribute,
        "reoffer": policy.reoffer and asdict(policy.reoffer),
        "phone_region": policy.phone_region,
    }


def niche_document(row: NicheRow) -> JsonObject:
    """The niche in the words of the file."""
    return {
        "name": row.name,
        "active": row.is_active,
        "field": row.form_schema.get("fields"),
        "max_recipients_per_lead": row.max_recipients_per_lead,
        **policy_document(row.policy),
    }


def _plan_level(plan: NichePlan, path: str, niche: NicheRow, table: LevelTable) -> None:
    before = plan.level_of.get((niche.niche_id, table.name))
    name = f"{niche.slug}/{table.name}"
    if table.deleted:
        if before is not None:
            gone = replace(before, is_deleted=True)
            plan.levels[before.level.level_id] = gone
            del plan.level_of[niche.niche_id, table.name]
            plan.written_levels.append(gone)
            plan.deleted.append(gone)
            plan.changes.append(Change("delete", "level", name, level_document(before.level), None))
        return
    after = _level(plan, path, niche, table, before)
    change = difference("level", name, before and level_document(before.level), level_document(after.level))
    if change is not None:
        plan.changes.append(change)
        plan.written_levels.append(after)
        if before is not None and lowest_price_cents(before.level) != lowest_price_cents(after.level):
            plan.repriced.append(after)
            plan.before_price[after.level.level_id] = before.level
    plan.levels[after.level.level_id] = plan.level_of[niche.niche_id, table.name] = after


def _level(plan: NichePlan, path: str, niche: NicheRow, table: LevelTable, before: LevelRow | None) -> LevelRow:
    numbers = {"price_cents": table.price_cents, "max_recipients": table.max_recipients}
    numbers["order_position"] = table.order_position
    given = {key: value for key, value in numbers.items() if value is not None}
    if before is not None:
        is_active = before.level.is_active if table.active is None else table.active
        is_exclusive = before.level.is_exclusive if table.exclusive is None else table.exclusive
        rules = _price_rules(plan, path, niche, table, before.level.price_rules_text)
        order = table.order or before.level.order
        level = replace(
            before.level, is_active=is_active, is_exclusive=is_exclusive, price_rules_text=rules, order=order, **given
        )
        _check_exclusive(plan, path, level)
        return before.as_level(level)
    for key in (key for key in numbers if key not in given):
        plan.problems.append(f"{path}.{key}: is missing, and the level {table.name!r} does not exist yet")
    # What is missing is a problem that keeps the plan from being carried out; 1 lets the rest be looked at.
    complete = dict.fromkeys(numbers, 1) | given
    is_active, is_exclusive = table.active is not False, table.exclusive is True
    new_id, name = plan.new_id(), table.name
    level = Level(
        level_id=new_id,
        name=name,
        is_active=is_active,
        is_exclusive=is_exclusive,
        price_rules_text=_price_rules(plan, path, niche, table, None),
        order=table.order or LEAST_RECENTLY_SERVED,
        **complete,
    )
    _check_exclusive(plan, path, level)
    return LevelRow(niche.niche_id, level)


def _price_rules(plan: NichePlan, path: str, niche: NicheRow, table: LevelTable, before_text: str | None) -> str | None:
    """The level's price rules, which fit the form that the niche is to have; after a problem, those before."""
    if table.price_rules is None and niche.niche_id not in plan.reformed_niche_ids:
        return before_text
    if table.price_rules == {}:
        return None
    raw = price_rules_document(before_text) if table.price_rules is None else as_json(table.price_rules)
    schema = plan.schemas.get(niche.niche_id)
    if schema is None:
        plan.problems.append(f"{path}.price_rules: the form of the niche {niche.slug!r} cannot be read")
        return before_text
    document, problems = new_price_rules(raw, schema)
    for problem in problems:
        plan.problems.append(f"{path}.price_rules.{problem.path}: {problem.message}".replace(".:", ":"))
    return before_text if problems else price_rules_text(document)


def _check_exclusive(plan: NichePlan, path: str, level: Level) -> None:
    if (problem := exclusive_problem(level)) is not None:
        plan.problems.append(f"{path}.max_recipients: {problem}")


def exclusive_problem(level: Level) -> str | None:
    """What is wrong with the level's number of recipients, if it is exclusive: such a level sells a lead once (R16)."""
    return "must be 1, since the level is exclusive" if level.is_exclusive and level.max_recipients != 1 else None


def level_document(level: Level) -> JsonObject:
    """The level in the words of the file, but for its name."""
    return {
        "price_cents": level.price_cents,
        "max_recipients": level.max_recipients,
        "order_position": level.order_position,
        "active": level.is_active,
        "exclusive": level.is_exclusive,
        "order": level.order,
        "price_rules": None if level.price_rules_text is None else price_rules_document(level.price_rules_text),
    }


def _check_other_price_rules(plan: NichePlan, path: str, niche: NicheRow, table: NicheTable) -> None:
    """Levels that the file does not name keep their price rules: a form that those do not fit is a problem."""
    schema, named = plan.schemas.get(niche.niche_id), {level.name for level in table.level}
    if niche.niche_id not in plan.reformed_niche_ids or schema is None:
        return
    for row in plan.levels.values():
        if row.niche_id == niche.niche_id and not row.is_deleted and row.level.name not in named:
            for problem in new_price_rules(price_rules_document(row.level.price_rules_text), schema)[1]:
                words = f"the level {row.level.name!r} has price rules that do not fit it: {problem.path}"
                plan.problems.append(f"{path}.field: {words}: {problem.message}")


def _check_positions(plan: NichePlan, path: str, niche: NicheRow, table: NicheTable) -> None:
    places = {level.name: place for place, level in enumerate(table.level) if level.order_position is not None}
    holders: dict[int, str] = {}
    living = [row.level for row in plan.levels.values() if row.niche_id == niche.niche_id and not row.is_deleted]
    # Levels that the file gives no position come first: the one that has to give way is one that the file names.
    for level in sorted(living, key=lambda level: places.get(level.name, -1)):
        holder = holders.setdefault(level.order_position, level.name)
        if holder != level.name and level.name in places:
            place = f"{path}.level[{places[level.name]}].order_position"
            plan.problems.append(f"{place}: the level {holder!r} has the position {level.order_position} already")
