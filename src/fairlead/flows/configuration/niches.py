"""Opening a niche, and changing its name, its activity and its policy. Its form is changed in `form_schemas`."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from fairlead.core.canonical import JsonObject
from fairlead.core.configuration_entries import niche_payload
from fairlead.core.document import composed_texts
from fairlead.core.errors import Refused
from fairlead.core.form import FormSchema, FormSchemaError, parse_form_schema
from fairlead.core.journal import JournalEntryKind
from fairlead.flows.changes import difference
from fairlead.flows.configuration.versions import (
    UNCHANGED,
    Changed,
    InvalidDocument,
    Unchanged,
    given,
    niche_version,
    require_version,
)
from fairlead.flows.declaring.plan_niches import niche_document, policy_document
from fairlead.flows.funding import record_moves
from fairlead.flows.input_types import canonical_values
from fairlead.flows.niche_locks import with_niche_locks
from fairlead.store.audit.log import Actor, AuditEvent, append_audit
from fairlead.store.configuration.form_schema_versions import add_form_schemas
from fairlead.store.configuration.rows import (
    DEFAULT_CURRENCY,
    NichePolicy,
    NicheRow,
    ReofferPolicy,
    lock_marketplace,
    niche_ids_of,
    niche_rows,
)
from fairlead.store.configuration.writes import write_niches
from fairlead.store.connection import Connection, Database
from fairlead.store.ids import new_id
from fairlead.store.journal import LockedNiche, lock_niches
from fairlead.store.leads.rows import clock
from fairlead.store.lookups import checked_id

POLICY_NAMES = ("auto_distribute", "reoffer", "phone_region")


@dataclass(frozen=True, slots=True)
class NicheChange:
    """What is to be different about a niche. `reoffer` None: unsold leads are not offered again.

    `phone_region` None: a telephone number without a country is compared by its digits. `max_recipients_per_lead`
    None: a lead has as many recipients as the levels take.
    """

    name: str | Unchanged = UNCHANGED
    is_active: bool | Unchanged = UNCHANGED
    auto_distribute: bool | Unchanged = UNCHANGED
    reoffer: ReofferPolicy | Unchanged | None = UNCHANGED
    phone_region: str | Unchanged | None = UNCHANGED
    max_recipients_per_lead: int | Unchanged | None = UNCHANGED


def create_niche(
    database: Database,
    slug: str,
    name: str,
    actor: Actor,
    *,
    form_schema: object = None,
    is_active: bool = True,
    policy: NichePolicy | None = None,
    max_recipients_per_lead: int | None = None,
    memo: str | None = None,
) -> Changed[NicheRow]:
    """The niche is there, without levels; its form (none: no fields) is version 1.

    Recognised by its slug: asked for again with the same values nothing is changed. Locks the marketplace's row.
    Raises `BadInput`, for a form `InvalidDocument`, and `Refused`: `niche_exists` when the slug has another niche.
    """
    chosen = policy or NichePolicy()
    values: dict[str, object] = {"slug": slug, "name": name, "is_active": is_active, "memo": memo}
    values["max_recipients_per_lead"] = max_recipients_per_lead
    canonical = canonical_values({**values, **_policy_values(asdict(chosen))})
    name, memo = canonical["name"], canonical["memo"]
    form = checked_form(form_schema) if form_schema is not None else FormSchema()
    asked = NicheRow(
        new_id(database), slug, name, is_active, form.to_json(), chosen, max_recipients_per_lead=max_recipients_per_lead
    )

    def work(conn: Connection, _: Sequence[str]) -> Changed[NicheRow]:
        lock_marketplace(conn, DEFAULT_CURRENCY, may_change=False)
        for found in niche_rows(conn, list(lock_niches(conn, niche_ids_of(conn, [slug])))):
            if difference("niche", slug, niche_document(found), niche_document(asked)) is not None:
                raise Refused("niche_exists", f"there is a niche {slug!r} already")
            return Changed(found, niche_version(found), found.niche_id == asked.niche_id)
        now = clock(conn)
        write_niches(conn, [asked], now)
        add_form_schemas(conn, [(asked.niche_id, asked.form_schema)], actor.name, memo, now)
        record_moves(conn, lock_niches(conn, [asked.niche_id]), {asked.niche_id: [niche_entry(asked)]}, [], now)
        new = {**_audited(niche_document(asked)), **policy_document(chosen)}
        new |= {"slug": slug, "field_count": len(form.fields), "journal_seq": 1}
        append_audit(conn, [AuditEvent(actor, "niche.created", "niche", asked.niche_id, None, new, memo)], now)
        return Changed(asked, niche_version(asked), took_effect=True)

    return with_niche_locks(database, work)


def change_niche(
    database: Database,
    niche_id: str,
    change: NicheChange,
    actor: Actor,
    *,
    memo: str | None = None,
    expected_version: str | None = None,
) -> Changed[NicheRow]:
    """The niche is as the change says; what the change does not mention is as it was.

    An inactive niche decides nothing: its leads wait. One that becomes active again has them distributed by the
    workers within five minutes. A policy takes effect with the next approval, and the journal says nothing of it. A
    limit of recipients per lead takes effect with the next decision.
    Locks the niche. Raises `BadInput` and `Refused`: `niche_unknown`, `version_conflict`, `niche_archived`.
    """
    checked, wanted = checked_id(niche_id, "niche"), given(change)
    canonical = canonical_values({**_policy_values(wanted), "memo": memo})
    memo = canonical["memo"]
    wanted = {name: canonical.get(name, value) for name, value in wanted.items()}

    def work(conn: Connection, _: Sequence[str]) -> Changed[NicheRow]:
        locked, before = locked_niche(conn, checked)
        after = _changed(before, wanted)
        differing = difference("niche", before.slug, niche_document(before), niche_document(after))
        if differing is None:
            return Changed(before, niche_version(before), took_effect=False)
        require_version(expected_version, niche_version(before), f"the niche {before.slug!r}")
        if before.is_archived and after.is_active:
            raise Refused("niche_archived", f"the niche {before.slug!r} is archived: restore it first")
        now = clock(conn)
        write_niches(conn, [after], now)
        events: list[AuditEvent] = []
        if replace(before, policy=after.policy) != after:
            events.append(record_niche(conn, locked, (before, after), actor, memo, now))
        if before.policy != after.policy:
            old, new = policy_document(before.policy), policy_document(after.policy)
            events.append(AuditEvent(actor, "niche.policy_changed", "niche", checked, old, new, memo))
        append_audit(conn, events, now)
        return Changed(after, niche_version(after), took_effect=True)

    return with_niche_locks(database, work)


def record_niche(
    conn: Connection,
    locked: LockedNiche,
    change: tuple[NicheRow, NicheRow],
    actor: Actor,
    memo: str | None,
    now: datetime,
) -> AuditEvent:
    """The journal says what the niche is after the change, which is written; returns what the audit log is to say."""
    before, after = change
    record_moves(conn, {after.niche_id: locked}, {after.niche_id: [niche_entry(after)]}, [], now)
    differing = difference("niche", before.slug, niche_document(before), niche_document(after))
    assert differing is not None, "it is recorded because it differs"
    new = {**(differing.new or {}), "journal_seq": locked.journal_seq + 1}
    return AuditEvent(
        actor, "niche.changed", "niche", after.niche_id, _audited(differing.old or {}), _audited(new), memo
    )


def checked_form(form_schema: object) -> FormSchema:
    """The form that the document describes. Raises `InvalidDocument` with every problem."""
    try:
        return parse_form_schema(composed_texts(form_schema))
    except FormSchemaError as error:
        raise InvalidDocument(error.problems) from None


def locked_niche(conn: Connection, niche_id: str) -> tuple[LockedNiche, NicheRow]:
    """The niche, locked, and its row as it is under the lock. Raises `Refused`: `niche_unknown`."""
    locked = lock_niches(conn, [niche_id]).get(niche_id)
    if locked is None:
        raise Refused("niche_unknown", f"there is no niche {niche_id}")
    [row] = niche_rows(conn, [niche_id])
    return locked, row


def niche_entry(row: NicheRow) -> tuple[JournalEntryKind, JsonObject]:
    """What the journal says of the niche."""
    limit = row.max_recipients_per_lead
    return JournalEntryKind.NICHE, niche_payload(row.slug, row.name, row.is_active, row.form_schema, limit)


def _changed(before: NicheRow, wanted: dict[str, Any]) -> NicheRow:
    of_policy = {name: wanted[name] for name in POLICY_NAMES if name in wanted}
    of_niche = {name: value for name, value in wanted.items() if name not in of_policy}
    return replace(before, **of_niche, policy=replace(before.policy, **of_policy))


def _policy_values(values: dict[str, Any]) -> dict[str, Any]:
    """The values with those of the re-offer policy one by one, as they are checked."""
    flat = {name: value for name, value in values.items() if name != "reoffer"}
    reoffer = values.get("reoffer")
    if reoffer is None:
        return flat
    return {**flat, **(asdict(reoffer) if isinstance(reoffer, ReofferPolicy) else reoffer)}


def _audited(document: JsonObject) -> dict[str, object]:
    """What the audit log keeps: not the policy, told apart, nor the form, which has versions."""
    return {name: value for name, value in document.items() if name not in (*POLICY_NAMES, "field")}
