"""What a niche lets in from outside: reading it, and changing it. It says nothing of who gets a lead."""

import hashlib
from dataclasses import dataclass, replace

from fairlead.core.canonical import JsonObject, canonical_json
from fairlead.core.duplicates import DuplicateRuleError, parse_duplicate_rule
from fairlead.core.errors import BadInput, Refused
from fairlead.core.form import FormSchema
from fairlead.core.subscription import readable_form
from fairlead.flows.configuration.versions import InvalidDocument, require_version
from fairlead.flows.input_types import canonical_memo
from fairlead.store.audit.log import Actor, AuditEvent, append_audit
from fairlead.store.connection import Connection, Database
from fairlead.store.journal import lock_niches
from fairlead.store.leads.intake import IntakeNiche, IntakePolicy, intake_niche, write_intake_policy
from fairlead.store.leads.rows import clock


@dataclass(frozen=True, slots=True)
class SeenIntakePolicy:
    """A niche's policy as it was a moment ago, and its opaque version."""

    niche_id: str
    policy: IntakePolicy
    version: str


@dataclass(frozen=True, slots=True)
class IntakePolicyChanged:
    """The policy as it is now. `took_effect` is False where it was so before."""

    niche_id: str
    policy: IntakePolicy
    version: str
    took_effect: bool


def read_intake_policy(database: Database, niche_slug: str) -> SeenIntakePolicy:
    """What the niche lets in. Raises `Refused`: `niche_unknown`."""
    niche = database.read(lambda conn: _niche(conn, niche_slug))
    return SeenIntakePolicy(niche.niche_id, niche.policy, _version(niche))


def change_intake_policy(
    database: Database,
    niche_slug: str,
    policy: IntakePolicy,
    actor: Actor,
    expected_version: str | None = None,
    *,
    memo: str | None = None,
) -> IntakePolicyChanged:
    """The niche lets in what the policy says, all of it: from the next lead on.

    Leads that are there get fingerprints by a new rule from the workers, the oldest first, within minutes to hours.
    Audited, and no entry of the journal, since it changes no subscription's place. Locks the niche.

    Raises `BadInput`, for a rule `InvalidDocument`, and `Refused`: `niche_unknown`, `version_conflict`.
    """
    memo = canonical_memo(memo)
    if not isinstance(policy.is_public, bool) or not isinstance(policy.approves, bool):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise BadInput(["is_public, approves: must be true or false"])

    def work(conn: Connection) -> IntakePolicyChanged:
        lock_niches(conn, [_niche(conn, niche_slug).niche_id])
        # A statement of its own: it sees what was committed while the lock was waited for.
        before = _niche(conn, niche_slug)
        after = replace(before, policy=checked_policy(policy, before.policy, readable_form(before.form_schema)))
        if _version(after) == _version(before):
            return IntakePolicyChanged(before.niche_id, before.policy, _version(before), took_effect=False)
        require_version(expected_version, _version(before), f"the intake of the niche {niche_slug!r}")
        write_intake_policy(conn, before.niche_id, after.policy)
        event = intake_event(before.niche_id, before.policy, after.policy, actor, memo)
        append_audit(conn, [event], clock(conn))
        return IntakePolicyChanged(before.niche_id, after.policy, _version(after), took_effect=True)

    return database.run(work)


def checked_policy(policy: IntakePolicy, before: IntakePolicy, form: FormSchema | None) -> IntakePolicy:
    """The policy with its rule as it is written down. A rule that the niche has already need not fit a newer form.

    Raises `InvalidDocument`.
    """
    rule = policy.duplicate_rule
    if rule is None or rule == before.duplicate_rule:
        return policy
    try:
        parsed = parse_duplicate_rule(rule, form)
    except DuplicateRuleError as error:
        raise InvalidDocument(
            [replace(problem, path=f"duplicate_rule.{problem.path}".removesuffix(".")) for problem in error.problems]
        ) from None
    return replace(policy, duplicate_rule=parsed.to_json())


def _niche(conn: Connection, slug: str) -> IntakeNiche:
    niche = intake_niche(conn, slug)
    if niche is None:
        raise Refused("niche_unknown", f"there is no niche {slug!r}")
    return niche


def intake_event(
    niche_id: str, before: IntakePolicy, after: IntakePolicy, actor: Actor, memo: str | None = None
) -> AuditEvent:
    """What a niche lets in was changed."""
    old, new = intake_document(before), intake_document(after)
    return AuditEvent(actor, "niche.intake_changed", "niche", niche_id, old, new, memo)


def intake_document(policy: IntakePolicy) -> JsonObject:
    """The policy as the audit log has it."""
    return {
        "is_public": policy.is_public,
        "approves": policy.approves,
        "duplicate_rule": policy.duplicate_rule,
    }


def _version(niche: IntakeNiche) -> str:
    state = {"kind": "intake_policy", "id": niche.niche_id, "state": intake_document(niche.policy)}
    return hashlib.sha256(canonical_json(state)).hexdigest()[:32]
