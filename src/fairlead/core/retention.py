"""For how long personal data of leads is kept, by niche, and when that of one lead goes."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args

RetentionRule = Literal["answers", "contact", "rejected", "unsold"]
RETENTION_RULES: tuple[RetentionRule, ...] = get_args(RetentionRule)

MOST_RETENTION_DAYS = 36_500


@dataclass(frozen=True, slots=True)
class RetentionPolicy:
    """Days after a lead came in; None: it is kept for good.

    Of leads that were sold, or marked bad, the answers and the contact data go, each after its days, and with the
    second of them all that is left; rejected and unsold leads go whole. `deliveries_days`: what messages were answered.
    """

    answers_days: int | None = None
    contact_days: int | None = None
    rejected_days: int | None = None
    unsold_days: int | None = None
    deliveries_days: int | None = None

    def days_of(self, rule: RetentionRule) -> int | None:
        """The days of one of the rules about leads."""
        return asdict(self)[f"{rule}_days"]

    def cutoff(self, rule: RetentionRule, now: datetime) -> datetime | None:
        """The rule is due for leads that came in before this; None where it is off."""
        days = self.days_of(rule)
        return None if days is None else now - timedelta(days=days)


def due_at(policy: RetentionPolicy, status: str, created_at: datetime) -> dict[RetentionRule, datetime]:
    """When what of a lead with this status goes, by the rules that are about it and not off.

    >>> from datetime import UTC
    >>> due_at(RetentionPolicy(contact_days=30, unsold_days=7), "distributed", datetime(2026, 1, 1, tzinfo=UTC))
    {'contact': datetime.datetime(2026, 1, 31, 0, 0, tzinfo=datetime.timezone.utc)}
    """
    rules: tuple[RetentionRule, ...] = (
        ("answers", "contact")
        if status in ("distributed", "bad")
        else ("rejected",)
        if status == "rejected"
        else ("unsold",)
    )
    found: dict[RetentionRule, datetime] = {}
    for rule in rules:
        if (days := policy.days_of(rule)) is not None:
            found[rule] = created_at + timedelta(days=days)
    return found
