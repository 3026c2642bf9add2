"""The postcode tables that a provider's filters may go by."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from pydantic import Field

from fairlead.api.access import OwnProvider, needs_own
from fairlead.api.bodies import Router
from fairlead.api.schemas.values import ResponseModel
from fairlead.core.permissions import Permission
from fairlead.store.configuration.postcode_tables import newest_postcode_tables

router = Router(prefix="/api/v1/provider/postcode-tables", tags=["provider: subscriptions"])

Reader = Annotated[OwnProvider, needs_own(Permission.OWN_READ)]


class NewestPostcodeTable(ResponseModel):
    """The newest version of a postcode table."""

    name: str = Field(description="What filters call the table.", examples=["de"])
    version: int = Field(description="A filter that is written without a version goes by this one.", examples=[2])
    postcode_count: int = Field(description="So many postcodes it has.", examples=[8200])
    created_at: datetime = Field(description="When it was loaded.")


class NewestPostcodeTables(ResponseModel):
    """All of them, by name."""

    items: Sequence[NewestPostcodeTable]


@router.get("")
def list_newest_postcode_tables(caller: Reader) -> NewestPostcodeTables:
    """List the postcode tables, each in its newest version.

    A filter goes on with the version that it was written with, which stands in it; written again without one it goes
    by the newest.
    """
    found = caller.database.read(newest_postcode_tables)
    return NewestPostcodeTables(items=[NewestPostcodeTable.model_validate(each) for each in found])
