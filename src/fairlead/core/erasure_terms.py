"""What is erased, at whose wish, and why: the words that rows, requests and pages share."""

from typing import Literal, get_args

ErasureScope = Literal["lead", "answers", "contact"]
"""All that is personal of a lead; or, by retention, its answers or its contact data alone."""

ErasureOrigin = Literal["operator", "consumer", "retention"]

ErasureReason = Literal[
    "consumer_request", "consent_withdrawn", "unlawful", "test_data", "no_longer_needed", "retention"
]
"""Why, as one of these: a person's own words could be personal, and what is recorded of an erasure never is."""

OPERATOR_REASONS: tuple[ErasureReason, ...] = tuple(each for each in get_args(ErasureReason) if each != "retention")
"""Those that an operator may give."""

ERASED_WORDS = "its personal data was erased"
"""What stands where the words of a person stood, and why an unsold lead is closed. A check of `leads` knows it."""

ERASED_NOTICE = "the lead was erased"
"""Why a message about an erased lead is not sent."""

NOT_KEPT = "not kept any more, as its niche has it"
"""What stands for an answer that came when the days of `deliveries_days` were over."""
