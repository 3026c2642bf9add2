"""How a decision records the counters of its recipients: in version 3 as objects, since version 4 as texts.

Since version 4 a recipient has `counters` of its subscription and `provider_counters`, each a text with a part for
each window, parted by `;`: its period, when it opened and closes in seconds since 1970 (empty for all of time), the
leads and the cents that were used of it before the lead, and the limits of both, where there are any:
`day:1767225600:1767312000:3:1500:5:;total:::9:4500::90000`. What an owner without limits has is left out.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from fairlead.core.calendar.limits import CAPS, Counters, Owner, counters_of, limits_text, windows_between
from fairlead.core.calendar.local_time import Period
from fairlead.core.canonical import JsonObject, timestamp_from_text, timestamp_text

_MEMBERS: Mapping[Owner, str] = {"subscription": "counters", "provider": "provider_counters"}
_CAP_NAMES = {(cap.period, cap.is_of_money): cap.name for cap in CAPS}
_text_of = lru_cache(maxsize=4096)(timestamp_text)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def counters_record(counters: Sequence[Counters]) -> JsonObject:
    """The members that say what a recipient had used, of version 4."""
    return {_MEMBERS[own.owner]: own.recorded for own in counters}


def counters_of_version_3(counters: Sequence[Counters]) -> list[JsonObject]:
    """A recipient's `counters`, as decisions of version 3 have them."""
    return [
        {
            "owner": each.owner,
            "period": each.period.value,
            "opened_at": None if each.opened_at is None else _text_of(each.opened_at),
            "closes_at": None if each.closes_at is None else _text_of(each.closes_at),
            "lead_count": each.lead_count,
            "spent_cents": each.spent_cents,
            "most_leads": each.most_leads,
            "most_cents": each.most_cents,
        }
        for own in counters
        for each in own.each
    ]


def recorded_counters(recipient: Mapping[str, Any]) -> tuple[Counters, ...]:
    """The counters that a decision recorded of this recipient, its subscription's first. Reads both versions.

    Raises ValueError for what is neither.
    """
    found: list[Counters] = []
    for owner, name in _MEMBERS.items():
        rows = [*_rows(recipient, owner, name)]
        if rows:
            found.append(_counters(owner, recipient[f"{owner}_id"], rows))
    return tuple(found)


_Row = tuple[str, datetime | None, datetime | None, int, int, int | None, int | None]


def _rows(recipient: Mapping[str, Any], owner: Owner, name: str) -> Iterable[_Row]:
    record = recipient.get(name, ())
    if isinstance(record, str):
        for part in record.split(";"):
            period, opened_at, closes_at, *numbers = part.split(":")
            leads, cents, *most = [None if each == "" else int(each) for each in numbers]
            yield period, _since_epoch(opened_at), _since_epoch(closes_at), leads or 0, cents or 0, most[0], most[1]
        return
    told: Sequence[Mapping[str, Any]] = recipient.get("counters", ())
    for each in () if isinstance(told, str) else told:
        if each["owner"] == owner:
            edges = _moment(each["opened_at"]), _moment(each["closes_at"])
            yield (
                each["period"], *edges, each["lead_count"], each["spent_cents"], each["most_leads"], each["most_cents"]
            )  # fmt: skip


def _counters(owner: Owner, owner_id: str, rows: Sequence[_Row]) -> Counters:
    document: dict[str, int] = {}
    for period, _, _, _, _, *most in rows:
        for is_of_money, limit in enumerate(most):
            if limit is not None:
                document[_CAP_NAMES[Period(period), bool(is_of_money)]] = limit
    edges = tuple((opened_at, closes_at) for _, opened_at, closes_at, *_ in rows)
    windows = windows_between(limits_text(document) or "", edges)
    if [each.value for each in windows.periods] != [row[0] for row in rows]:
        raise ValueError("counters are in no order that they are written in")
    return counters_of(owner, owner_id, windows, [(row[3], row[4]) for row in rows])


def _moment(text: str | None) -> datetime | None:
    return None if text is None else timestamp_from_text(text)


def _since_epoch(seconds: str) -> datetime | None:
    return None if seconds == "" else _EPOCH + timedelta(seconds=int(seconds))
