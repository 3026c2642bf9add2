"""At what pace a provider spends, for how long its money lasts at it, and when it is told that this is not long."""

from dataclasses import dataclass, replace

PACE_DAYS = 14
"""Two whole weeks: each day of the week counts twice, so that a weekend without leads is no change of pace."""

OVER_AFTER_DAYS = 1
"""An alert is over once the money lasts for this many days more than it needs to: a pace goes up and down a little."""


@dataclass(frozen=True, slots=True)
class SpendingPace:
    """What leads cost over the last days, net of refunds. `days` are `PACE_DAYS`, or fewer of who began later."""

    net_cents: int
    days: int

    @property
    def daily_cents(self) -> int:
        """On an average day.

        >>> SpendingPace(14_000, 14).daily_cents, SpendingPace(-500, 14).daily_cents
        (1000, 0)
        """
        return max(self.net_cents, 0) // self.days

    def days_left(self, available_cents: int) -> int | None:
        """For how many whole days that much lasts; None where nothing is spent.

        >>> pace = SpendingPace(14_000, 14)
        >>> pace.days_left(6_999), pace.days_left(-500), SpendingPace(0, 14).days_left(5_000)
        (6, 0, None)
        """
        return max(available_cents, 0) * self.days // self.net_cents if self.net_cents > 0 else None


@dataclass(frozen=True, slots=True)
class DaysAlert:
    """For fewer than how many days its money lasts when a provider is told (None: never), and whether it was told."""

    threshold_days: int | None
    was_told: bool = False

    def after(self, days_left: int | None) -> "DaysAlert":
        """The same once the money lasts for so many days; None: nothing is spent.

        It is told once of a crossing: again only after the money has lasted for longer than the alert asks for.

        >>> weekly = DaysAlert(threshold_days=7)
        >>> [weekly.after(days).was_told for days in (None, 7, 6, 0)]
        [False, False, True, True]
        >>> told = DaysAlert(threshold_days=7, was_told=True)
        >>> [told.after(days).was_told for days in (None, 8, 7, 6)], DaysAlert(None, was_told=True).after(0).was_told
        ([False, False, True, True], False)
        """
        if self.threshold_days is None or days_left is None:
            is_told = False
        else:
            is_told = days_left < self.threshold_days + (OVER_AFTER_DAYS if self.was_told else 0)
        return self if is_told == self.was_told else replace(self, was_told=is_told)
