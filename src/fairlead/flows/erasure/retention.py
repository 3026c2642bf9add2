"""For how long a niche keeps personal data: reading and changing that, and what goes next."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from fairlead.core.errors import BadInput
from fairlead.core.retention import MOST_RETENTION_DAYS, RETENTION_RULES, RetentionPolicy, RetentionRule
from fairlead.flows.configuration.niche_settings import NicheSetting, SeenSetting, change_setting, read_setting
from fairlead.store.audit.log import Actor
from fairlead.store.connection import Connection, Database
from fairlead.store.leads.retention import count_due, policies, policy_of, write_policy
from fairlead.store.leads.rows import clock

DAY = timedelta(days=1)


_SETTING: NicheSetting[RetentionPolicy] = NicheSetting(
    "retention",
    "the retention",
    "niche.retention_changed",
    read=policy_of,
    write=write_policy,
    document=asdict,
)


@dataclass(frozen=True, slots=True)
class NicheRetention:
    """A niche's policy and its opaque version. `took_effect` is False where it was so before."""

    niche_id: str
    policy: RetentionPolicy
    version: str
    took_effect: bool = False


@dataclass(frozen=True, slots=True)
class NextErasures:
    """Of how many leads of a niche something goes by rule at the next daily run, within a day from now."""

    niche_id: str
    niche: str
    policy: RetentionPolicy
    counts: Mapping[RetentionRule, int]
    until: datetime


def read_retention(database: Database, niche_id: str) -> NicheRetention:
    """The niche's policy. Raises `BadInput`, and `Refused`: `niche_unknown`."""
    return _shown(read_setting(database, _SETTING, niche_id))


def change_retention(
    database: Database,
    niche_id: str,
    policy: RetentionPolicy,
    actor: Actor,
    *,
    memo: str | None = None,
    expected_version: str | None = None,
) -> NicheRetention:
    """Personal data of the niche's leads is kept for so many days (1 to 36,500; None: for good).

    What is past them goes at the next daily run; nothing that is gone comes back. The journal says nothing of it: it is
    audited. Locks the niche. Raises `BadInput` and `Refused`: `niche_unknown`, `version_conflict`.
    """
    for name, days in asdict(policy).items():
        if days is not None and not 1 <= days <= MOST_RETENTION_DAYS:
            raise BadInput([f"{name}: should be 1 to {MOST_RETENTION_DAYS} days"])
    return _shown(
        change_setting(database, _SETTING, niche_id, policy, actor, memo=memo, expected_version=expected_version)
    )


def next_erasures(database: Database) -> list[NextErasures]:
    """What goes at the next daily run, of each niche that does not keep everything. Locks nothing."""

    def view(conn: Connection) -> list[NextErasures]:
        until = clock(conn) + DAY
        return [
            NextErasures(
                each.niche_id,
                each.slug,
                each.policy,
                {
                    rule: count_due(conn, each.niche_id, rule, before)
                    for rule in RETENTION_RULES
                    if (before := each.policy.cutoff(rule, until)) is not None
                },
                until,
            )
            for each in policies(conn)
        ]

    return database.read(view)


def _shown(seen: SeenSetting[RetentionPolicy]) -> NicheRetention:
    return NicheRetention(seen.niche_id, seen.value, seen.version, seen.took_effect)
