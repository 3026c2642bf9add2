"""For how long providers may report the leads of a niche as bad."""

from dataclasses import dataclass

from fairlead.flows.configuration.niche_settings import NicheSetting, SeenSetting, change_setting, read_setting
from fairlead.flows.input_types import canonical_values
from fairlead.store.audit.log import Actor
from fairlead.store.connection import Database
from fairlead.store.money.bad_leads import set_window_days, window_days

_SETTING: NicheSetting[int] = NicheSetting(
    "bad_lead_window",
    "the window",
    "niche.bad_lead_window_changed",
    read=window_days,
    write=lambda conn, niche_id, days, _now: set_window_days(conn, niche_id, days),
    document=lambda days: {"bad_lead_window_days": days},
)


@dataclass(frozen=True, slots=True)
class BadLeadWindow:
    """A niche's window in days, and its opaque version. `took_effect` is False where it was so before."""

    niche_id: str
    bad_lead_window_days: int
    version: str
    took_effect: bool = False


def read_bad_lead_window(database: Database, niche_id: str) -> BadLeadWindow:
    """The niche's window. Raises `BadInput`, and `Refused`: `niche_unknown`."""
    return _shown(read_setting(database, _SETTING, niche_id))


def change_bad_lead_window(
    database: Database,
    niche_id: str,
    days: int,
    actor: Actor,
    *,
    memo: str | None = None,
    expected_version: str | None = None,
) -> BadLeadWindow:
    """A lead of the niche can be reported as bad for so many days (1 to 365) after its assignment.

    It holds at once, also for leads that were assigned before; reports that were made stay. The journal says nothing
    of it. Locks the niche. Raises `BadInput` and `Refused`: `niche_unknown`, `version_conflict`.
    """
    # Both at once, so that both problems are told.
    words = canonical_values({"bad_lead_window_days": days, "memo": memo})["memo"]
    return _shown(
        change_setting(database, _SETTING, niche_id, days, actor, memo=words, expected_version=expected_version)
    )


def _shown(seen: SeenSetting[int]) -> BadLeadWindow:
    return BadLeadWindow(seen.niche_id, seen.value, seen.version, seen.took_effect)
