"""Niches: opening and changing them, and for how long their leads can be reported as bad."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, ClassVar

from fastapi import Path, Query, Response
from pydantic import Field, StrictBool

from fairlead.api.access import needs
from fairlead.api.bodies import Router
from fairlead.api.conditional import ExpectedVersion, show_version
from fairlead.api.openapi import refuses
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.schemas.changes import Memo, Name, said, unsaid
from fairlead.api.schemas.currency import InCurrency
from fairlead.api.schemas.documents import FormDocument, document_in
from fairlead.api.schemas.levels import LevelState, level_state
from fairlead.api.schemas.pagination import ByCursor, Page
from fairlead.api.schemas.values import LARGE_BODY_BYTES, Int, RequestModel, ResponseModel, Slug, Uuid
from fairlead.core.entry.types import PhoneRegion
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.flows.configuration.bad_lead_window import BadLeadWindow, change_bad_lead_window, read_bad_lead_window
from fairlead.flows.configuration.niches import NicheChange, change_niche, create_niche
from fairlead.flows.configuration.reading import read_niche
from fairlead.flows.configuration.versions import Changed, niche_version
from fairlead.store.configuration.pages import ListedNiche, niches_page
from fairlead.store.configuration.rows import NichePolicy, NicheRow, ReofferPolicy

router = Router(prefix="/api/v1/admin/niches", tags=["niches"])

Reader = Annotated[Principal, needs(Permission.NICHES_READ)]
Editor = Annotated[Principal, needs(Permission.NICHES_WRITE)]
NicheId = Annotated[Uuid, Path()]
Version = Annotated[
    str,
    Field(
        description="The version, which a change names in `If-Match`.", examples=["9f2c4e6a8b0d1f3a5c7e9b1d3f5a7c9e"]
    ),
]
WindowDays = Annotated[Int, Field(ge=1, le=365, examples=[14])]
MaxRecipientsPerLead = Annotated[Int, Field(ge=1, le=1_000, examples=[3])]
NicheSlug = Annotated[Slug, Field(examples=["hosting"])]
_PHONE_REGION = "The country whose telephone numbers leads give without one; null: those are compared by their digits."


class Reoffer(RequestModel):
    """Unsold leads are offered again: every so many minutes, at most so often, for so many hours after approval."""

    every_minutes: Annotated[Int, Field(ge=1, le=100_000, examples=[60])]
    max_times: Annotated[Int, Field(ge=1, le=1_000, examples=[5])]
    max_hours: Annotated[Int, Field(ge=1, le=100_000, examples=[48])]


class NewNiche(RequestModel):
    """A niche. Without a form its leads have no attributes; without `reoffer` unsold leads stay unsold."""

    most_bytes: ClassVar[int] = LARGE_BODY_BYTES

    slug: NicheSlug
    name: Name
    form_schema: FormDocument | None = None
    is_active: StrictBool = True
    auto_distribute: StrictBool = True
    reoffer: Reoffer | None = None
    phone_region: PhoneRegion | None = Field(default=None, description=_PHONE_REGION)
    max_recipients_per_lead: MaxRecipientsPerLead | None = None
    memo: Memo | None = None


class NichePatch(RequestModel):
    """What is to be different; what is left out stays as it is. `reoffer: null` ends the offering again."""

    name: Name = unsaid()
    is_active: StrictBool = unsaid()
    auto_distribute: StrictBool = unsaid()
    reoffer: Reoffer | None = None
    phone_region: PhoneRegion | None = Field(default=None, description=_PHONE_REGION)
    max_recipients_per_lead: MaxRecipientsPerLead | None = None
    memo: Memo | None = None


class NewBadLeadWindow(RequestModel):
    """For how many days after its assignment a lead can be reported as bad."""

    bad_lead_window_days: WindowDays
    memo: Memo | None = None


class ReofferState(ResponseModel):
    """When unsold leads are offered again."""

    every_minutes: int = Field(examples=[60])
    max_times: int = Field(examples=[5])
    max_hours: int = Field(examples=[48])


class NicheState(ResponseModel):
    """A niche as it is, but for its form and its levels. One that is not active lets its leads wait."""

    niche_id: Uuid
    slug: str = Field(examples=["hosting"])
    name: str = Field(examples=["Hosting"])
    is_active: bool
    auto_distribute: bool = Field(description="Whether an approved lead is distributed without a further request.")
    reoffer: ReofferState | None
    phone_region: str | None = Field(description=_PHONE_REGION, examples=["DE"])
    is_archived: bool = Field(description="Whether it is over: inactive, until it is restored.")
    max_recipients_per_lead: int | None = Field(examples=[3])
    version: Version


class NicheChanged(ResponseModel):
    """The niche after a change."""

    niche: NicheState
    took_effect: bool = Field(description="False where it was so before.")


class NicheDetail(ResponseModel):
    """A niche with its living levels in their order, and the versions that changes of its parts name."""

    niche: NicheState
    levels: Sequence[LevelState]
    order_version: Version
    form_number: int = Field(description="The number of the form's newest version.")
    form_version: Version


class NicheItem(ResponseModel):
    """A niche in the list."""

    niche_id: Uuid
    slug: str = Field(examples=["hosting"])
    name: str = Field(examples=["Hosting"])
    is_active: bool
    is_archived: bool = Field(description="Whether it is over: inactive, until it is restored.")
    auto_distribute: bool
    level_count: int
    created_at: datetime


class BadLeadWindowState(ResponseModel):
    """For how many days after its assignment a lead of the niche can be reported as bad."""

    niche_id: Uuid
    bad_lead_window_days: int = Field(examples=[14])
    version: Version


@router.get("")
def list_niches(
    page: ByCursor,
    _: Reader,
    database: MarketplaceDatabase,
    archived: Annotated[
        bool | None, Query(description="Only those that are archived, or only those that are not.")
    ] = None,
) -> Page[NicheItem]:
    """List the niches, the oldest first."""
    found = database.read(lambda conn: niches_page(conn, page.after_id, page.probe, is_archived=archived))
    items, cursor = page.cut(found, _position)
    return Page[NicheItem](items=[NicheItem.model_validate(each) for each in items], next_cursor=cursor)


@router.post("", status_code=201, responses=refuses("niche_exists"))
def add_niche(asked: NewNiche, response: Response, editor: Editor, database: MarketplaceDatabase) -> NicheChanged:
    """There is the niche, without levels. Asked for again with the same slug and values, nothing is changed."""
    policy = NichePolicy(asked.auto_distribute, _policy(asked.reoffer), asked.phone_region)
    with document_in("form_schema"):
        done = create_niche(
            database,
            asked.slug,
            asked.name,
            editor.actor,
            form_schema=None if asked.form_schema is None else asked.form_schema.as_json(),
            is_active=asked.is_active,
            policy=policy,
            max_recipients_per_lead=asked.max_recipients_per_lead,
            memo=asked.memo,
        )
    return niche_changed(response, done)


@router.get("/{niche_id}", responses=refuses("niche_unknown"))
def show_niche(
    niche_id: NicheId, response: Response, _: Reader, currency: InCurrency, database: MarketplaceDatabase
) -> NicheDetail:
    """Show a niche with its levels. The ETag is the niche's own; its form and the order of its levels have others."""
    seen = read_niche(database, niche_id)
    show_version(response, seen.version)
    return NicheDetail(
        niche=_state(seen.row),
        levels=[level_state(row, currency) for row in seen.levels],
        order_version=seen.order_version,
        form_number=seen.form_number,
        form_version=seen.form_version,
    )


