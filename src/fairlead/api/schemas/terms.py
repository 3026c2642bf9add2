"""Limits and schedules as requests set them and answers show them: what is used, what is left, what opens when."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import ConfigDict, Discriminator, Field, JsonValue, Tag

from fairlead.api.schemas.changes import Memo
from fairlead.api.schemas.documents import as_stored
from fairlead.api.schemas.values import Int, RequestModel, ResponseModel, pattern_with_message
from fairlead.core.calendar.limit_use import LimitUse
from fairlead.core.calendar.limits import MAX_LEADS, MAX_SPEND_CENTS
from fairlead.core.calendar.local_time import zone_named
from fairlead.core.calendar.schedule import MOST_DATES_OFF, MOST_SPANS
from fairlead.flows.configuration.terms_in_force import LimitsInForce, SeenTerms, TermsInForce
from fairlead.store.configuration.set_by import SetBy

Leads: TypeAlias = Annotated[Int, Field(ge=1, le=MAX_LEADS)]
SpendCents: TypeAlias = Annotated[Int, Field(ge=1, le=MAX_SPEND_CENTS)]
Day: TypeAlias = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
OpeningTime: TypeAlias = Annotated[
    str,
    Field(
        pattern=pattern_with_message(r"^([01][0-9]|2[0-3]):[0-5][0-9]$", "Input should be a time such as 09:00"),
        examples=["09:00"],
    ),
]
ClosingTime: TypeAlias = Annotated[
    str,
    Field(
        pattern=pattern_with_message(
            r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$", "Input should be a time such as 17:00, or 24:00"
        ),
        examples=["17:00"],
    ),
]
Date: TypeAlias = Annotated[
    str,
    Field(
        pattern=pattern_with_message(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "Input should be a date such as 2026-12-24"),
        examples=["2026-12-24"],
    ),
]
Instant: TypeAlias = Annotated[
    str,
    Field(
        max_length=40,
        pattern=pattern_with_message(
            r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})$",
            "Input should be a moment with its offset, such as 2026-12-27T08:00:00Z",
        ),
        examples=["2026-12-27T08:00:00+01:00"],
    ),
]
CountryCode: TypeAlias = Annotated[
    str,
    Field(
        pattern=pattern_with_message(r"^[A-Z]{2}$", "Input should be a code of two capital letters, such as DE"),
        examples=["DE"],
    ),
]
RegionCode: TypeAlias = Annotated[
    str,
    Field(
        pattern=pattern_with_message(r"^[A-Za-z0-9-]{1,20}$", "Input should be the code of a region, such as BY"),
        examples=["BY"],
    ),
]
_LIMITS: dict[str, JsonValue] = {"leads_per_day": 5, "spend_cents_per_month": 50_000}
_SCHEDULE: dict[str, JsonValue] = {
    "weekly": [{"days": ["mon", "tue", "wed", "thu", "fri"], "opens": "09:00", "closes": "17:30"}],
    "dates_off": ["2026-12-24"],
    "holidays": {"country": "DE", "region": "BY"},
}
StoredLimits: TypeAlias = Annotated[dict[str, JsonValue], Field(examples=[_LIMITS])]
"""Limits as they are kept."""
StoredSchedule: TypeAlias = Annotated[dict[str, JsonValue], Field(examples=[_SCHEDULE])]
"""A schedule as it is kept."""


class LimitsDocument(RequestModel):
    """A member for each limit that is to be set; what is left out, or null, has no limit."""

    model_config = ConfigDict(json_schema_extra={"examples": [_LIMITS]})

    leads_per_hour: Leads | None = Field(
        default=None, description="At most so many leads in an hour by the provider's clocks."
    )
    leads_per_day: Leads | None = Field(default=None, description="At most so many in a day.")
    leads_per_week: Leads | None = Field(default=None, description="At most so many in a week, which begins on Monday.")
    leads_per_month: Leads | None = Field(default=None, description="At most so many in a month.")
    leads_total: Leads | None = Field(default=None, description="At most so many at all.")
    spend_cents_per_day: SpendCents | None = Field(
        default=None, description="At most so much spent in a day, in minor units."
    )
    spend_cents_per_week: SpendCents | None = Field(
        default=None, description="At most so much spent in a week, in minor units."
    )
    spend_cents_per_month: SpendCents | None = Field(
        default=None, description="At most so much spent in a month, in minor units."
    )

    def as_json(self) -> dict[str, Any]:
        """The limits that are set."""
        return self.model_dump(mode="json", exclude_none=True)


class NewLimits(RequestModel):
    """The limits as they are to be. An empty object: none."""

    limits: LimitsDocument = Field(description="Every limit that is to be set.")
    memo: Memo | None = None


class WeeklySpan(RequestModel):
    """Hours of some days. Where it closes at or before it opens, it ends on the next day."""

    days: Annotated[
        list[Day], Field(min_length=1, max_length=7, description="The days of the week on which the span begins.")
    ]
    opens: OpeningTime = Field(description="From when on, by the provider's clocks.")
    closes: ClosingTime = Field(description="Until when; `24:00` is the end of the day.")


class DatesOff(RequestModel):
    """Dates off, the first and the last included."""

    from_: Date = Field(alias="from", description="The first date off.")
    to: Date = Field(description="The last date off.")


def _kind_of_dates_off(value: object) -> str:
    return "dates" if isinstance(value, dict | DatesOff) else "date"


OneDateOff: TypeAlias = Annotated[Date, Tag("date")]
SeveralDatesOff: TypeAlias = Annotated[DatesOff, Tag("dates")]


class HolidayPlace(RequestModel):
    """Whose public holidays are off: of a country, or of a region of it."""

    country: CountryCode = Field(description="The country (ISO 3166).")
    region: RegionCode | None = Field(
        default=None, description="A part of the country, by the code that the library `holidays` has for it."
    )


class ScheduleDocument(RequestModel):
    """When leads are taken, by the clocks of the provider's time zone. What is left out closes nothing."""

    model_config = ConfigDict(json_schema_extra={"examples": [_SCHEDULE]})

    weekly: Annotated[list[WeeklySpan], Field(min_length=1, max_length=MOST_SPANS)] | None = Field(
        default=None, description="Open only in these spans."
    )
    dates_off: (
        Annotated[
            # Told apart beforehand, so that one mistake is told once.
            list[Annotated[OneDateOff | SeveralDatesOff, Discriminator(_kind_of_dates_off)]],
            Field(max_length=MOST_DATES_OFF),
        ]
        | None
    ) = Field(default=None, description="Dates on which no span begins.")
    holidays: HolidayPlace | None = Field(default=None, description="Closed on the public holidays of this place.")
    paused_until: Instant | None = Field(default=None, description="Closed up to this moment.")

    def as_json(self) -> dict[str, Any]:
        """The schedule as it is kept."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class NewSchedule(RequestModel):
    """The schedule as it is to be. Null: none of its own, so that a subscription goes by its provider's."""

    most_bytes: ClassVar[int] = 131_072

    schedule: ScheduleDocument | None = Field(description="The schedule; null for none.")
    memo: Memo | None = None


