"""Why a provider reports a lead as bad: what there is to choose from, in bodies, answers and filters."""

from typing import Literal, TypeAlias

ReportReason: TypeAlias = Literal[
    "unreachable", "wrong_contact", "duplicate", "not_interested", "outside_filter", "spam", "other"
]
