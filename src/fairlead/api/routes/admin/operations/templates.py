"""What messages look like: the templates in use, their versions, and changing them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, ClassVar, cast

from fastapi import Path, Query, Response
from pydantic import Field

from fairlead.api.access import needs
from fairlead.api.bodies import Router
from fairlead.api.concurrency_limits import PREVIEWS
from fairlead.api.conditional import ExpectedVersion, show_version
from fairlead.api.idempotency import changes_nothing
from fairlead.api.openapi import refuses
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.schemas.changes import Memo
from fairlead.api.schemas.mail_language import MailLanguage
from fairlead.api.schemas.values import LARGE_BODY_BYTES, NAME_PATTERN, Int, Line, RequestModel, ResponseModel, Text
from fairlead.core.permissions import Permission
from fairlead.delivery.template_variables import variables_of
from fairlead.delivery.templates import MAX_BODY_BYTES, MAX_SUBJECT_CHARACTERS, Template
from fairlead.flows.access.principal import Principal, require
from fairlead.flows.access.read_limits import PREVIEWS_OF_CALLER
from fairlead.flows.notifications import templates as flow
from fairlead.flows.notifications.templates import TemplateInUse

router = Router(prefix="/api/v1/admin/templates", tags=["notification templates"])

Kind = Annotated[str, Path(pattern=NAME_PATTERN, description="The kind of message.", examples=["lead_assigned"])]
InLanguage = Annotated[MailLanguage, Query(description="The language that its readers are written to in.")]
Version = Annotated[int, Path(ge=1, le=2_147_483_647, description="From 1.", examples=[1])]
Reader = Annotated[Principal, needs(Permission.NOTIFICATIONS_READ)]
PreviewReader = Annotated[Principal, needs(Permission.NOTIFICATIONS_READ, PREVIEWS_OF_CALLER)]
Writer = Annotated[Principal, needs(Permission.NOTIFICATIONS_WRITE)]

_SUBJECT = "New lead in {{ niche_name }}"
_BODY = "Hello {{ provider_name }}, lead {{ lead_id }} is yours."


class MessageParts(RequestModel):
    """The three parts of a message, in the templates' language."""

    most_bytes: ClassVar[int] = LARGE_BODY_BYTES

    subject: Annotated[Line, Field(min_length=1, max_length=MAX_SUBJECT_CHARACTERS, examples=[_SUBJECT])]
    html: Annotated[Text, Field(min_length=1, max_length=MAX_BODY_BYTES, examples=[f"<p>{_BODY}</p>"])]
    text: Annotated[Text, Field(min_length=1, max_length=MAX_BODY_BYTES, examples=[_BODY])]


class TemplateChange(MessageParts):
    """A new version, and why."""

    memo: Memo


class TemplateRestoration(RequestModel):
    """What to go back to."""

    version: Annotated[Int, Field(ge=1, le=2_147_483_647)] | None = Field(
        default=None, description="An earlier version; null for the default, also that of later releases."
    )


class TemplateSummary(ResponseModel):
    """A kind of message and the state of its template."""

    kind: str = Field(examples=["lead_assigned"])
    language: MailLanguage = Field(description="The language that its readers are written to in.")
    version: int | None = Field(description="Null while it was never changed.")
    is_default: bool = Field(description="Whether it is the one that comes with this release.")
    changed_at: datetime | None
    changed_by: str | None = Field(examples=["user:01990d8e-5b1e-7c3a-9a53-0c8f4d1b2e6f"])


class TemplateSummaries(ResponseModel):
    """One for every kind of message and language."""

    items: Sequence[TemplateSummary]


class TemplateVariable(ResponseModel):
    """A name that the template may use."""

    name: str = Field(examples=["niche_name"])
    type: str = Field(examples=["text"])
    description: str = Field(examples=["the niche"])
    is_optional: bool = Field(description="Whether it is none where there is nothing to say.")


class MessageTemplate(TemplateSummary):
    """A template in full, and the names that it may use."""

    subject: str = Field(examples=[_SUBJECT])
    html: str = Field(examples=[f"<p>{_BODY}</p>"])
    text: str = Field(examples=[_BODY])
    variables: Sequence[TemplateVariable]


class PreviewedMessage(ResponseModel):
    """A message with sample values, no person's data."""

    subject: str = Field(examples=["New lead in Heat pumps"])
    html: str = Field(
        description="The message in HTML, filled in, with its styles inlined.",
        examples=["<p>Hello Example Services Ltd</p>"],
    )
    text: str = Field(examples=["Hello Example Services Ltd"])


class TemplateVersionEntry(ResponseModel):
    """A version, by whom and why."""

    version: int
    is_default: bool
    created_at: datetime
    created_by: str = Field(examples=["user:01990d8e-5b1e-7c3a-9a53-0c8f4d1b2e6f"])
    memo: str | None = Field(examples=["our letterhead"])


