"""What a provider wants to be told, and by which channel."""

from collections.abc import Mapping
from typing import cast

from fairlead.core.document import as_object, shown
from fairlead.core.errors import BadInput, Refused
from fairlead.delivery.template_variables import OPTIONAL_KINDS
from fairlead.flows.configuration.versions import preferences_version, require_version
from fairlead.store.audit.log import Actor, AuditEvent, append_audit
from fairlead.store.configuration.lookups import provider_row
from fairlead.store.configuration.rows import lock_providers
from fairlead.store.connection import Connection, Database
from fairlead.store.leads.rows import clock
from fairlead.store.lookups import checked_id
from fairlead.store.notifications.preferences import preferences_of, write_preferences

CHANNELS = ("email", "webhook")

Preferences = Mapping[str, Mapping[str, bool]]
"""By kind and channel whether the provider wants to be told; what is not named is wanted."""


def set_notification_preferences(
    database: Database, provider_id: str, preferences: object, actor: Actor, *, expected_version: str | None = None
) -> dict[str, dict[str, bool]]:
    """These are the provider's preferences, whatever they were before; returns them.

    They decide what is handed out from now on: what a job has already is sent. Audited, unless nothing changes. Locks
    the provider.

    Raises `BadInput`, and `Refused`: `provider_unknown`, `version_conflict`.
    """
    checked = checked_id(provider_id, "provider")
    if problems := check_preferences(preferences):
        raise BadInput(problems)
    wanted = {kind: dict(channels) for kind, channels in cast(Preferences, preferences).items()}

    def work(conn: Connection) -> dict[str, dict[str, bool]]:
        if checked not in lock_providers(conn, [checked]):
            raise Refused("provider_unknown", f"there is no provider {checked}")
        before = preferences_of(conn, checked)
        if before != wanted:
            require_version(
                expected_version, preferences_version(checked, before), "what the provider wants to be told"
            )
            write_preferences(conn, checked, wanted)
            event = AuditEvent(
                actor, "provider.notification_preferences_changed", "provider", checked, old=before, new=wanted
            )
            append_audit(conn, [event], clock(conn))
        return wanted

    return database.run(work)


def notification_preferences(database: Database, provider_id: str) -> dict[str, dict[str, bool]]:
    """The provider's preferences. Raises `BadInput`, and `Refused`: `provider_unknown`."""
    checked = checked_id(provider_id, "provider")
    with database.snapshot() as conn:
        if provider_row(conn, checked) is None:
            raise Refused("provider_unknown", f"there is no provider {checked}")
        return preferences_of(conn, checked)


def check_preferences(preferences: object) -> list[str]:
    """What keeps a value that came from JSON from being preferences, one line each; [] if nothing.

    >>> check_preferences({"lead_assigned": {"email": False}})
    []
    >>> check_preferences({"lead_assigned": {"fax": False}})
    ["notification_preferences.lead_assigned: there is no channel 'fax'; there are email, webhook"]
    """
    members = as_object(preferences)
    if members is None:
        return ["notification_preferences: must be an object of channels by kinds of notifications"]
    problems: list[str] = []
    for kind, channels in members.items():
        if not isinstance(kind, str) or kind not in OPTIONAL_KINDS:
            kinds = ", ".join(OPTIONAL_KINDS)
            problems.append(f"notification_preferences: there is no kind {shown(kind)}; there are {kinds}")
        else:
            problems += _channel_problems(f"notification_preferences.{kind}", channels)
    return problems


def _channel_problems(path: str, channels: object) -> list[str]:
    members = as_object(channels)
    if members is None:
        return [f"{path}: must be an object of true or false by channels"]
    problems: list[str] = []
    for channel, is_wanted in members.items():
        if channel not in CHANNELS:
            problems.append(f"{path}: there is no channel {shown(channel)}; there are {', '.join(CHANNELS)}")
        elif not isinstance(is_wanted, bool):
            problems.append(f"{path}.{channel}: must be true or false")
    return problems