class SetByActor(ResponseModel):
    """Who set what stands."""

    actor: str = Field(
        description="A user or key; for a provider `operator` where it was none of its own.", examples=["operator"]
    )
    actor_role: Literal["admin", "provider", "system"]
    memo: str | None = Field(description="Why, in its words; null where nothing was said, or another said it.")
    set_at: datetime = Field(description="When it was set.")


class UseOfLimit(ResponseModel):
    """A limit, what is used of its window and what is left, and when the next window begins."""

    owner: Literal["subscription", "provider"] = Field(
        description="Whose limit it is. A provider's counts what all of its subscriptions receive, in every niche."
    )
    name: str = Field(description="Which limit.", examples=["leads_per_day"])
    unit: Literal["leads", "cents"] = Field(description="What it counts: leads, or money in minor units.")
    period: Literal["hour", "day", "week", "month", "total"] = Field(description="How long its window is.")
    limit: int = Field(description="At most so much in a window.", examples=[5])
    used: int = Field(description="So much of it is used. More than the limit where that was lowered since.")
    left: int = Field(description="So much is left until the window ends; never below zero.", examples=[2])
    opened_at: datetime | None = Field(description="When the window began; null for `total`.")
    closes_at: datetime | None = Field(description="When the next window begins; null for `total`.")
    closes_at_local: str | None = Field(
        description="The same by the clocks of the provider's time zone, or null.",
        examples=["2026-03-04T00:00:00+05:30"],
    )


