"""Postcode tables with their places, for filters by distance."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, ClassVar

from pydantic import Field

from fairlead.api.access import needs
from fairlead.api.bodies import Router
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.schemas.changes import Memo
from fairlead.api.schemas.values import LARGE_BODY_BYTES, RequestModel, ResponseModel, Text
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.flows.configuration.postcode_tables import list_postcode_tables, load_postcode_table
from fairlead.store.configuration.postcode_tables import PostcodeTableRow

router = Router(prefix="/api/v1/admin", tags=["niches"])

Reader = Annotated[Principal, needs(Permission.NICHES_READ)]
Editor = Annotated[Principal, needs(Permission.NICHES_WRITE)]


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


class PostcodeTableList(ResponseModel):
    """Every version of every table, by name, the newest first."""

    items: Sequence[PostcodeTableState]


@router.get("/postcode-tables")
def show_postcode_tables(_: Reader, database: MarketplaceDatabase) -> PostcodeTableList:
    """List the postcode tables, every version of each."""
    return PostcodeTableList(items=[_state(each) for each in list_postcode_tables(database)])


@router.post("/postcode-tables", status_code=201)
def add_postcode_table(asked: NewPostcodeTable, editor: Editor, database: MarketplaceDatabase) -> PostcodeTableLoaded:
    """The table has this as its newest version. Filters go on with the version that they were written with."""
    done = load_postcode_table(database, asked.name, asked.content, editor.actor, memo=asked.memo)
    return PostcodeTableLoaded(postcode_table=_state(done.row), took_effect=done.took_effect)


def _state(row: PostcodeTableRow) -> PostcodeTableState:
    return PostcodeTableState.model_validate(row)
