"""What a filter would have matched."""

from dataclasses import dataclass

from fairlead.core.errors import BadInput, Refused
from fairlead.core.filters import CompiledFilter, compile_filter, summarise_filter
from fairlead.core.form_field import FieldType, FormSchema
from fairlead.core.subscription import readable_form
from fairlead.flows.configuration.subscription_changes import checked_filter
from fairlead.store.configuration.lookups import level_row, newest_attributes
from fairlead.store.configuration.rows import niche_rows
from fairlead.store.connection import Connection, Database
from fairlead.store.lookups import checked_id

MOST_LEADS = 10_000
FEWEST_TOLD = 10


@dataclass(frozen=True, slots=True)
class FilterPreview:
    """How many of the last `lead_count` leads the filter fits, and the filter in plain words. Nothing of any lead.

    `matched_count` is None where the caller may not know it.
    """

    matched_count: int | None
    lead_count: int
    filter_summary: str


def preview_filter(database: Database, niche_id: str, filter_rules: object, *, sample: int = 1000) -> FilterPreview:
    """How the filter would have fared with the leads that were decided last in the niche, sold or not.

    At most `sample` leads (1 to 10,000). Nothing is locked or changed. Raises `BadInput`, for a filter
    `InvalidDocument`, and `Refused`: `niche_unknown`.
    """
    checked = checked_id(niche_id, "niche")
    _check(sample)
    with database.snapshot() as conn:
        return _preview(conn, checked, filter_rules, sample)


def preview_filter_at_level(
    database: Database, level_id: str, filter_rules: object, *, sample: int = 1000
) -> FilterPreview:
    """As `preview_filter`, for the niche of a living level, and for a provider that did not buy those leads.

    What people wrote in their own words could be guessed letter by letter from whether any lead has it. So a filter
    that asks for that is told a number from `FEWEST_TOLD` on, and below that only that it is below, none included.
    Raises `Refused`: `level_unknown`.
    """
    checked = checked_id(level_id, "level")
    _check(sample)
    with database.snapshot() as conn:
        level = level_row(conn, checked)
        if level is None or level.is_deleted:
            raise Refused("level_unknown", f"there is no level {checked}")
        return _preview(conn, level.niche_id, filter_rules, sample, fewest_told=FEWEST_TOLD)


def _check(sample: int) -> None:
    if not 1 <= sample <= MOST_LEADS:
        raise BadInput([f"sample: must be between 1 and {MOST_LEADS}"])


def _preview(
    conn: Connection, niche_id: str, filter_rules: object, sample: int, *, fewest_told: int = 0
) -> FilterPreview:
    rows = niche_rows(conn, [niche_id])
    if not rows:
        raise Refused("niche_unknown", f"there is no niche {niche_id}")
    form = readable_form(rows[0].form_schema)
    rules = checked_filter(filter_rules, form)
    assert form is not None, "no filter fits a form that cannot be read"
    compiled = compile_filter(rules, form)
    leads = newest_attributes(conn, niche_id, sample)
    count = sum(map(compiled.accepts, leads))
    is_told = count >= fewest_told or not asks_for_words(compiled, form)
    return FilterPreview(count if is_told else None, len(leads), summarise_filter(rules, form))


def asks_for_words(compiled: CompiledFilter, form: FormSchema) -> bool:
    """Whether a rule is about a field that people fill in their own words."""
    fields = [form.field(rule.field_key) for rule in compiled.rules]
    return any(field is not None and field.type is FieldType.TEXT for field in fields)
