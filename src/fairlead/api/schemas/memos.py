"""Why a person does something, in their own words."""

from typing import Annotated, TypeAlias

from pydantic import Field

from fairlead.api.schemas.values import pattern_with_message
from fairlead.core.entry.types import LONGEST_LEDGER_MEMO, LONGEST_MEMO, SHORTEST_MEMO, Line, Lines
from fairlead.flows import memos

_UNSEEN = "characters that cannot be seen"

LINE_PATTERN = pattern_with_message(
    memos.LINE_PATTERN, f"Input should be one line without {_UNSEEN} or spaces around it"
)
WORDS_PATTERN = pattern_with_message(memos.WORDS_PATTERN, f"Input should be text that is not blank, without {_UNSEEN}")

_WHY = Field(examples=["the number is not in use"])

LedgerMemo: TypeAlias = Annotated[str, Line(LONGEST_LEDGER_MEMO, SHORTEST_MEMO), _WHY]
"""Why money was moved by hand. It is kept for good: nothing personal belongs here."""

RefundMemo: TypeAlias = Annotated[str, Line(LONGEST_MEMO, SHORTEST_MEMO), _WHY]
"""Why something was given back, or not. It is kept for good: nothing personal belongs here."""

Words: TypeAlias = Annotated[str, Lines(1_000), Field(examples=["it is a test of our own"])]
"""A free text, on one line or several."""
