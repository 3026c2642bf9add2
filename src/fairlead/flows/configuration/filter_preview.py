"""What a filter would have matched."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fairlead.core.canonical import JsonObject
from fairlead.core.clauses import Clause, clause_text
from fairlead.core.errors import BadInput, Refused
from fairlead.core.filters.counts import MatchCount, TypedShares, match_count
from fairlead.core.filters.filter import CompiledFilter, compile_filter, filter_clause
from fairlead.core.subscription import readable_form
from fairlead.flows.configuration.postcode_tables import StoredPostcodeTables
from fairlead.flows.configuration.subscription_changes import checked_filter
from fairlead.store.configuration.lookups import level_row, newest_attributes
from fairlead.store.configuration.rows import niche_rows
from fairlead.store.connection import Connection, Database
from fairlead.store.lookups import checked_id

MOST_LEADS = 10_000
PROVIDERS_LEADS = 1_000
"""So many of a niche's newest leads a provider's filter is held against: always as many, or one lead more would tell of
that lead."""


@dataclass(frozen=True, slots=True)
class FilterPreview:
    """How many of the last `lead_count` leads the filter fits, and the filter in plain words. Nothing of any lead.

    `is_estimate`, and `matched_count` is None below a step: see `core/filters/counts.py`.
    """

    matched_count: int | None
    lead_count: int
    filter_clause: Clause
    is_estimate: bool = False

    @property
    def filter_summary(self) -> str:
        """The filter in English."""
        return clause_text(self.filter_clause)


def preview_filter(database: Database, niche_id: str, filter_rules: object, *, sample: int = 1000) -> FilterPreview:
    """How the filter would have fared with the leads that were decided last in the niche, sold or not.

    At most `sample` leads (1 to 10,000). Nothing is locked or changed. Raises `BadInput`, for a filter
    `InvalidDocument`, and `Refused`: `niche_unknown`.
    """
    checked = checked_id(niche_id, "niche")
    if not 1 <= sample <= MOST_LEADS:
        raise BadInput([f"sample: must be between 1 and {MOST_LEADS}"])
    with database.snapshot() as conn:
        return _preview(conn, checked, filter_rules, sample, _exactly)


def preview_filter_at_level(database: Database, level_id: str, filter_rules: object) -> FilterPreview:
    """As `preview_filter`, for the niche of a living level, and for a provider that did not buy those leads.

    What is told of a filter that asks for what people typed says nothing of any of them. Raises `Refused`:
    `level_unknown`.
    """
    checked = checked_id(level_id, "level")
    with database.snapshot() as conn:
        level = level_row(conn, checked)
        if level is None or level.is_deleted:
            raise Refused("level_unknown", f"there is no level {checked}")
        return _preview(conn, level.niche_id, filter_rules, PROVIDERS_LEADS, _as_told_to_providers)


def _exactly(compiled: CompiledFilter, leads: Sequence[JsonObject]) -> MatchCount:
    return MatchCount(sum(map(compiled.accepts, leads)))


def _as_told_to_providers(compiled: CompiledFilter, leads: Sequence[JsonObject]) -> MatchCount:
    return match_count(compiled, leads, TypedShares(leads))


def _preview(
    conn: Connection,
    niche_id: str,
    filter_rules: object,
    sample: int,
    count: Callable[[CompiledFilter, Sequence[JsonObject]], MatchCount],
) -> FilterPreview:
    rows = niche_rows(conn, [niche_id])
    if not rows:
        raise Refused("niche_unknown", f"there is no niche {niche_id}")
    form = readable_form(rows[0].form_schema)
    rules = checked_filter(filter_rules, form, StoredPostcodeTables(conn))
    assert form is not None, "no filter fits a form that cannot be read"
    leads = newest_attributes(conn, niche_id, sample)
    counted = count(compile_filter(rules, form), leads)
    return FilterPreview(counted.count, len(leads), filter_clause(rules, form), counted.is_estimate)
