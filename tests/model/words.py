"""What the model knows, in the words of a marketplace file."""

from collections.abc import Sequence

from fairlead.core.canonical import JsonObject
from tests.model.local_time import Span, Terms
from tests.model.model import Level, Rules

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def email_of(name: str) -> str:
    return f"{name}@providers.test"


def told(rules: Rules) -> list[dict[str, object]]:
    return [{"field_key": "age", "operator": operator, "value": value} for operator, value in rules]


def terms_of(level: Level) -> dict[str, object]:
    return {
        "name": level.name,
        "price_cents": level.price,
        "max_recipients": level.most,
        "order_position": level.position,
    }


def timed(terms: Terms) -> dict[str, object]:
    """Limits and a schedule, also where there are none."""
    return {"limits": dict(terms.limits), "schedule": schedule_of(terms.hours or ())}


def schedule_of(hours: Sequence[Span]) -> JsonObject:
    """The hours as a schedule; without any it is empty, and every hour is open."""
    spans: list[dict[str, object]] = [
        {"days": [DAYS[day] for day in days], "opens": _time(opens), "closes": _time(closes)}
        for days, opens, closes in hours
    ]
    return {"weekly": spans} if spans else {}


def _time(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def subscription_to(level: Level, **words: object) -> dict[str, object]:
    return {"niche": level.niche, "level": level.name, **words}
