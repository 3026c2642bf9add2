"""What the filter builder says while a filter is being built: the API's previews, in the language of the page."""

from typing import Annotated

from fastapi import APIRouter, Path

from fairlead.api.bodies import Router
from fairlead.api.idempotency import changes_nothing
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.routes.admin.providers.subscriptions import FilterDryRun, Reader
from fairlead.api.routes.provider.levels import Previewer
from fairlead.api.schemas.documents import FilterDocument, document_in
from fairlead.api.schemas.values import ResponseModel, Uuid
from fairlead.console.clause_texts import clause_in_language
from fairlead.console.page import PageOfRequest
from fairlead.console.texts import writing_in
from fairlead.console.viewer import Viewer
from fairlead.flows.configuration.filter_preview import FilterPreview, preview_filter, preview_filter_at_level

parts = Router(include_in_schema=False)


class FilterInWords(ResponseModel):
    """How a filter would have fared, and the filter in the language of the page that asked."""

    matched_count: int | None
    is_estimate: bool
    lead_count: int
    filter_summary: str


@parts.post("/niches/{niche_id}/filter-preview", dependencies=[changes_nothing("it only tries something out")])
def say_filter(
    niche_id: Annotated[Uuid, Path()],
    asked: FilterDryRun,
    _: Reader,
    database: MarketplaceDatabase,
    page: PageOfRequest,
) -> FilterInWords:
    """As the API's preview for operators, and refused as that is."""
    with document_in("filter_rules"):
        tried = preview_filter(database, niche_id, asked.filter_rules.as_json(), sample=asked.sample)
    return _in_words(tried, page.viewer)


@parts.post("/portal/levels/{level_id}/filter-preview", dependencies=[changes_nothing("it only tries something out")])
def say_own_filter(
    level_id: Annotated[Uuid, Path()],
    asked: FilterDocument,
    _: Previewer,
    marketplace: MarketplaceDatabase,
    page: PageOfRequest,
) -> FilterInWords:
    """As the API's preview for providers, and refused and limited as that is."""
    return _in_words(preview_filter_at_level(marketplace, level_id, asked.as_json()), page.viewer)


def _in_words(tried: FilterPreview, viewer: Viewer) -> FilterInWords:
    with writing_in(viewer.language):
        words = clause_in_language(tried.filter_clause)
    return FilterInWords(
        matched_count=tried.matched_count,
        is_estimate=tried.is_estimate,
        lead_count=tried.lead_count,
        filter_summary=words,
    )


router = APIRouter()
router.include_router(parts)
