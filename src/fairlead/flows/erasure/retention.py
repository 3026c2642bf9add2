"""For how long a niche keeps personal data: reading and changing that, and what goes next."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from fairlead.core.errors import BadInput, Refused
from fairlead.core.retention import MOST_RETENTION_DAYS, RETENTION_RULES, RetentionPolicy, RetentionRule
from fairlead.flows.configuration.niches import locked_niche
from fairlead.flows.configuration.versions import require_version, setting_version
from fairlead.flows.input_types import canonical_values
from fairlead.flows.niche_locks import with_niche_locks
from fairlead.store.audit.log import Actor, AuditEvent, append_audit
from fairlead.store.configuration.rows import niche_rows
from fairlead.store.connection import Connection, Database
from fairlead.store.leads.retention import count_due, policies, policy_of, write_policy
from fairlead.store.leads.rows import clock
from fairlead.store.lookups import checked_id

DAY = timedelta(days=1)


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
    checked = checked_id(niche_id, "niche")

    def view(conn: Connection) -> NicheRetention:
        if not niche_rows(conn, [checked]):
            raise Refused("niche_unknown", f"there is no niche {checked}")
        return _shown(checked, policy_of(conn, checked))

    return database.read(view)


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
    checked = checked_id(niche_id, "niche")
    for name, days in asdict(policy).items():
        if days is not None and not 1 <= days <= MOST_RETENTION_DAYS:
            raise BadInput([f"{name}: should be 1 to {MOST_RETENTION_DAYS} days"])
    words = canonical_values({"memo": memo})["memo"]

    def work(conn: Connection, _: Sequence[str]) -> NicheRetention:
        _locked, niche = locked_niche(conn, checked)
        before = policy_of(conn, checked)
        if before == policy:
            return _shown(checked, before)
        require_version(expected_version, _shown(checked, before).version, f"the retention of the niche {niche.slug!r}")
        now = clock(conn)
        write_policy(conn, checked, policy, now)
        event = AuditEvent(actor, "niche.retention_changed", "niche", checked, asdict(before), asdict(policy), words)
        append_audit(conn, [event], now)
        return _shown(checked, policy, took_effect=True)

    return with_niche_locks(database, work)


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


def _shown(niche_id: str, policy: RetentionPolicy, *, took_effect: bool = False) -> NicheRetention:
    return NicheRetention(niche_id, policy, setting_version("retention", niche_id, asdict(policy)), took_effect)
