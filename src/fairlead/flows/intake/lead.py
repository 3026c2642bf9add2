"""What is sent when a lead comes from outside, what is wrong with it, and what is answered."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import ip_address
from typing import Literal
from urllib.parse import urlsplit

from fairlead.core.entry.contact import CheckedDetails, checked_details
from fairlead.core.entry.refusal import EntryRefused
from fairlead.core.entry.text import canonical_line, is_storable
from fairlead.core.errors import BadInput, Refused
from fairlead.core.form import check_attributes, parse_form_schema, spelt_attributes
from fairlead.store.leads.intake import IntakeNiche

Via = Literal["key", "public"]

LONGEST_URL = 2_000
LONGEST_USER_AGENT = 500
LONGEST_CONSENT = 10_000


@dataclass(frozen=True, slots=True)
class GivenConsent:
    """What the consumer agreed to, word by word, and when (None: just now); where, and a certificate of it elsewhere.

    `ip` and `user_agent` are the consumer's, as the sender saw them; of a public lead they are those of the request.
    """

    text: str
    consented_at: datetime | None = None
    source_url: str | None = None
    certificate_url: str | None = None
    ip: str | None = field(repr=False, default=None)
    user_agent: str | None = field(repr=False, default=None)


@dataclass(frozen=True, slots=True)
class IntakeLead:
    """A lead as it was sent: answers to the niche's form, details by the names of `LEAD_DETAILS`, the consent, and
    the language that its consumer is written to in, two letters."""

    niche_slug: str
    attributes: Mapping[str, object] = field(repr=False)
    details: Mapping[str, str] = field(repr=False, default_factory=dict[str, str])
    consent: GivenConsent | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class EarlierLead:
    """The lead that another repeats: in which fields, and when it was created.

    `lead_id` only for who sent that lead too, with the same key: what others sent is none of a sender's business.
    """

    matched_fields: tuple[str, ...]
    created_at: datetime
    lead_id: str | None = None


@dataclass(frozen=True, slots=True)
class TakenIn:
    """A lead that was taken in, and the earlier one that it repeats where the niche only flags that."""

    lead_id: str
    status: str
    duplicate_of: EarlierLead | None = None


class LeadDuplicate(Refused):
    """The lead is a duplicate. `earlier` says what may be told of the other."""

    def __init__(self, earlier: EarlierLead) -> None:
        fields = ", ".join(earlier.matched_fields)
        since = earlier.created_at.isoformat(timespec="seconds")
        super().__init__("lead_duplicate", f"there is a lead with the same {fields} already, since {since}")
        self.earlier = earlier


def checked_lead(lead: IntakeLead, niche: IntakeNiche, via: Via) -> tuple[dict[str, object], CheckedDetails]:
    """The lead's answers and details as they are stored; they fit the form, and its consent is what it should be.

    A public one needs an email address and a consent. Raises `BadInput`, naming each field, never with its value.
    """
    schema = parse_form_schema(niche.form_schema)
    attributes = spelt_attributes(schema, lead.attributes)
    problems = [f"attributes.{problem.path}: {problem.message}" for problem in check_attributes(schema, attributes)]
    details = checked_details(lead.details, niche.phone_region)
    problems += [f"{problem.path}: {problem.message}" for problem in details.problems]
    if via == "public" and not lead.details.get("contact_email", "").strip():
        problems.append("contact_email: is needed, to confirm the lead")
    if lead.consent is not None:
        problems += _consent_problems(lead.consent)
    elif via == "public":
        problems.append("consent: is needed")
    if problems:
        raise BadInput(problems)
    return attributes, details


def _consent_problems(consent: GivenConsent) -> list[str]:
    problems: list[str] = []
    if not 1 <= len(consent.text.strip()) <= len(consent.text) <= LONGEST_CONSENT or not is_storable(consent.text):
        problems.append(f"consent.text: must be text of 1 to {LONGEST_CONSENT:,} characters")
    if consent.consented_at is not None and consent.consented_at.tzinfo is None:
        problems.append("consent.consented_at: must say its time zone, such as 2026-03-01T14:00:00Z")
    for name, url in (("source_url", consent.source_url), ("certificate_url", consent.certificate_url)):
        if url is not None and not _is_page(url):
            problems.append(f"consent.{name}: must be an http or https address of at most {LONGEST_URL:,} characters")
    if consent.ip is not None and not _is_ip(consent.ip):
        problems.append("consent.ip: must be an IPv4 or IPv6 address")
    agent = consent.user_agent
    if agent is not None and not _is_line(agent, LONGEST_USER_AGENT):
        problems.append(f"consent.user_agent: must be one line of 1 to {LONGEST_USER_AGENT} characters")
    return problems


def _is_line(text: str, longest: int) -> bool:
    try:
        canonical_line(text, longest)
    except EntryRefused:
        return False
    return len(text) <= longest


def _is_page(url: str) -> bool:
    if not _is_line(url, LONGEST_URL) or any(each.isspace() for each in url):
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


def _is_ip(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return len(text) <= 45
