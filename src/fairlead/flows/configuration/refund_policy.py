"""What refunds in a niche give back besides the money."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from fairlead.core.errors import Refused
from fairlead.core.returns import RefundPolicy
from fairlead.flows.configuration.niches import locked_niche
from fairlead.flows.configuration.versions import require_version, setting_version
from fairlead.flows.input_types import canonical_values
from fairlead.flows.niche_locks import with_niche_locks
from fairlead.store.audit.log import Actor, AuditEvent, append_audit
from fairlead.store.configuration.rows import niche_rows
from fairlead.store.connection import Connection, Database
from fairlead.store.leads.rows import clock
from fairlead.store.lookups import checked_id
from fairlead.store.money.returns import refund_policies, set_refund_policy


@dataclass(frozen=True, slots=True)
class NicheRefundPolicy:
    """A niche's policy, and its opaque version. `took_effect` is False where it was so before."""

    niche_id: str
    policy: RefundPolicy
    version: str
    took_effect: bool = False


def read_refund_policy(database: Database, niche_id: str) -> NicheRefundPolicy:
    """The niche's policy. Raises `Refused`: `niche_unknown`."""
    checked = checked_id(niche_id, "niche")
    with database.snapshot() as conn:
        if not niche_rows(conn, [checked]):
            raise Refused("niche_unknown", f"there is no niche {checked}")
        return _seen(checked, refund_policies(conn, [checked])[checked])


def change_refund_policy(
    database: Database,
    niche_id: str,
    policy: RefundPolicy,
    actor: Actor,
    *,
    memo: str | None = None,
    expected_version: str | None = None,
) -> NicheRefundPolicy:
    """Refunds from now on give back what the policy says, also of leads that were sold before.

    What was refunded stays as it is. The journal says nothing of the policy: each refund says what it gives back.
    Audited. Locks the niche. Raises `BadInput` and `Refused`: `niche_unknown`, `version_conflict`.
    """
    checked = checked_id(niche_id, "niche")
    memo = canonical_values({"memo": memo})["memo"]

    def work(conn: Connection, _: Sequence[str]) -> NicheRefundPolicy:
        _locked, niche = locked_niche(conn, checked)
        before = refund_policies(conn, [checked])[checked]
        if before == policy:
            return _seen(checked, before)
        require_version(
            expected_version, _seen(checked, before).version, f"the refund policy of the niche {niche.slug!r}"
        )
        set_refund_policy(conn, checked, policy)
        event = AuditEvent(actor, "niche.refund_policy_changed", "niche", checked, asdict(before), asdict(policy), memo)
        append_audit(conn, [event], clock(conn))
        return _seen(checked, policy, took_effect=True)

    return with_niche_locks(database, work)


def _seen(niche_id: str, policy: RefundPolicy, *, took_effect: bool = False) -> NicheRefundPolicy:
    return NicheRefundPolicy(niche_id, policy, setting_version("refund_policy", niche_id, asdict(policy)), took_effect)
