"""The rules of reports of bad leads, in bodies and answers."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field, StrictBool

from fairlead.api.schemas.report_reasons import ReportReason
from fairlead.api.schemas.values import Int, RequestModel, ResponseModel
from fairlead.core.entry.types import Line
from fairlead.core.money.report_rules import MOST_A_DAY, MOST_CATEGORIES, MOST_DECISION_DAYS, MOST_SHARE_DAYS

DECISION_DAYS = "In how many days after a report the operators mean to have decided it; null: they set none."
_PERCENT = "How many percent of the leads received may be reported."
_DAYS = "In how many days they were received, up to now."
_LABEL = "What the operators call it; null: it is one of those shipped, in the words of the page."
_DAILY = "How many leads a provider may report a day, by its own clocks; null: any number."
_SHARE = "How many of the leads that it received a provider may report; null: any number."


class GivenCategory(RequestModel):
    """A category. Those with the keys of shipped ones may go without a label."""

    key: ReportReason
    label: Annotated[str, Line(80), Field(examples=["No budget"])] | None = Field(default=None, description=_LABEL)
    is_active: StrictBool = Field(default=True, description="Whether leads can be reported for it.")


class GivenShare(RequestModel):
    """Of the leads received in so many days, at most this part; one always may be reported."""

    percent: Annotated[Int, Field(description=_PERCENT, ge=1, le=100, examples=[20])]
    days: Annotated[Int, Field(description=_DAYS, ge=1, le=MOST_SHARE_DAYS, examples=[30])]


class GivenReportRules(RequestModel):
    """The rules of reports, as a whole."""

    categories: Annotated[Sequence[GivenCategory], Field(min_length=1, max_length=MOST_CATEGORIES)] = Field(
        description="All categories, in the order in which they are offered."
    )
    most_a_day: Annotated[Int, Field(ge=1, le=MOST_A_DAY, examples=[5])] | None = Field(
        default=None, description=_DAILY
    )
    share: GivenShare | None = Field(default=None, description=_SHARE)
    decision_days: Annotated[Int, Field(ge=1, le=MOST_DECISION_DAYS, examples=[3])] | None = Field(
        default=None, description=DECISION_DAYS
    )


class CategoryState(ResponseModel):
    """A category for which leads are reported."""

    key: ReportReason
    label: str | None = Field(description=_LABEL, examples=["No budget"])
    is_active: bool = Field(description="Whether leads can be reported for it.")


class ShareState(ResponseModel):
    """Of the leads received in so many days, at most this part; one always may be reported."""

    percent: int = Field(description=_PERCENT, examples=[20])
    days: int = Field(description=_DAYS, examples=[30])
