"""Niches: how the market is set up, and whose turn it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, cast

from babel.numbers import get_currency_precision
from fastapi import APIRouter, Path, Query, Response

from fairlead.api.access import needs
from fairlead.api.resources import MarketplaceDatabase, ServerSettings
from fairlead.api.routes.admin.niches.niche_templates import template_item
from fairlead.api.schemas.currency import InCurrency
from fairlead.api.schemas.pagination import ByCursor
from fairlead.api.schemas.values import Uuid
from fairlead.console.addresses import address
from fairlead.console.operator.erasure_words import retention_fields
from fairlead.console.operator.niche_policy import (
    LONGEST_WINDOW_DAYS,
    comparable_fields,
    duplicate_rule,
    policy_words,
)
from fairlead.console.page import PageOfRequest, PageRoute
from fairlead.console.refusal_texts import summary_text
from fairlead.core.form import FormSchema
from fairlead.core.permissions import Permission
from fairlead.core.price_rule_words import WordedPrices, worded_prices
from fairlead.core.subscription import readable_form
from fairlead.flows.access.principal import Principal
from fairlead.flows.access.read_limits import REPORTS_OF_CALLER
from fairlead.flows.configuration.bad_lead_window import read_bad_lead_window
from fairlead.flows.configuration.niche_archive import preview_archive
from fairlead.flows.configuration.reading import SeenNiche, read_niche
from fairlead.flows.configuration.refund_policy import read_refund_policy
from fairlead.flows.configuration.templates_of_niches import niche_template, niche_templates
from fairlead.flows.configuration.versions import level_version
from fairlead.flows.erasure.retention import read_retention
from fairlead.flows.explaining.niche_queues import NicheQueues, StandingQueue, read_niche_queues
from fairlead.flows.intake.policy import read_intake_policy
from fairlead.store.configuration.pages import ListedNiche, niches_page
from fairlead.store.configuration.rows import LevelRow
from fairlead.store.connection import Connection, Database
from fairlead.store.watching.overview import NicheDemand, read_demand

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@dataclass(frozen=True, slots=True)
class _NicheLine:
    """A niche in the list, in numbers."""

    niche: ListedNiche
    demand: NicheDemand


@dataclass(frozen=True, slots=True)
class _LevelLine:
    """A level with its queue; None for readers who may not see providers. `shut` is why others are not in it.

    `prices` are all that it can ask, in words.
    """

    row: LevelRow
    version: str
    is_next: bool
    queue: StandingQueue | None
    shut: tuple[tuple[str, int], ...]
    prices: WordedPrices

    @property
    def living_count(self) -> int:
        """How many living subscriptions it has."""
        return (self.queue.queued_count if self.queue else 0) + sum(count for _, count in self.shut)


@router.get("/niches")
def show_niches(
    reader: Annotated[Principal, needs(Permission.NICHES_READ)],
    page: PageOfRequest,
    keyset: ByCursor,
    database: MarketplaceDatabase,
    archived: bool = False,
) -> Response:
    """The niches, the oldest first: those that are archived apart from the others."""

    def work(conn: Connection) -> tuple[list[_NicheLine], str | None, bool]:
        found = niches_page(conn, keyset.after_id, keyset.probe, is_archived=archived)
        items, cursor = keyset.cut(found, lambda each: (each.created_at, each.niche_id))
        demand = read_demand(conn)
        has_archived = archived or bool(niches_page(conn, None, 1, is_archived=True))
        return [_NicheLine(each, demand[each.niche_id]) for each in items], cursor, has_archived

    lines, cursor, has_archived = database.read(work)
    here = {"archived": "true"} if archived else {}
    return page.render(
        "operator/niches.html",
        reader,
        lines=lines,
        next_address=None if cursor is None else address("/niches", cursor=cursor, **here),
        is_archived=archived,
        has_archived=has_archived,
    )


@router.get("/niches/new")
def show_new_niche(
    reader: Annotated[Principal, needs(Permission.NICHES_WRITE)],
    page: PageOfRequest,
    currency: InCurrency,
    template: Annotated[str | None, Query(max_length=63)] = None,
) -> Response:
    """A form for a new niche: empty, or as a template has it."""
    language = page.viewer.language
    offered = [template_item(each, currency) for each in niche_templates(language).values()]
    chosen = None if template is None else template_item(niche_template(template, language), currency)
    return page.render(
        "operator/new-niche.html",
        reader,
        templates=offered,
        chosen=chosen,
        questions=[] if chosen is None else [each["label"] for each in cast("Any", chosen.form_schema)["fields"]],
        currency=currency,
        digits=get_currency_precision(currency),
    )


@router.get("/niches/{niche_id}")
def show_niche(
    niche_id: Annotated[Uuid, Path()],
    reader: Annotated[Principal, needs(Permission.NICHES_READ, REPORTS_OF_CALLER)],
    page: PageOfRequest,
    currency: InCurrency,
    database: MarketplaceDatabase,
    settings: ServerSettings,
) -> Response:
    """Its levels in order with price, pointer and queues, its form, and what it lets in."""
    seen = read_niche(database, niche_id)
    queues = _queues(database, reader, niche_id)
    form = readable_form(seen.row.form_schema)
    intake = read_intake_policy(database, seen.row.slug)
    return page.render(
        "operator/niche.html",
        reader,
        seen=seen,
        niche=seen.row,
        stops=preview_archive(database, niche_id),
        levels=_levels(seen, queues),
        has_queues=queues is not None,
        intake=intake,
        words=policy_words(seen.row, intake.policy, page.viewer),
        compared=comparable_fields(form, duplicate_rule(intake.policy)),
        longest_window_days=LONGEST_WINDOW_DAYS,
        window=read_bad_lead_window(database, niche_id),
        retention=(retention := read_retention(database, niche_id)),
        retention_fields=retention_fields(retention.policy),
        can_retain=Permission.PRIVACY_WRITE in reader.permissions,
        refunds=read_refund_policy(database, niche_id),
        field_count=0 if form is None else len(form.fields),
        site=settings.public_url or str(page.request.base_url).rstrip("/"),
        currency=currency,
        digits=get_currency_precision(currency),
    )


def _queues(database: Database, reader: Principal, niche_id: str) -> NicheQueues | None:
    return read_niche_queues(database, niche_id) if Permission.PROVIDERS_READ in reader.permissions else None


def _levels(seen: SeenNiche, queues: NicheQueues | None) -> list[_LevelLine]:
    by_level: dict[str, StandingQueue] = {} if queues is None else {each.level.level_id: each for each in queues.levels}
    next_id = None if queues is None else queues.next_level_id
    form = readable_form(seen.row.form_schema) or FormSchema()
    return [_level(row, by_level.get(row.level.level_id), next_id, form) for row in seen.levels]


def _level(row: LevelRow, queue: StandingQueue | None, next_id: str | None, form: FormSchema) -> _LevelLine:
    shut: Mapping[str, int] = {} if queue is None else queue.not_queued
    words = tuple((summary_text(reason), count) for reason, count in shut.items())
    prices = worded_prices(row.level.price_cents, row.level.price_rules_text, form)
    return _LevelLine(row, level_version(row), row.level.level_id == next_id, queue, words, prices)
