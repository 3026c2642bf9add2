"""Why a person does something, in their own words."""

from typing import Annotated, TypeAlias

from pydantic import Field

from fairlead.api.shapes.values import in_words
from fairlead.flows import memos
from fairlead.flows.memos import LONGEST_MEMO, SHORTEST_MEMO

_UNSEEN = "characters that cannot be seen"

LINE_PATTERN = in_words(memos.LINE_PATTERN, f"Input should be one line without {_UNSEEN} or spaces around it")
MEMO_PATTERN = in_words(
    memos.MEMO_PATTERN,
    f"Input should be one line of {SHORTEST_MEMO} characters or more, without {_UNSEEN} or spaces around it",
)
WORDS_PATTERN = in_words(memos.WORDS_PATTERN, f"Input should be text that is not blank, without {_UNSEEN}")

_AnyMemo: TypeAlias = Annotated[
    str,
    Field(pattern=MEMO_PATTERN, min_length=SHORTEST_MEMO, examples=["the number is not in use"]),
]

LedgerMemo: TypeAlias = Annotated[_AnyMemo, Field(max_length=500)]
"""Why money was moved by hand. It is kept for good: nothing personal belongs here."""

RefundMemo: TypeAlias = Annotated[_AnyMemo, Field(max_length=LONGEST_MEMO)]
"""Why something was given back, or not. It is kept for good: nothing personal belongs here."""

Words: TypeAlias = Annotated[
    str,
    Field(pattern=WORDS_PATTERN, min_length=1, max_length=1000, examples=["it is a test of our own"]),
]
"""What somebody has to say, on one line or several."""