class Limits(ResponseModel):
    """The limits that are set, and the use of all that hold: for a subscription its provider's, too."""

    limits: StoredLimits = Field(description="Its own limits, as `PUT` sets them.")
    uses: Sequence[UseOfLimit] | None = Field(
        description="Null: limits or time zone cannot be read, and no lead is received."
    )
    timezone: str = Field(
        description="The provider's time zone (IANA), whose clocks count.", examples=["Europe/Berlin"]
    )
    seen_at: datetime = Field(description="The moment at which this was so.")
    set_by: SetByActor | None = Field(description="Who set its own; null where they came with a marketplace file.")


class ScheduleNow(ResponseModel):
    """A schedule, the one that counts, and when that opens or closes next."""

    schedule: StoredSchedule | None = Field(description="Its own schedule, as `PUT` sets it; null: none.")
    in_force: StoredSchedule | None = Field(description="The schedule that counts; null: every moment is open.")
    owner: Literal["subscription", "provider"] | None = Field(
        description="Whose schedule counts; null where none does."
    )
    is_open: bool = Field(description="Whether it takes leads at this moment.")
    opens_at: datetime | None = Field(
        description="When it opens next; null while it is open, and where that is more than a year ahead."
    )
    opens_at_local: str | None = Field(
        description="The same by the clocks of the provider's time zone, or null.",
        examples=["2026-03-04T09:00:00+05:30"],
    )
    closes_at: datetime | None = Field(
        description="When it closes next; null while it is closed, and where that is more than a year ahead."
    )
    timezone: str = Field(
        description="The provider's time zone (IANA), whose clocks count.", examples=["Europe/Berlin"]
    )
    seen_at: datetime = Field(description="The moment at which this was so.")
    set_by: SetByActor | None = Field(description="Who set its own; null where it came with a marketplace file.")


def limits_now(seen: SeenTerms) -> Limits:
    """The limits as an answer shows them."""
    terms = seen.terms
    uses = None
    if all(each.uses is not None for each in terms.limits):
        uses = [_use(each, use, terms) for each in terms.limits for use in each.uses or ()]
    return Limits(
        limits=as_stored(terms.own.document),
        uses=uses,
        timezone=terms.timezone,
        seen_at=terms.seen_at,
        set_by=_set_by(seen.limits_set_by),
    )


def schedule_now(seen: SeenTerms) -> ScheduleNow:
    """The schedule as an answer shows it."""
    terms, schedule = seen.terms, seen.terms.schedule
    return ScheduleNow(
        schedule=None if terms.own_schedule is None else as_stored(terms.own_schedule),
        in_force=None if schedule.document is None else as_stored(schedule.document),
        owner=schedule.owner,
        is_open=schedule.is_open,
        opens_at=schedule.opens_at,
        opens_at_local=_local(schedule.opens_at, terms.timezone),
        closes_at=schedule.closes_at,
        timezone=terms.timezone,
        seen_at=terms.seen_at,
        set_by=_set_by(seen.schedule_set_by),
    )


def _use(limits: LimitsInForce, use: LimitUse, terms: TermsInForce) -> UseOfLimit:
    return UseOfLimit(
        owner=limits.owner,
        name=use.cap.name,
        unit="cents" if use.cap.is_of_money else "leads",
        period=use.cap.period.value,
        limit=use.limit,
        used=use.used,
        left=use.left,
        opened_at=use.opened_at,
        closes_at=use.closes_at,
        closes_at_local=_local(use.closes_at, terms.timezone),
    )


def _local(moment: datetime | None, timezone: str) -> str | None:
    return None if moment is None else moment.astimezone(zone_named(timezone)).isoformat(timespec="seconds")


def _set_by(set_by: SetBy | None) -> SetByActor | None:
    return None if set_by is None else SetByActor.model_validate(set_by)