class TemplateVersions(ResponseModel):
    """All versions that operators made, the newest first."""

    items: Sequence[TemplateVersionEntry]


class SavedVersion(ResponseModel):
    """The version that is in use. `took_effect` is false where it said the same before."""

    kind: str = Field(examples=["lead_assigned"])
    version: int | None
    took_effect: bool


@router.get("")
def list_message_templates(reader: Reader, database: MarketplaceDatabase) -> TemplateSummaries:
    """List the template in use for every kind of message, in each language."""
    return TemplateSummaries(items=[_summary(used) for used in flow.list_templates(database)])


@router.get("/{kind}", responses=refuses("template_unknown"))
def show_message_template(
    kind: Kind, response: Response, reader: Reader, database: MarketplaceDatabase, language: InLanguage = "en"
) -> MessageTemplate:
    """Show the template in use, its ETag, and the names that it may use."""
    used = flow.show_template(database, kind, language=language)
    show_version(response, used.state)
    return _in_full(used)


@router.put("/{kind}", responses=refuses("template_unknown"))
def change_message_template(
    kind: Kind,
    asked: TemplateChange,
    expected: ExpectedVersion,
    writer: Writer,
    database: MarketplaceDatabase,
    language: InLanguage = "en",
) -> SavedVersion:
    """The template is in use as a new version, once it was rendered with sample values. Saying the same makes none.

    One whose link sets a password takes `users:write` too, and with it a fresh proof: no key changes it.
    """
    _require_for_kind(kind, writer)
    template = Template(kind, asked.subject, asked.html, asked.text, language)
    saved = flow.save_template(database, template, asked.memo, writer.actor, expected_state=expected)
    return SavedVersion.model_validate(saved)


@router.post("/{kind}/restore", responses=refuses("template_unknown"))
def restore_message_template(
    kind: Kind,
    asked: TemplateRestoration,
    expected: ExpectedVersion,
    writer: Writer,
    database: MarketplaceDatabase,
    language: InLanguage = "en",
) -> SavedVersion:
    """An earlier version, or the default, is in use again, as a new version. It takes what a change takes."""
    _require_for_kind(kind, writer)
    saved = flow.restore_template(
        database, kind, asked.version, writer.actor, language=language, expected_state=expected
    )
    return SavedVersion.model_validate(saved)


@router.post(
    "/{kind}/preview",
    dependencies=[changes_nothing("it only tries something out")],
    responses=refuses("template_unknown"),
)
def preview_message_template(
    kind: Kind, asked: MessageParts, reader: PreviewReader, language: InLanguage = "en"
) -> PreviewedMessage:
    """Show the message that these parts make of sample values. Nothing is saved."""
    with PREVIEWS.slot(reader.owner):
        rendered = flow.preview_template(Template(kind, asked.subject, asked.html, asked.text, language))
    return PreviewedMessage.model_validate(rendered)


@router.get("/{kind}/versions", responses=refuses("template_unknown"))
def list_template_versions(
    kind: Kind, reader: Reader, database: MarketplaceDatabase, language: InLanguage = "en"
) -> TemplateVersions:
    """List the versions that operators made, the newest first."""
    found = flow.template_versions(database, kind, language)
    return TemplateVersions(
        items=[
            TemplateVersionEntry(
                version=each.version,
                is_default=each.subject is None,
                created_at=each.created_at,
                created_by=each.created_by,
                memo=each.memo,
            )
            for each in found
        ]
    )


@router.get("/{kind}/versions/{version}", responses=refuses("template_unknown"))
def show_template_version(
    kind: Kind, version: Version, reader: Reader, database: MarketplaceDatabase, language: InLanguage = "en"
) -> MessageTemplate:
    """Show one version of a template."""
    return _in_full(flow.show_template(database, kind, version, language))


def _require_for_kind(kind: str, writer: Principal) -> None:
    """Raises `Refused`: what changing the user behind the message's link would take."""
    if kind in flow.OPENS_ACCOUNTS:
        require(writer, Permission.USERS_WRITE)


def _summary(used: TemplateInUse) -> TemplateSummary:
    return TemplateSummary(
        kind=used.template.kind,
        language=cast("MailLanguage", used.template.language),
        version=used.version,
        is_default=used.is_default,
        changed_at=used.changed_at,
        changed_by=used.changed_by,
    )


def _in_full(used: TemplateInUse) -> MessageTemplate:
    parts = used.template
    variables = [TemplateVariable.model_validate(each) for each in variables_of(parts.kind)]
    return MessageTemplate(
        **_summary(used).model_dump(), subject=parts.subject, html=parts.html, text=parts.text, variables=variables
    )