@router.patch("/{niche_id}", responses=refuses("niche_unknown", "niche_archived"))
def edit_niche(
    niche_id: NicheId,
    asked: NichePatch,
    response: Response,
    editor: Editor,
    expected: ExpectedVersion,
    database: MarketplaceDatabase,
) -> NicheChanged:
    """The niche is as the change says. `is_active: false` lets its leads wait until it is active again."""
    wanted = said(asked)
    if "reoffer" in wanted:
        wanted["reoffer"] = _policy(asked.reoffer)
    change = NicheChange(**wanted)
    done = change_niche(database, niche_id, change, editor.actor, memo=asked.memo, expected_version=expected)
    return niche_changed(response, done)


@router.get("/{niche_id}/bad-lead-window", responses=refuses("niche_unknown"))
def show_bad_lead_window(
    niche_id: NicheId, response: Response, _: Reader, database: MarketplaceDatabase
) -> BadLeadWindowState:
    """Show for how many days a lead of the niche can be reported as bad."""
    return _window(response, read_bad_lead_window(database, niche_id))


@router.put("/{niche_id}/bad-lead-window", responses=refuses("niche_unknown"))
def edit_bad_lead_window(
    niche_id: NicheId,
    asked: NewBadLeadWindow,
    response: Response,
    editor: Editor,
    expected: ExpectedVersion,
    database: MarketplaceDatabase,
) -> BadLeadWindowState:
    """Leads of the niche can be reported for so many days after their assignment, also those that were assigned."""
    done = change_bad_lead_window(
        database,
        niche_id,
        asked.bad_lead_window_days,
        editor.actor,
        memo=asked.memo,
        expected_version=expected,
    )
    return _window(response, done)


def _policy(asked: Reoffer | None) -> ReofferPolicy | None:
    return None if asked is None else ReofferPolicy(asked.every_minutes, asked.max_times, asked.max_hours)


def _position(item: ListedNiche) -> tuple[datetime, str]:
    return item.created_at, item.niche_id


def _state(row: NicheRow) -> NicheState:
    reoffer = row.policy.reoffer
    return NicheState(
        niche_id=row.niche_id,
        slug=row.slug,
        name=row.name,
        is_active=row.is_active,
        auto_distribute=row.policy.auto_distribute,
        reoffer=None if reoffer is None else ReofferState.model_validate(reoffer),
        phone_region=row.policy.phone_region,
        is_archived=row.is_archived,
        max_recipients_per_lead=row.max_recipients_per_lead,
        version=niche_version(row),
    )


def niche_changed(response: Response, done: Changed[NicheRow]) -> NicheChanged:
    """The answer to a change of a niche, with its new version."""
    show_version(response, done.version)
    return NicheChanged(niche=_state(done.row), took_effect=done.took_effect)


def _window(response: Response, window: BadLeadWindow) -> BadLeadWindowState:
    show_version(response, window.version)
    return BadLeadWindowState.model_validate(window)
