"""What refunds in a niche give back besides the money."""

from dataclasses import asdict, dataclass

from fairlead.core.returns import RefundPolicy
from fairlead.flows.configuration.niche_settings import NicheSetting, SeenSetting, change_setting, read_setting
from fairlead.store.audit.log import Actor
from fairlead.store.connection import Database
from fairlead.store.money.returns import refund_policies, set_refund_policy

_SETTING: NicheSetting[RefundPolicy] = NicheSetting(
    "refund_policy",
    "the refund policy",
    "niche.refund_policy_changed",
    read=lambda conn, niche_id: refund_policies(conn, [niche_id])[niche_id],
    write=lambda conn, niche_id, policy, _now: set_refund_policy(conn, niche_id, policy),
    document=asdict,
)


@dataclass(frozen=True, slots=True)
class NicheRefundPolicy:
    """A niche's policy, and its opaque version. `took_effect` is False where it was so before."""

    niche_id: str
    policy: RefundPolicy
    version: str
    took_effect: bool = False


def read_refund_policy(database: Database, niche_id: str) -> NicheRefundPolicy:
    """The niche's policy. Raises `BadInput`, and `Refused`: `niche_unknown`."""
    return _shown(read_setting(database, _SETTING, niche_id))


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
    return _shown(
        change_setting(database, _SETTING, niche_id, policy, actor, memo=memo, expected_version=expected_version)
    )


def _shown(seen: SeenSetting[RefundPolicy]) -> NicheRefundPolicy:
    return NicheRefundPolicy(seen.niche_id, seen.value, seen.version, seen.took_effect)
