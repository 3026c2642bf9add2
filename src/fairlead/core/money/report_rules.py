"""What leads are reported as bad for, and how many of them a provider may report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fairlead.core.canonical import JsonObject

MOST_CATEGORIES = 50
MOST_A_DAY = 10_000
MOST_SHARE_DAYS = 365
MOST_DECISION_DAYS = 365


@dataclass(frozen=True, slots=True)
class ReportCategory:
    """Why a lead is reported. `label` is what the operators call it; None: it is one of those shipped, in its words."""

    key: str
    label: str | None = None
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class ReportShare:
    """Of the leads that a provider received in so many days, at most this part may be reported; one always may."""

    percent: int
    days: int

    def most(self, received: int) -> int:
        """How many of so many leads may be reported.

        >>> [ReportShare(20, 30).most(received) for received in (0, 1, 9, 10, 14, 15)]
        [1, 1, 1, 2, 2, 3]
        """
        return max(1, received * self.percent // 100)


SHIPPED = tuple(
    ReportCategory(key)
    for key in ("unreachable", "wrong_contact", "duplicate", "not_interested", "outside_filter", "spam", "other")
)
"""The categories that there are without a list of the operators' own."""


@dataclass(frozen=True, slots=True)
class ReportRules:
    """The categories in their order, and the limits; None: there is no such limit.

    `decision_days` is in how many days after a report the operators mean to have decided; None: they do not say.
    """

    categories: Sequence[ReportCategory] = SHIPPED
    most_a_day: int | None = None
    share: ReportShare | None = None
    decision_days: int | None = None

    def category(self, key: str) -> ReportCategory | None:
        """The category of this key, active or not."""
        return next((each for each in self.categories if each.key == key), None)

    @property
    def active_keys(self) -> list[str]:
        """The keys of those that a lead can be reported for, in their order."""
        return [each.key for each in self.categories if each.is_active]


def rules_document(rules: ReportRules) -> JsonObject:
    """The rules as they are stored.

    >>> rules = ReportRules(most_a_day=5, share=ReportShare(20, 30), decision_days=3)
    >>> rules_from_document(rules_document(rules)) == rules
    True
    """
    return {
        "categories": [
            {"key": each.key, "label": each.label, "is_active": each.is_active} for each in rules.categories
        ],
        "most_a_day": rules.most_a_day,
        "share": None if rules.share is None else {"percent": rules.share.percent, "days": rules.share.days},
        "decision_days": rules.decision_days,
    }


def rules_from_document(document: Mapping[str, Any] | None) -> ReportRules:
    """The rules that `rules_document` wrote; None: those shipped."""
    if document is None:
        return ReportRules()
    share = document["share"]
    return ReportRules(
        tuple(ReportCategory(each["key"], each["label"], each["is_active"]) for each in document["categories"]),
        document["most_a_day"],
        None if share is None else ReportShare(share["percent"], share["days"]),
        document["decision_days"],
    )
