"""What a filter would have matched, without a word of any lead."""

import pytest

from fairlead.core.errors import BadInput
from fairlead.core.filters.counts import STEP
from fairlead.flows.configuration.filter_preview import (
    FilterPreview,
    preview_filter,
    preview_filter_at_level,
)
from fairlead.flows.configuration.levels import LevelChange, change_level, create_level, delete_level
from fairlead.flows.configuration.versions import InvalidDocument
from fairlead.flows.distributor import Distributor
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.flows.configuration.market import UNKNOWN, changes_nothing, open_market, refusal
from tests.flows.marketplaces import HOSTING, declare
from tests.flows.sales import query

SOUTH = {"version": 1, "rules": [{"field_key": "region", "operator": "eq", "value": "south"}]}


def decide(database: Database, slug: str, regions: str) -> None:
    """A lead for each letter, n for north and s for south, decided in this order."""
    [(niche_id,)] = query(database, "select id::text from niches where slug = %s", slug)
    for number, letter in enumerate(regions):
        lead: dict[str, object] = {"cores": 100 + number, "region": {"n": "north", "s": "south"}[letter]}
        submit_leads(database, slug, [lead], OPERATOR, approve=True)
        Distributor(database).distribute_waiting(niche_id)


def figures(preview: FilterPreview) -> tuple[int | None, int, str]:
    """How many of how many leads, and the filter in words."""
    assert not preview.is_estimate
    return preview.matched_count, preview.lead_count, preview.filter_summary


def test_matches_are_counted_among_the_newest_decided_leads(database: Database) -> None:
    market = open_market(database)
    declare(database, HOSTING.replace('"hosting"', '"storage"'))
    decide(database, "storage", "ss")
    decide(database, "hosting", "ssnsnn")
    submit_leads(database, "hosting", [{"cores": 1, "region": "south"}], OPERATOR, approve=False)

    preview = changes_nothing(database, lambda: preview_filter(database, market.niche, SOUTH))
    assert figures(preview) == (3, 6, "Region is south")
    assert figures(preview_filter(database, market.niche, SOUTH, sample=3)) == (1, 3, "Region is south")
    assert preview_filter_at_level(database, market.gold, SOUTH) == preview
    everything = {"version": 1, "rules": []}
    assert figures(preview_filter(database, market.niche, everything)) == (6, 6, "every lead")


def test_a_lead_that_was_decided_again_counts_once(database: Database) -> None:
    market = open_market(database)
    decide(database, "hosting", "s")
    # No provider can pay any more: the next lead is decided three times without a buyer.
    for level_id in (market.gold, market.silver):
        change_level(database, level_id, LevelChange(price_cents=99_999), OPERATOR)
    [lead_id] = submit_leads(database, "hosting", [{"cores": 8, "region": "south"}], OPERATOR, approve=True)
    for _ in range(2):
        assert len(Distributor(database).distribute_waiting(market.niche, lead_id)) == 1
        with database.transaction() as conn:
            conn.execute("update leads set awaits_decision = true where id = %s", (lead_id,))
    assert len(Distributor(database).distribute_waiting(market.niche, lead_id)) == 1
    assert query(database, "select count(*) from niche_journal where kind = 'decision'") == [(4,)]
    assert figures(preview_filter(database, market.niche, SOUTH)) == (2, 2, "Region is south")


def test_what_people_wrote_cannot_be_guessed_letter_by_letter(database: Database) -> None:
    declare(database, HOSTING.replace("field = [", 'field = [{ key = "wishes", label = "Wishes", type = "text" },'))
    [(niche_id, gold)] = query(database, "select niche_id::text, id::text from competition_levels where name = 'gold'")
    for number in range(STEP + 1):
        wish = "call Cora Canary" if number == 0 else "call soon"
        submit_leads(database, "hosting", [{"cores": 4, "region": "north", "wishes": wish}], OPERATOR, approve=True)
    Distributor(database).distribute_waiting(niche_id)

    def told(text: object, operator: str = "contains") -> int | None:
        rule = {"field_key": "wishes", "operator": operator, "value": text}
        return preview_filter_at_level(database, gold, {"version": 1, "rules": [rule]}).matched_count

    assert (told("call"), told("soon")) == (STEP, STEP)
    assert told("call Cora Canary", "neq") == told("call Cora Xanary", "neq") == STEP, "nor by its opposite"
    assert [told("cora c"), told("cora x"), told("call Cora Canary", "eq")] == [None, None, None]
    assert preview_filter_at_level(database, gold, SOUTH).matched_count == 0, "a choice is not a consumer's own words"
    canary = {"version": 1, "rules": [{"field_key": "wishes", "operator": "contains", "value": "cora c"}]}
    assert preview_filter(database, niche_id, canary).matched_count == 1, "operators see the leads anyway"


def test_a_niche_without_leads_matches_none(database: Database) -> None:
    market = open_market(database)
    assert figures(preview_filter(database, market.niche, SOUTH)) == (0, 0, "Region is south")


def test_what_cannot_be_previewed(database: Database) -> None:
    market = open_market(database)
    with pytest.raises(InvalidDocument):
        preview_filter(database, market.niche, {"version": 1, "rules": [{}]})
    for sample in (0, 10_001):
        with pytest.raises(BadInput, match=r"^sample: "):
            preview_filter(database, market.niche, SOUTH, sample=sample)
    assert refusal(lambda: preview_filter(database, UNKNOWN, SOUTH)) == "niche_unknown"
    assert refusal(lambda: preview_filter_at_level(database, UNKNOWN, SOUTH)) == "level_unknown"
    bronze = create_level(database, market.niche, "bronze", 300, 5, OPERATOR).row.level.level_id
    delete_level(database, bronze, OPERATOR)
    assert refusal(lambda: preview_filter_at_level(database, bronze, SOUTH)) == "level_unknown"
