"""How old a report of a bad lead is beside the days in which the operators mean to decide."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class ReportDue:
    """How long there is to decide a report, or for how long it should have been."""

    span: timedelta
    is_over: bool

    @property
    def is_soon(self) -> bool:
        """Whether it is due within a day."""
        return not self.is_over and self.span <= timedelta(days=1)


def report_due(reported_at: datetime, decision_days: int | None, now: datetime) -> ReportDue | None:
    """When the report is due; None where the operators set themselves no days.

    >>> from datetime import UTC
    >>> made = datetime(2026, 3, 1, tzinfo=UTC)
    >>> report_due(made, 3, datetime(2026, 3, 2, tzinfo=UTC))
    ReportDue(span=datetime.timedelta(days=2), is_over=False)
    >>> report_due(made, 3, datetime(2026, 3, 5, tzinfo=UTC)), report_due(made, None, made)
    (ReportDue(span=datetime.timedelta(days=1), is_over=True), None)
    """
    if decision_days is None:
        return None
    left = reported_at + timedelta(days=decision_days) - now
    return ReportDue(abs(left), left < timedelta(0))
