"""Leads that came in from outside, as rows: what a niche lets in, how each lead came, and forgetting it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from fairlead.core.canonical import JsonObject
from fairlead.core.duplicates import CONTACT_FIELDS
from fairlead.core.errors import Refused
from fairlead.store.arrays import array_text
from fairlead.store.connection import Connection
from fairlead.store.leads.fingerprints import delete_fingerprints
from fairlead.store.leads.name_words import delete_name_words
from fairlead.store.leads.state import set_confirmed
from fairlead.store.row_counts import change_rows
from fairlead.store.typed_rows import one_row


@dataclass(frozen=True, slots=True)
class IntakePolicy:
    """What a niche lets in from outside, and how.

    `is_public`: the public may send leads, confirmed by email. `approves`: a lead that came with a key is approved
    as it comes. `duplicate_rule`: which leads are the same; None: none are.
    """

    is_public: bool = False
    approves: bool = False
    duplicate_rule: JsonObject | None = None


@dataclass(frozen=True, slots=True)
class IntakeNiche:
    """A niche as a lead from outside meets it."""

    niche_id: str
    slug: str
    is_active: bool
    form_schema: Any
    policy: IntakePolicy
    phone_region: str | None = None


@dataclass(frozen=True, slots=True)
class Intake:
    """How a lead came in. `via`: `key` or `public`; `sender` names the key. `confirm_by` is of public ones.

    `duplicate_of` is the earlier lead that it repeats in `duplicate_fields`; `language` is its consumer's.
    """

    lead_id: str
    via: str
    sender: str
    taken_in_at: datetime
    confirm_by: datetime | None = None
    confirmed_at: datetime | None = None
    duplicate_of: str | None = None
    duplicate_fields: tuple[str, ...] = ()
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Consent:
    """What a consumer agreed to, when by the word of who sent it, and from where; and when that was recorded."""

    consent_text: str
    consented_at: datetime
    source_url: str | None
    ip: str | None = field(repr=False)
    user_agent: str | None = field(repr=False)
    certificate_url: str | None
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class StoredContact:
    """What the fingerprints of a stored lead are made from."""

    niche_slug: str
    contact: Mapping[str, str | None] = field(repr=False)
    attributes: Mapping[str, Any] = field(repr=False)
    created_at: datetime


def intake_niche(conn: Connection, slug: str) -> IntakeNiche | None:
    """The niche with this slug, None when there is none; nothing is locked."""
    row = conn.execute(
        """
        select id::text, slug, is_active, form_schema, phone_region, intake_is_public, intake_approves,
               duplicate_rule
        from niches where slug = %s
        """,
        (slug,),
    ).fetchone()
    if row is None:
        return None
    niche_id, slug, is_active, form_schema, phone_region, *policy = row
    return IntakeNiche(niche_id, slug, is_active, form_schema, IntakePolicy(*policy), phone_region)


def intake_policies(conn: Connection, niche_ids: Sequence[str]) -> dict[str, IntakePolicy]:
    """By niche id, what each lets in. Final only under the niches' locks."""
    rows = conn.execute(
        "select id::text, intake_is_public, intake_approves, duplicate_rule from niches where id = any(%s::uuid[])",
        (array_text(niche_ids),),
    ).fetchall()
    return {niche_id: IntakePolicy(*policy) for niche_id, *policy in rows}


def phone_regions(conn: Connection) -> list[str]:
    """The regions whose telephone numbers any niche takes without a country, in ascending order."""
    rows = conn.execute("select distinct phone_region from niches where phone_region is not null order by 1").fetchall()
    return [row[0] for row in rows]


def niche_slug_of(conn: Connection, niche_id: str) -> str:
    """The niche's slug, which never changes. Raises `Refused`: `niche_unknown`."""
    row = conn.execute("select slug from niches where id = %s", (niche_id,)).fetchone()
    if row is None:
        raise Refused("niche_unknown", f"there is no niche {niche_id}")
    return row[0]


def write_intake_policy(conn: Connection, niche_id: str, policy: IntakePolicy) -> None:
    """The niche lets in what the policy says. Needs the niche's lock."""
    rule = policy.duplicate_rule
    change_rows(
        conn,
        "niches_with_an_intake_policy_are_there",
        1,
        "update niches set intake_is_public = %s, intake_approves = %s, duplicate_rule = %s where id = %s",
        (policy.is_public, policy.approves, None if rule is None else Jsonb(rule), niche_id),
    )


