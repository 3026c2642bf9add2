"""What the audit log has to say of a provider that is created or changed, by a verb or by a marketplace file."""

from fairlead.flows.declaring.plan_providers import provider_document
from fairlead.store.audit.log import Actor, AuditEvent
from fairlead.store.configuration.rows import ProviderRow

PERSONAL = ("name", "email")
"""Of these the audit log says that they changed, and not from what to what."""

IF_ANY = ("low_balance_days", "limits", "schedule", "language", "conflict_group")
"""Of these the audit log says nothing where a new provider has none."""


def provider_events(
    actor: Actor, before: ProviderRow | None, after: ProviderRow, memo: str | None = None
) -> list[AuditEvent]:
    """What became of the provider, but for its credit limit, which has an event of its own; nothing personal."""
    if before is None:
        document = provider_document(after)
        told = {name: value for name, value in document.items() if name not in (*PERSONAL, "credit_limit_cents")}
        told = {name: value for name, value in told.items() if value is not None or name not in IF_ANY}
        return [AuditEvent(actor, "provider.created", "provider", after.provider_id, None, told, memo)]
    old, new = ({**provider_document(row), "email": row.email} for row in (before, after))
    changed = sorted(name for name in new if new[name] != old[name] and name != "credit_limit_cents")
    if not changed:
        return []
    shown = [name for name in changed if name not in PERSONAL]
    told = {**{name: new[name] for name in shown}, "changed": changed}
    was = {name: old[name] for name in shown}
    return [AuditEvent(actor, "provider.changed", "provider", after.provider_id, was, told, memo)]
