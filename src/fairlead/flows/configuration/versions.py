"""What a verb hands back, and telling whether a thing is still what its editor saw.

A version is opaque: a digest of what people configure about the thing. What money does to it is no part of it, so a
purchase never stands in the way of a change. A thing that was changed and changed back has the version it had.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from enum import Enum
from typing import Any, Final, Generic, TypeVar

from fairlead.core.canonical import JsonObject, canonical_json
from fairlead.core.document import DocumentProblem
from fairlead.core.errors import BadInput, Refused
from fairlead.core.model import PAUSED
from fairlead.flows.declaring.plan_niches import level_document, niche_document
from fairlead.flows.declaring.plan_providers import provider_document
from fairlead.flows.funding import Move, deactivated_ids, reactivated_ids
from fairlead.store.configuration.conflict_groups import ConflictGroupRow
from fairlead.store.configuration.rows import LevelRow, NicheRow, ProviderRow, SubscriptionRow

Row = TypeVar("Row")


class Unchanged(Enum):
    """Stands where a change says nothing of a value."""

    UNCHANGED = "unchanged"


UNCHANGED: Final = Unchanged.UNCHANGED


@dataclass(frozen=True, slots=True)
class Changed(Generic[Row]):
    """The thing as it is now, and its version. `took_effect` is False where it was so before.

    The subscriptions are those that started or stopped for its sake (R9), and those that get no lead any more since
    their level asks more than their provider pays at most (R14).
    """

    row: Row
    version: str
    took_effect: bool
    reactivated_subscription_ids: tuple[str, ...] = ()
    deactivated_subscription_ids: tuple[str, ...] = ()
    left_out_subscription_ids: tuple[str, ...] = ()


def moved(row: Row, version: str, moves: Sequence[Move]) -> Changed[Row]:
    """The thing after a change that took effect, and moved these subscriptions."""
    return Changed(row, version, True, reactivated_ids(moves), deactivated_ids(moves))


def given(change: Any) -> dict[str, Any]:
    """The values that a change, a dataclass, says something of, by name."""
    values = {each.name: getattr(change, each.name) for each in fields(change)}
    return {name: value for name, value in values.items() if value is not UNCHANGED}


class InvalidDocument(BadInput):
    """A form or a filter that cannot be stored. `details` has a path, a stable code and words for each problem."""

    def __init__(self, details: Sequence[DocumentProblem]) -> None:
        super().__init__([f"{detail.path}: {detail.message}".removeprefix(": ") for detail in details])
        self.details = tuple(details)


def require_version(expected: str | None, version: str, what: str) -> None:
    """The thing is unchanged since the caller saw it. Raises `Refused`: `version_conflict`."""
    if expected is not None and expected != version:
        raise Refused("version_conflict", f"{what} was changed meanwhile; look at it again")


def niche_version(row: NicheRow) -> str:
    """The version of the niche but for its form, which has its own."""
    document = {key: value for key, value in niche_document(row).items() if key != "field"}
    return _digest("niche", row.niche_id, document | ({"archived": True} if row.is_archived else {}))


def form_version(row: NicheRow) -> str:
    """The version of the niche's form."""
    return _digest("form_schema", row.niche_id, row.form_schema)


def level_version(row: LevelRow) -> str:
    """The version of the level."""
    state = {"name": row.level.name, "deleted": row.is_deleted, **level_document(row.level)}
    return _digest("level", row.level.level_id, state)


def order_version(niche_id: str, levels: Sequence[LevelRow]) -> str:
    """The version of the order of a niche's living levels."""
    by_position = sorted(levels, key=lambda row: row.level.order_position)
    return _digest("order", niche_id, {"level_ids": [row.level.level_id for row in by_position]})


def provider_version(row: ProviderRow) -> str:
    """The version of the provider; its balance is no part of it."""
    return _digest("provider", row.provider_id, {"email": row.email, **provider_document(row)})


def subscription_version(row: SubscriptionRow) -> str:
    """The version of the subscription; whether its provider has the funds is no part of it."""
    subscription = row.subscription
    state = {
        "deleted": row.is_deleted,
        "paused": subscription.deactivation_reason == PAUSED,
        "filter_rules": subscription.filter_rules,
        "filter_is_valid": subscription.filter_is_valid,
        "limits": subscription.limits_text,
        "schedule": subscription.schedule_text,
        "max_price_cents": subscription.max_price_cents,
        "weight": subscription.weight,
    }
    return _digest("subscription", subscription.subscription_id, state)


def conflict_group_version(row: ConflictGroupRow) -> str:
    """The version of the conflict group; who is in it is no part of it."""
    return _digest("conflict_group", row.group_id, {"name": row.name})


def endpoint_version(endpoint_id: str, url: str, field_mapping: Mapping[str, str] | None) -> str:
    """The version of a webhook endpoint; how deliveries fare, and its secrets, are no part of it."""
    mapping = None if field_mapping is None else dict(field_mapping)
    return _digest("webhook_endpoint", endpoint_id, {"url": url, "field_mapping": mapping})


def preferences_version(provider_id: str, preferences: Mapping[str, Mapping[str, bool]]) -> str:
    """The version of what a provider wants to be told."""
    state = {kind: dict(channels) for kind, channels in preferences.items()}
    return _digest("notification_preferences", provider_id, state)


def setting_version(kind: str, entity_id: str, state: JsonObject) -> str:
    """The version of a setting that stands by itself."""
    return _digest(kind, entity_id, state)


def _digest(kind: str, entity_id: str, state: JsonObject) -> str:
    return hashlib.sha256(canonical_json({"kind": kind, "id": entity_id, "state": state})).hexdigest()[:32]
