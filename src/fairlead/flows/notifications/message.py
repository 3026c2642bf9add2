"""From what the rows say to a message: the values of a template, and the mail that they make."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import cast

from fairlead.core.canonical import timestamp_from_text
from fairlead.core.erasure_terms import ERASED_NOTICE
from fairlead.core.form import FormSchemaError, parse_form_schema
from fairlead.core.form_field import is_empty
from fairlead.delivery.template_variables import variables_of
from fairlead.delivery.templates import BadTemplate, Rendered, Template, default_template, render
from fairlead.store.notifications.erasure import TELLS_OF_LEAD
from fairlead.store.notifications.facts import MessageFacts, TemplateRow


@dataclass(frozen=True, slots=True)
class OneTimeLink:
    """A link that lets its user set a password, once, or fetch a file, or a consumer confirm a lead; and until when."""

    url: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Links:
    """Where people can go on reading; None where there is no such page.

    Only this message may say `one_time`, and `request_url`, a consumer's link to its request.
    """

    portal_url: str | None = None
    console_url: str | None = None
    one_time: OneTimeLink | None = None
    request_url: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class WrittenMessage:
    """A message, and the version of the operators' template that could not be used for it, with the reason."""

    rendered: Rendered
    failed_version: int | None = None
    problem: str | None = None


def written_message(kind: str, facts: MessageFacts, links: Links) -> WrittenMessage:
    """The message of this kind, by the template in use, or by the default where that one fails on these facts.

    Raises `BadTemplate` when the default fails too, which is a bug.
    """
    values = message_values(kind, facts, links)
    own = own_template(kind, facts.template)
    if own is None or facts.template is None:
        return WrittenMessage(render(default_template(kind, facts.language), values))
    try:
        return WrittenMessage(render(own, values))
    except BadTemplate as error:
        return WrittenMessage(
            render(default_template(kind, facts.language), values), facts.template.version, str(error)
        )


def why_not(kind: str, facts: MessageFacts) -> str | None:
    """Why a message of this kind is not sent after all: what it would tell of was erased. None where it is sent.

    What was told of money, and that a lead is to be erased, is told all the same.
    """
    return ERASED_NOTICE if kind in TELLS_OF_LEAD and facts.erased_at is not None else None


def own_template(kind: str, row: TemplateRow | None) -> Template | None:
    """The operators' template, None where the default is in use."""
    if row is None or row.subject is None or row.html is None or row.body_text is None:
        return None
    return Template(kind, row.subject, row.html, row.body_text, row.language)


def message_values(kind: str, facts: MessageFacts, links: Links) -> dict[str, object]:
    """Exactly the variables that messages of this kind declare."""
    known: dict[str, object] = {
        "provider_name": facts.provider_name,
        "currency": facts.currency,
        "timezone": facts.timezone,
        "balance_cents": facts.balance_cents,
        "portal_url": links.portal_url,
        "niche_name": facts.niche_name,
        "level_name": facts.level_name,
        "price_cents": facts.price_cents,
        "lead_id": facts.lead_id,
        "assignment_id": facts.assignment_id,
        "assigned_at": facts.assigned_at,
        "contact_name": facts.contact_name,
        "contact_email": facts.contact_email,
        "contact_phone": facts.contact_phone,
        "erased_at": facts.erased_at,
        "attributes": labelled(facts.attributes, facts.form_schema, facts.language),
        "reason": facts.detail.get("reason"),
        "threshold_cents": facts.threshold_cents,
        "days_left": facts.detail.get("days_left"),
        "threshold_days": facts.detail.get("threshold_days"),
        "daily_cents": facts.detail.get("daily_cents"),
        "lowest_price_cents": facts.detail.get("lowest_price_cents"),
        "max_price_cents": facts.detail.get("max_price_cents"),
        "amount_cents": facts.detail.get("amount_cents"),
        "tried_again_at": _time(facts.detail.get("tried_again_at")),
        "title": facts.detail.get("title"),
        "lines": facts.detail.get("lines", []),
        "happened_at": _time(facts.detail.get("happened_at")),
        "console_url": links.console_url,
        "user_name": facts.user_name,
        "request_url": links.request_url,
        "link_url": links.one_time and links.one_time.url,
        "expires_at": links.one_time and links.one_time.expires_at,
        "export_kind": facts.detail.get("export_kind"),
        "row_count": f"{facts.detail['row_count']:,}" if "row_count" in facts.detail else None,
    }
    return {variable.name: known[variable.name] for variable in variables_of(kind)}


def _time(text: str | None) -> datetime | None:
    return None if text is None else timestamp_from_text(text)


def labelled(
    attributes: Mapping[str, object], form_schema: str | None, language: str | None = None
) -> list[tuple[str, str]]:
    """The answers that were given, as (label, text), in the order of the form as it is now, given as JSON.

    An answer to a question that the form has no longer comes last, under its key.
    """
    labels = _labels(form_schema)
    order = {key: number for number, key in enumerate(labels)}
    keys = sorted(attributes, key=lambda key: (order.get(key, len(order)), key))
    given = [key for key in keys if not is_empty(attributes[key])]
    return [(labels.get(key, key), answer_text(attributes[key], language)) for key in given]


@lru_cache(maxsize=64)
def _labels(form_schema: str | None) -> Mapping[str, str]:
    """By key. Kept by the form's text: one may have thousands of options, and each lead brings many mails."""
    try:
        return {each.key: each.label for each in parse_form_schema(json.loads(form_schema or "null")).fields}
    except FormSchemaError:
        return {}


_YES_NO: Mapping[str | None, tuple[str, str]] = {"de": ("ja", "nein")}


def answer_text(value: object, language: str | None = None) -> str:
    """An answer as a message in that language says it."""
    if isinstance(value, bool):
        yes, no = _YES_NO.get(language, ("yes", "no"))
        return yes if value else no
    if isinstance(value, (list, tuple)):
        return ", ".join(str(item) for item in cast("Sequence[object]", value))
    return str(value)
