"""How much of each limit is used: what is shown of it wherever it stands. A decision does not ask here."""

from dataclasses import dataclass
from datetime import datetime

from fairlead.core.calendar.limits import Cap, Counters


@dataclass(frozen=True, slots=True)
class LimitUse:
    """A limit that is set, what is used of its window, and when that window opened and the next one does.

    None stands for no beginning and no end. Lowering a limit takes nothing back: more may be used than it.
    """

    cap: Cap
    limit: int
    used: int
    opened_at: datetime | None
    closes_at: datetime | None

    @property
    def left(self) -> int:
        """What one may still receive of it before the window turns: leads, or cents."""
        return max(0, self.limit - self.used)


def limit_uses(counters: Counters) -> tuple[LimitUse, ...]:
    """The limits of the owner, in the order of its document, with what is used of them.

    >>> from datetime import UTC
    >>> from fairlead.core.calendar.limits import counters_of, windows_at
    >>> today = windows_at('{"leads_per_day":3,"spend_cents_per_day":900}', "UTC", datetime(2026, 7, 1, tzinfo=UTC))
    >>> uses = limit_uses(counters_of("provider", "p", today, ((4, 400),)))
    >>> [(each.cap.name, each.used, each.left) for each in uses]
    [('leads_per_day', 4, 0), ('spend_cents_per_day', 400, 500)]
    """
    found, used_of_each = list[LimitUse](), counters.used
    for number, cap, limit in counters.windows.caps:
        lead_count, spent_cents = used_of_each[number]
        used = spent_cents if cap.is_of_money else lead_count
        found.append(LimitUse(cap, limit, used, *counters.windows.edges[number]))
    return tuple(found)
