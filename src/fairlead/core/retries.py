"""When something that failed is tried again, and when it is given up: arithmetic only, the dice are the caller's."""

from collections.abc import Sequence

DISTRIBUTION_DELAYS_SECONDS = (5, 15, 45, 120, 300)
"""After each failed run of a lead's distribution: a first run and five retries."""

EMAIL_DELAYS_SECONDS = (10, 60, 300, 1_800, 7_200, 21_600, 43_200, 86_400)
"""After each failed attempt to hand an email to the mail server: two days in all."""

WEBHOOK_DELAYS_SECONDS = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""After each failed delivery to a provider's system: three days in all, the schedule that Standard Webhooks advises."""

EXPORT_DELAYS_SECONDS = (5, 30, 120, 600)
"""After each failed run of an export: a first run and four retries."""

CRASHES_ENDURED = 3
"""A lead, notification or export whose worker died so often while it was worked on is given up: it is to blame."""

JITTER = 0.1
"""Delays are stretched or shortened by up to this share, so that what failed together does not come back together."""


def delay_seconds(delays: Sequence[float], failed_runs: int, dice: float) -> float | None:
    """How long to wait after so many failed runs, None when it was the last; `dice` is uniform between 0 and 1.

    >>> delay_seconds(DISTRIBUTION_DELAYS_SECONDS, 1, 0.5)
    5.0
    >>> delay_seconds(DISTRIBUTION_DELAYS_SECONDS, 5, 1.0)
    330.0
    >>> delay_seconds(DISTRIBUTION_DELAYS_SECONDS, 6, 0.5) is None
    True
    """
    if failed_runs > len(delays):
        return None
    return delays[failed_runs - 1] * (1 - JITTER + 2 * JITTER * dice)
