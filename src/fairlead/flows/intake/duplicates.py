"""Holding a lead against those that came before, so that of two that come at once one finds the other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from fairlead.core.canonical import JsonObject
from fairlead.core.duplicates import DuplicateRule, FieldGroup, fingerprints, parse_duplicate_rule
from fairlead.flows.intake.lead import EarlierLead
from fairlead.store.connection import Connection
from fairlead.store.leads.fingerprints import (
    FoundLead,
    add_fingerprints,
    intake_secret,
    lock_fingerprints,
    marketplace_rules,
    newest_with,
)
from fairlead.store.leads.intake import IntakeNiche


@dataclass(frozen=True, slots=True)
class Repetition:
    """An earlier lead that is the same by the niche's rule, and the fields in which it is."""

    found: FoundLead
    matched_fields: tuple[str, ...]
    is_refused: bool

    def as_told_to(self, sender: str) -> EarlierLead:
        """What the sender of the later lead may know of the earlier one."""
        lead_id = self.found.lead_id if self.found.sender == sender else None
        return EarlierLead(self.matched_fields, self.found.created_at, lead_id)


@dataclass(frozen=True, slots=True)
class Compared:
    """A lead's fingerprints, which are locked, and the newest lead that it repeats, None where it repeats none."""

    lead_id: str
    niche_id: str
    fingerprints: tuple[bytes, ...]
    repetition: Repetition | None

    def remember(self, conn: Connection, created_at: datetime) -> None:
        """Leads to come will be held against this one, which is stored."""
        add_fingerprints(conn, self.niche_id, [(self.lead_id, created_at, each) for each in self.fingerprints])


def compare(
    conn: Connection,
    niche: IntakeNiche,
    lead_id: str,
    contact: Mapping[str, str | None],
    attributes: Mapping[str, object],
) -> Compared:
    """The lead, held against those that were committed before. To be done before any row is locked.

    Two leads with the same fingerprint wait for each other here, so that the later one sees the earlier. A lead has
    fingerprints by its own niche's rule, and by those rules of other niches that look at the whole marketplace.
    """
    stored = niche.policy.duplicate_rule
    rule = None if stored is None else parse_duplicate_rule(stored)
    groups = groups_of(stored, marketplace_rules(conn))
    made = fingerprints(groups, contact, attributes, intake_secret(conn), niche.phone_region)
    lock_fingerprints(conn, list(made.values()))
    repetition = None if rule is None else _repetition(conn, rule, niche.niche_id, lead_id, made)
    return Compared(lead_id, niche.niche_id, tuple(made.values()), repetition)


def groups_of(own: JsonObject | None, marketplace_wide: Sequence[JsonObject]) -> tuple[FieldGroup, ...]:
    """The groups of fields by which leads of a niche with this rule are ever looked for, in ascending order."""
    rules = [parse_duplicate_rule(each) for each in (*([] if own is None else [own]), *marketplace_wide)]
    return tuple(sorted({group for rule in rules for group in rule.any_of}))


def _repetition(
    conn: Connection, rule: DuplicateRule, niche_id: str, lead_id: str, made: Mapping[FieldGroup, bytes]
) -> Repetition | None:
    own = {group: made[group] for group in rule.any_of if group in made}
    where = niche_id if rule.scope == "niche" else None
    found = newest_with(conn, list(own.values()), lead_id, where, rule.duplicate_window_days)
    if not found:
        return None
    newest = max(found.values(), key=lambda lead: (lead.created_at, lead.lead_id))
    matched = {name for group, print_ in own.items() if print_ in found and found[print_] == newest for name in group}
    return Repetition(newest, tuple(sorted(matched)), rule.action == "refuse")
