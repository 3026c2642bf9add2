"""Postcode tables with their places, for filters by distance."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, ClassVar

from fastapi import Path
from pydantic import Field

from fairlead.api.access import needs
from fairlead.api.bodies import Router
from fairlead.api.openapi import refuses
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.schemas.changes import Memo
from fairlead.api.schemas.values import (
    LARGE_BODY_BYTES,
    RequestModel,
    ResponseModel,
    Text,
    Uuid,
    pattern_with_message,
)
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.flows.configuration.filter_renewals import renew_filters
from fairlead.flows.configuration.postcode_tables import load_postcode_table
from fairlead.store.configuration.postcode_table_uses import counted_postcode_tables
from fairlead.store.configuration.postcode_tables import PostcodeTableRow

router = Router(prefix="/api/v1/admin", tags=["niches"])

Reader = Annotated[Principal, needs(Permission.NICHES_READ)]
Editor = Annotated[Principal, needs(Permission.NICHES_WRITE)]
Renewer = Annotated[Principal, needs(Permission.PROVIDERS_WRITE)]
TableName = Annotated[
    str,
    Path(
        pattern=pattern_with_message(
            "^[a-z0-9][a-z0-9-]{0,49}$", "Input should be 1 to 50 small letters, digits and, behind the first, hyphens"
        ),
        description="What filters call the table.",
        examples=["de"],
    ),
]


class NewPostcodeTable(RequestModel):
    """The next version of a postcode table."""

    most_bytes: ClassVar[int] = LARGE_BODY_BYTES

    name: Annotated[
        Text,
        Field(
            min_length=1,
            max_length=50,
            description="What filters call it: small letters, digits and hyphens.",
            examples=["de"],
        ),
    ]
    content: Annotated[
        Text,
        Field(
            min_length=1,
            max_length=LARGE_BODY_BYTES,
            description="Lines of a postcode, its latitude and its longitude in degrees, with commas, semicolons or "
            "tabs between; the first may be a heading. Larger tables are loaded on the command line.",
            examples=["10115,52.5337,13.3872"],
        ),
    ]
    memo: Memo | None = None


class PostcodeTableState(ResponseModel):
    """A version of a postcode table. It never changes."""

    name: str = Field(description="What filters call the table.", examples=["de"])
    version: int = Field(description="Its number, from 1 on.", examples=[1])
    postcode_count: int = Field(description="So many postcodes it has.", examples=[8200])
    content_sha256: str = Field(
        description="The hexadecimal SHA-256 of its lines, in order.", examples=["9f2c4e6a8b0d1f3a5c7e9b1d3f5a7c9e"]
    )
    created_at: datetime = Field(description="When it was loaded.")


class PostcodeTableLoaded(ResponseModel):
    """The newest version of a table after loading."""

    postcode_table: PostcodeTableState = Field(description="The newest version.")
    took_effect: bool = Field(description="False where the newest version had the same lines already.")


class PostcodeTableItem(PostcodeTableState):
    """A version of a postcode table, and how many filters go by it."""

    is_newest: bool = Field(description="Whether no later version of the table is there.")
    subscription_count: int = Field(
        description="So many subscriptions have a filter with a distance by this version.", examples=[12]
    )


class PostcodeTableList(ResponseModel):
    """Every version of every table, by name, the newest first."""

    items: Sequence[PostcodeTableItem]


class FilterRenewal(RequestModel):
    """Why filters are renewed."""

    memo: Memo | None = None


class KeptFilter(ResponseModel):
    """A subscription whose filter stays as it is."""

    subscription_id: Uuid
    provider_id: Uuid
    provider_name: str = Field(examples=["Anchor Hosting"])
    niche_id: Uuid
    level_id: Uuid
    detail: str = Field(
        description="The place in the filter, and why it cannot go by the newest version.",
        examples=["rules[0].value.postcode: the table 'de' has no postcode 10115"],
    )


class RenewedFilters(ResponseModel):
    """What became of the filters that went by an older version of a postcode table."""

    name: str = Field(description="What filters call the table.", examples=["de"])
    version: int = Field(description="The newest version, which the renewed filters go by.", examples=[2])
    renewed_count: int = Field(description="So many filters were renewed.", examples=[12])
    not_renewed: Sequence[KeptFilter] = Field(description="Filters that go on as they were.")


@router.get("/postcode-tables")
def show_postcode_tables(_: Reader, database: MarketplaceDatabase) -> PostcodeTableList:
    """List the postcode tables, every version of each, and how many filters go by it."""
    found = database.read(counted_postcode_tables)
    return PostcodeTableList(items=[PostcodeTableItem.model_validate(each) for each in found])


@router.post("/postcode-tables", status_code=201)
def add_postcode_table(asked: NewPostcodeTable, editor: Editor, database: MarketplaceDatabase) -> PostcodeTableLoaded:
    """The table has this as its newest version. Filters go on with the version that they were written with."""
    done = load_postcode_table(database, asked.name, asked.content, editor.actor, memo=asked.memo)
    return PostcodeTableLoaded(postcode_table=_state(done.row), took_effect=done.took_effect)


@router.post("/postcode-tables/{name}/renew-filters", responses=refuses("postcode_table_unknown"))
def renew_filters_of_table(
    name: TableName, asked: FilterRenewal, renewer: Renewer, database: MarketplaceDatabase
) -> RenewedFilters:
    """Every filter with a distance by an older version of the table goes by its newest one.

    Each change is an entry of its niche's journal and counts from the next decision on. A filter that has no place in
    the newest version stays as it is, and is named. Done again it changes nothing.
    """
    return RenewedFilters.model_validate(renew_filters(database, name, renewer.actor, memo=asked.memo))


def _state(row: PostcodeTableRow) -> PostcodeTableState:
    return PostcodeTableState.model_validate(row)
