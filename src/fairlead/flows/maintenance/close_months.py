"""Closing months that are over."""

from collections.abc import Mapping

from fairlead.flows.maintenance.maintenance import Maintenance
from fairlead.flows.money.close_months import close_months


def close_months_task(maintenance: Maintenance) -> Mapping[str, int]:
    """As `close_months`; returns how many statements were made."""
    return {"statements": close_months(maintenance.database, maintenance.run_time)}
