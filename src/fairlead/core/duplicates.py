"""Which leads are the same: a niche's duplicate rule, and the fingerprints by which one lead is held against others.

A rule is a document such as

    {"version": 1, "any_of": [["contact_email"], ["contact_phone", "attributes.zip"]],
     "duplicate_window_days": 90, "scope": "niche", "action": "refuse"}

Two leads are the same when in any one of the groups all fields are given and equal. A fingerprint stands for one group
of one lead; leads with the same fingerprint agree in that group.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, cast

from fairlead.core.canonical import JsonObject, canonical_json
from fairlead.core.document import DocumentProblem, as_list, as_object, object_problems, shown, version_problem
from fairlead.core.entry.mailbox import mailbox_key
from fairlead.core.entry.phone import phone_key
from fairlead.core.entry.text import comparable
from fairlead.core.form_field import FormSchema, is_number

CONTACT_FIELDS = ("contact_email", "contact_name", "contact_phone")
ATTRIBUTE_PREFIX = "attributes."
SCOPES = ("niche", "marketplace")
ACTIONS = ("refuse", "flag")
MOST_GROUPS = 10
MOST_FIELDS = 10
LONGEST_DUPLICATE_WINDOW_DAYS = 365
COMPARED_AS = 2
"""The number of the way in which values are compared; with another one stored fingerprints are made anew."""

FieldGroup: TypeAlias = tuple[str, ...]
"""Fields that are compared together, in ascending order."""


@dataclass(frozen=True, slots=True)
class DuplicateRule:
    """When a lead counts as one that came before, and what becomes of it.

    Compared are leads of the last `duplicate_window_days` (None: all there ever were), of the niche or of the whole
    marketplace. `refuse`: it is not taken in; `flag`: it is, with the earlier lead named beside it.
    """

    any_of: tuple[FieldGroup, ...]
    duplicate_window_days: int | None
    scope: Literal["niche", "marketplace"]
    action: Literal["refuse", "flag"]

    def to_json(self) -> JsonObject:
        """The document that `parse_duplicate_rule` reads back as an equal rule."""
        return {
            "version": 1,
            "any_of": [list(group) for group in self.any_of],
            "duplicate_window_days": self.duplicate_window_days,
            "scope": self.scope,
            "action": self.action,
        }


class DuplicateRuleError(ValueError):
    """The document is no duplicate rule; `problems` says what is wrong and where."""

    def __init__(self, problems: tuple[DocumentProblem, ...]) -> None:
        super().__init__("; ".join(f"{problem.path}: {problem.message}" for problem in problems))
        self.problems = problems


def parse_duplicate_rule(raw: object, schema: FormSchema | None = None) -> DuplicateRule:
    """The rule that a JSON document describes; raises `DuplicateRuleError` with every problem it has.

    Fields are `contact_email`, `contact_name`, `contact_phone` and `attributes.KEY`. With a form, KEY has to be one of
    its fields; without, as for a rule that is stored, a field that the form has lost is merely given by no lead.

    >>> document = {"version": 1, "any_of": [["contact_email"]], "duplicate_window_days": 30, "scope": "niche",
    ...             "action": "flag"}
    >>> parse_duplicate_rule(document).any_of
    (('contact_email',),)
    >>> parse_duplicate_rule(document | {"any_of": [["email"]]})
    Traceback (most recent call last):
    fairlead.core.duplicates.DuplicateRuleError: any_of[0][0]: there is no field 'email' to compare
    """
    document = as_object(raw)
    if document is None:
        raise DuplicateRuleError((DocumentProblem("", "not_an_object", "a duplicate rule must be a JSON object"),))
    if (wrong_version := version_problem(document)) is not None:
        raise DuplicateRuleError((wrong_version,))
    problems = object_problems(document, "", ("version", "any_of", "duplicate_window_days", "scope", "action"))
    if not problems:
        groups = _groups(document["any_of"], schema, problems)
        days = document["duplicate_window_days"]
        if days is not None and not (type(days) is int and 1 <= days <= LONGEST_DUPLICATE_WINDOW_DAYS):
            allowed = f"a whole number from 1 to {LONGEST_DUPLICATE_WINDOW_DAYS}, or null for ever"
            words = f"duplicate_window_days must be {allowed}"
            problems.append(DocumentProblem("duplicate_window_days", "out_of_range", words))
        for name, known in (("scope", SCOPES), ("action", ACTIONS)):
            if document[name] not in known:
                problems.append(DocumentProblem(name, "unknown_option", f"{name} must be one of {', '.join(known)}"))
        if not problems:
            scope = cast(Literal["niche", "marketplace"], document["scope"])
            return DuplicateRule(
                groups, cast(int | None, days), scope, cast(Literal["refuse", "flag"], document["action"])
            )
    raise DuplicateRuleError(tuple(problems))


def _groups(raw: object, schema: FormSchema | None, problems: list[DocumentProblem]) -> tuple[FieldGroup, ...]:
    items = as_list(raw)
    if items is None or not 1 <= len(items) <= MOST_GROUPS:
        words = f"any_of must be a list of 1 to {MOST_GROUPS} lists of fields"
        problems.append(DocumentProblem("any_of", "not_a_list", words))
        return ()
    groups: list[FieldGroup] = []
    for number, item in enumerate(items):
        fields = as_list(item)
        if fields is None or not 1 <= len(fields) <= MOST_FIELDS:
            problems.append(
                DocumentProblem(f"any_of[{number}]", "not_a_list", f"must be a list of 1 to {MOST_FIELDS} fields")
            )
            continue
        names = [field for field in fields if isinstance(field, str)]
        for place, field in enumerate(fields):
            if (problem := _field_problem(field, schema, f"any_of[{number}][{place}]")) is not None:
                problems.append(problem)
            elif field in fields[:place]:
                problems.append(
                    DocumentProblem(f"any_of[{number}][{place}]", "duplicate_field", f"{shown(field)} is listed twice")
                )
        groups.append(tuple(sorted(names)))
    return tuple(dict.fromkeys(groups))


def _field_problem(field: object, schema: FormSchema | None, path: str) -> DocumentProblem | None:
    if isinstance(field, str) and field in CONTACT_FIELDS:
        return None
    if isinstance(field, str) and field.startswith(ATTRIBUTE_PREFIX):
        key = field.removeprefix(ATTRIBUTE_PREFIX)
        if schema is None or schema.field(key) is not None:
            return None
    return DocumentProblem(path, "unknown_field", f"there is no field {shown(field)} to compare")


# Fingerprints --------------------------------------------------------------------------------------------------------


def fingerprints(
    groups: Sequence[FieldGroup],
    contact: Mapping[str, str | None],
    attributes: Mapping[str, object],
    secret: bytes,
    region: str | None = None,
) -> dict[FieldGroup, bytes]:
    """The fingerprint (32 bytes) of each of the groups in which every field is given; no other group is there.

    A keyed hash (BLAKE2b) over the mailbox, the telephone number (`region` is whose numbers need no country), and of
    other values what is left when case, spaces and ways of writing a character are taken away. It is personal data all
    the same, since an attacker who has the secret can try out addresses. `secret` has 16 to 64 bytes.

    >>> one = fingerprints([("contact_email",)], {"contact_email": " Ann@Example.COM"}, {}, bytes(32))
    >>> one == fingerprints([("contact_email",)], {"contact_email": "ann@example.com"}, {}, bytes(32))
    True
    >>> fingerprints([("contact_email", "contact_phone")], {"contact_email": "ann@example.com"}, {}, bytes(32))
    {}
    """
    found: dict[FieldGroup, bytes] = {}
    for group in groups:
        values = {field: _value_of(field, contact, attributes, region) for field in group}
        if all(value is not None for value in values.values()):
            found[group] = keyed_hash(secret, {"fields": values})
    return found


def keyed_hash(secret: bytes, content: JsonObject) -> bytes:
    """A hash of the content (32 bytes) that cannot be made without the secret."""
    return hashlib.blake2b(canonical_json(content), key=secret, digest_size=32).digest()


def _value_of(
    field: str, contact: Mapping[str, str | None], attributes: Mapping[str, object], region: str | None
) -> object:
    """What is compared of this field; None where the lead does not give it."""
    if field.startswith(ATTRIBUTE_PREFIX):
        return _comparable(attributes.get(field.removeprefix(ATTRIBUTE_PREFIX)))
    text = contact.get(field)
    if text is None:
        return None
    if field == "contact_email":
        return mailbox_key(text) or None
    return (phone_key(text, region) if field == "contact_phone" else comparable(text)) or None


def _comparable(value: object) -> object:
    if isinstance(value, str):
        return comparable(value) or None
    if (items := as_list(value)) is not None:
        return sorted(comparable(str(item)) for item in items) or None
    # 1 and 1.0 have the same canonical form, and true is no number.
    return value if isinstance(value, bool) or is_number(value) else None
