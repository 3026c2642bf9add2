"""Amounts and times read the same for all recipients."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.core.money.currency import money
from fairlead.delivery.template_filters import indented, local_time


@pytest.mark.parametrize(
    ("cents", "currency", "written"),
    [
        (0, "EUR", "0.00 EUR"),
        (5, "EUR", "0.05 EUR"),
        (-5, "USD", "-0.05 USD"),
        (123_450, "EUR", "1,234.50 EUR"),
        (100_000_000_001, "GBP", "1,000,000,000.01 GBP"),
        (1_234, "JPY", "1,234 JPY"),
        (-1_234, "KRW", "-1,234 KRW"),
        (1_234, "KWD", "1.234 KWD"),
        (7, "BHD", "0.007 BHD"),
        (12_345, "CLF", "1.2345 CLF"),
    ],
)
def test_money(cents: int, currency: str, written: str) -> None:
    assert money(cents, currency) == written


@given(st.integers(-(2**63), 2**63), st.sampled_from(["EUR", "JPY", "TND", "UYW"]))
def test_no_cent_is_lost_however_large_the_amount(cents: int, currency: str) -> None:
    number, _ = money(cents, currency).split()
    assert int(number.replace(",", "").replace(".", "")) == cents


@pytest.mark.parametrize(
    ("moment", "zone", "written"),
    [
        (datetime(2026, 3, 1, 13, 5, 59, tzinfo=UTC), "Europe/Berlin", "2026-03-01 14:05 (Europe/Berlin)"),
        (datetime(2026, 7, 1, 13, 5, tzinfo=UTC), "Europe/Berlin", "2026-07-01 15:05 (Europe/Berlin)"),
        (datetime(2026, 1, 1, 0, 0, tzinfo=UTC), "America/New_York", "2025-12-31 19:00 (America/New_York)"),
        (datetime(2026, 1, 1, 2, 0, tzinfo=timezone(timedelta(hours=2))), "UTC", "2026-01-01 00:00 (UTC)"),
        (datetime(2026, 1, 1, 0, 0, tzinfo=UTC), "Nowhere/Else", "2026-01-01 00:00 (UTC)"),
        (datetime(2026, 1, 1, 0, 0, tzinfo=UTC), "../../etc/passwd", "2026-01-01 00:00 (UTC)"),
        (datetime(2026, 1, 1, 0, 0, tzinfo=UTC), "Europe", "2026-01-01 00:00 (UTC)"),
        (datetime(2026, 1, 1, 0, 0, tzinfo=UTC), "", "2026-01-01 00:00 (UTC)"),
    ],
)
def test_local_time(moment: datetime, zone: str, written: str) -> None:
    assert local_time(moment, zone) == written


def test_a_time_without_a_zone_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="needs its time zone"):
        local_time(datetime(2026, 1, 1), "UTC")  # noqa: DTZ001


@given(st.text(max_size=100))
def test_no_further_line_starts_at_the_margin(text: str) -> None:
    assert all(line.startswith("    ") for line in indented(text).split("\n")[1:])
