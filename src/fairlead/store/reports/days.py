"""The span of days that a report is about: calendar days in somebody's time zone."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import LiteralString
from uuid import UUID
from zoneinfo import available_timezones

from fairlead.core.errors import BadInput
from fairlead.store.ids import ids_from

MOST_DAYS = 366

SINCE: LiteralString = "(%(first_day)s::date::timestamp at time zone %(timezone)s)"
"""When the first day begins, in SQL."""

BEFORE: LiteralString = "((%(last_day)s::date + 1)::timestamp at time zone %(timezone)s)"
"""When the last day is over, in SQL."""


@dataclass(frozen=True, slots=True)
class Days:
    """The days from the first to the last, both included. Made by `checked_days`."""

    first_day: date
    last_day: date
    timezone: str

    def parameters(self, **more: object) -> dict[str, object]:
        """The values for `SINCE`, `BEFORE` and `%(timezone)s`, for the ids of the span, and what else is given."""
        return {
            "first_day": self.first_day,
            "last_day": self.last_day,
            "timezone": self.timezone,
            "first_id": self._id_around(self.first_day, -1),
            "last_id": self._id_around(self.last_day, 2),
            **more,
        }

    @staticmethod
    def _id_around(day: date, days: int) -> UUID:
        # A day aside, which is more than any time zone is from UTC.
        return ids_from(datetime.combine(day, time.min, UTC) + timedelta(days=days))


def checked_days(first_day: date, last_day: date, timezone: str) -> Days:
    """The span of days, at most 366 of them, in an IANA time zone. Raises `BadInput`."""
    problems: list[str] = []
    if timezone not in available_timezones():
        problems.append("timezone: must be a time zone such as Europe/Madrid")
    if not date(2000, 1, 1) <= first_day <= last_day <= date(2999, 12, 31):
        problems.append("to: must be a day from the first one on, in this millennium")
    elif (last_day - first_day).days >= MOST_DAYS:
        problems.append(f"to: a report covers at most {MOST_DAYS} days")
    if problems:
        raise BadInput(problems)
    return Days(first_day, last_day, timezone)
