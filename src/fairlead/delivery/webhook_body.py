"""What a webhook says: the body of each kind of message, as bytes that are the same every time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast

from fairlead.core.canonical import canonical_json, timestamp_text

MAX_MAPPED_FIELDS = 100
MAX_FIELD_NAME_CHARACTERS = 100

_OF_WITHDRAWN = ("assignment_id", "lead_id", "provider_id", "niche_slug", "niche_name", "level_name", "assigned_at")
_ATTRIBUTE = "attributes."
_MAX_ATTRIBUTE_KEY_CHARACTERS = 64
_NO_ID = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True)
class LeadAssigned:
    """A lead that was assigned to a provider, as far as the provider may know; what is personal is not in the repr.

    `level_name` is that of the competition level, `price_cents` what was charged for it, in `currency`.
    """

    assignment_id: str
    lead_id: str
    provider_id: str
    niche_slug: str
    niche_name: str
    level_name: str
    price_cents: int
    currency: str
    assigned_at: datetime
    attributes: Mapping[str, object] = field(repr=False)
    contact_name: str | None = field(default=None, repr=False)
    contact_email: str | None = field(default=None, repr=False)
    contact_phone: str | None = field(default=None, repr=False)
    utm_source: str | None = field(default=None, repr=False)
    utm_medium: str | None = field(default=None, repr=False)
    utm_campaign: str | None = field(default=None, repr=False)
    referrer: str | None = field(default=None, repr=False)


SOURCES = (
    "assignment_id",
    "lead_id",
    "provider_id",
    "niche_slug",
    "niche_name",
    "level_name",
    "price_cents",
    "currency",
    "assigned_at",
    "contact_name",
    "contact_email",
    "contact_phone",
    "attributes",
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "referrer",
)
"""The names of ours that a field mapping may use, beside `attributes.<key>`. Stored in mappings, so never renamed."""


def lead_assigned_body(facts: LeadAssigned, field_mapping: Mapping[str, str] | None) -> bytes:
    """The body that tells of an assignment: canonical JSON, so the same facts and mapping are the same bytes.

    `data` holds every fact under its own name, or with a mapping only what that names, as that names it. A fact that
    is missing is null. `KeyError` for a source that `check_field_mapping` refuses.
    """
    return _body("lead.assigned", facts.assigned_at, _mapped(facts, field_mapping))


def lead_erased_body(assignment_id: str, lead_id: str, provider_id: str, erased_at: datetime) -> bytes:
    """The body that asks a provider to erase what it has of a lead: ids and a time alone, which no mapping changes."""
    data = {
        "assignment_id": assignment_id,
        "lead_id": lead_id,
        "provider_id": provider_id,
        "erased_at": timestamp_text(erased_at),
    }
    return _body("lead.erased", erased_at, data)


def lead_withdrawn_body(facts: LeadAssigned, withdrawn_at: datetime, field_mapping: Mapping[str, str] | None) -> bytes:
    """The body that tells that the consumer withdrew the lead: what it was, and nothing that the consumer said.

    `data` has our own names, and beside them those by which a mapping knows the same facts. `KeyError` as above.
    """
    ours = {name: value for name, value in _mapped(facts, None).items() if name in _OF_WITHDRAWN}
    mapped = {name: ours[source] for name, source in (field_mapping or {}).items() if source in ours}
    return _body("lead.withdrawn", withdrawn_at, {**mapped, **ours, "withdrawn_at": timestamp_text(withdrawn_at)})


def endpoint_test_body(
    provider_id: str, currency: str, requested_at: datetime, field_mapping: Mapping[str, str] | None
) -> bytes:
    """The body of a test delivery: shaped by the mapping like a real one, but of no lead and no person.

    Its type tells it apart, and so do the ids of lead and assignment, which are all zeros. It has no attributes.
    """
    sample = LeadAssigned(
        assignment_id=_NO_ID,
        lead_id=_NO_ID,
        provider_id=provider_id,
        niche_slug="test",
        niche_name="Test",
        level_name="Test",
        price_cents=0,
        currency=currency,
        assigned_at=requested_at,
        attributes={},
        contact_name="Test",
        contact_email="test@example.com",
        contact_phone="+10000000000",
    )
    return _body("endpoint.test", requested_at, _mapped(sample, field_mapping))


def check_field_mapping(mapping: object) -> list[str]:
    """What keeps a value that came from JSON from being a field mapping, one line each; [] if nothing.

    A mapping is an object of 1 to 100 members: names in the body, of 1 to 100 printable characters, by names of ours
    (`SOURCES`, or `attributes.` and the key of a form's field).
    """
    if not isinstance(mapping, dict):
        return ["field_mapping: must be an object of names in the body by names of ours"]
    members = cast("dict[object, object]", mapping)
    if not 1 <= len(members) <= MAX_MAPPED_FIELDS:
        return [f"field_mapping: must have 1 to {MAX_MAPPED_FIELDS} members, not {len(members)}"]
    problems: list[str] = []
    for number, (name, source) in enumerate(members.items(), start=1):
        if not (isinstance(name, str) and name.isprintable() and 1 <= len(name) <= MAX_FIELD_NAME_CHARACTERS):
            problems.append(
                f"field_mapping: name {number} must be 1 to {MAX_FIELD_NAME_CHARACTERS} printable characters"
            )
        elif not (isinstance(source, str) and _is_source(source)):
            problems.append(f"field_mapping.{name}: must be attributes.<key> or one of {', '.join(SOURCES)}")
    return problems


def _is_source(source: str) -> bool:
    if source in SOURCES:
        return True
    key = source.removeprefix(_ATTRIBUTE)
    return key != source and key.isprintable() and 1 <= len(key) <= _MAX_ATTRIBUTE_KEY_CHARACTERS


def _mapped(facts: LeadAssigned, field_mapping: Mapping[str, str] | None) -> dict[str, object]:
    ours: dict[str, object] = {name: getattr(facts, name) for name in SOURCES}
    ours["assigned_at"] = timestamp_text(facts.assigned_at)
    ours["attributes"] = dict(facts.attributes)
    if field_mapping is None:
        return ours
    return {name: _value(ours, facts.attributes, source) for name, source in field_mapping.items()}


def _value(ours: Mapping[str, object], attributes: Mapping[str, object], source: str) -> object:
    if source.startswith(_ATTRIBUTE):
        return attributes.get(source.removeprefix(_ATTRIBUTE))
    return ours[source]


def _body(kind: str, moment: datetime, data: Mapping[str, object]) -> bytes:
    return canonical_json({"type": kind, "timestamp": timestamp_text(moment), "data": data})