def insert_intake(conn: Connection, intake: Intake) -> None:
    """How the lead came in is on record."""
    conn.execute(
        """
        insert into lead_intakes (lead_id, via, sender, taken_in_at, confirm_by, duplicate_of, duplicate_fields,
                                  language)
        values (%s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (
            intake.lead_id,
            intake.via,
            intake.sender,
            intake.taken_in_at,
            intake.confirm_by,
            intake.duplicate_of,
            list(intake.duplicate_fields) or None,
            intake.language,
        ),
    )


def intake_of_lead(conn: Connection, lead_id: str) -> Intake | None:
    """How the lead came in, None when it did not come in from outside; nothing is locked."""
    intake = one_row(
        conn,
        Intake,
        """
        select lead_id::text, via, sender, taken_in_at, confirm_by, confirmed_at, duplicate_of::text,
               coalesce(duplicate_fields, '{}') as duplicate_fields, language
        from lead_intakes where lead_id = %s
        """,
        (lead_id,),
    )
    return None if intake is None else replace(intake, duplicate_fields=tuple(intake.duplicate_fields))


def insert_consent(conn: Connection, lead_id: str, consent: Consent) -> None:
    """The lead's consent is on record, and stays as it is until the lead is erased."""
    conn.execute(
        """
        insert into lead_consents (lead_id, consent_text, consented_at, source_url, ip, user_agent, certificate_url,
                                   recorded_at)
        values (%s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (
            lead_id,
            consent.consent_text,
            consent.consented_at,
            consent.source_url,
            consent.ip,
            consent.user_agent,
            consent.certificate_url,
            consent.recorded_at,
        ),
    )


def consent_of_lead(conn: Connection, lead_id: str) -> Consent | None:
    """What the lead's consumer agreed to, None when nothing is on record; nothing is locked."""
    return one_row(
        conn,
        Consent,
        """
        select consent_text, consented_at, source_url, ip, user_agent, certificate_url, recorded_at
        from lead_consents where lead_id = %s
        """,
        (lead_id,),
    )


def record_confirmation(
    conn: Connection, lead_id: str, now: datetime, earlier: tuple[str, Sequence[str]] | None
) -> None:
    """The lead, which waited for its confirmation and is locked, is confirmed: it is pending approval.

    `earlier` is the lead that it repeats, and in which fields.
    """
    set_confirmed(conn, lead_id)
    duplicate_of, fields = (None, None) if earlier is None else (earlier[0], list(earlier[1]))
    conn.execute(
        "update lead_intakes set confirmed_at = %s, duplicate_of = %s, duplicate_fields = %s where lead_id = %s",
        (now, duplicate_of, fields, lead_id),
    )


def stored_contact(conn: Connection, lead_id: str) -> StoredContact | None:
    """What the lead says of its consumer, None when there is no such lead; nothing is locked."""
    row = conn.execute(
        """
        select n.slug, l.contact_email, l.contact_name, l.contact_phone, l.attributes, l.created_at
        from leads l join niches n on n.id = l.niche_id where l.id = %s
        """,
        (lead_id,),
    ).fetchone()
    if row is None:
        return None
    contact: dict[str, str | None] = dict(zip(CONTACT_FIELDS, row[1:4], strict=True))
    return StoredContact(row[0], contact, row[4], row[5])


def forget_intake(conn: Connection, lead_ids: Sequence[str]) -> None:
    """Consents, fingerprints, the links of consumers and words of names of the leads are gone.

    Needs that the leads were erased before.

    How they came in stays, which is nothing personal. A consent of a lead that still says something of its consumer
    is not to be deleted: the database refuses.
    """
    ids = list(lead_ids)
    if _are_erased(conn, ids):
        conn.execute("set local fairlead.erases_consents = 'on'")
    conn.execute("delete from lead_consents where lead_id = any(%s::uuid[])", (ids,))
    conn.execute("set local fairlead.erases_consents = 'off'")
    delete_fingerprints(conn, ids)
    conn.execute("delete from confirmation_tokens where lead_id = any(%s::uuid[])", (ids,))
    conn.execute("delete from consumer_links where lead_id = any(%s::uuid[])", (ids,))
    delete_name_words(conn, ids)


def _are_erased(conn: Connection, lead_ids: Sequence[str]) -> bool:
    """Whether none of the leads says who its consumer is. Not asked by the trigger itself: on a cluster it runs where
    the table of leads has another name."""
    rows = conn.execute(
        """
        select count(*) from leads
        where id = any(%s::uuid[])
          and num_nonnulls(contact_name, contact_email, contact_phone, email_key, phone_key) > 0
        """,
        (lead_ids,),
    ).fetchall()
    return rows == [(0,)]
