"""The one currency of all amounts."""

from typing import Annotated, TypeAlias

from fastapi import Depends
from pydantic import Field

from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.schemas.values import pattern_with_message
from fairlead.store.lookups import marketplace_currency

Currency: TypeAlias = Annotated[
    str,
    Field(
        pattern=pattern_with_message("^[A-Z]{3}$", "Input should be the code of a currency, such as EUR"),
        examples=["EUR"],
    ),
]
"""An ISO 4217 code."""


def _currency(database: MarketplaceDatabase) -> str:
    return database.read(marketplace_currency)


InCurrency = Annotated[str, Depends(_currency, scope="function")]
"""For a route whose answer has amounts: what they are in. Name it after the permission, which is checked first."""
