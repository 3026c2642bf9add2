"""The forms of niches, in versions: what leads say, and so what filters can ask."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, ClassVar

from fastapi import Path, Response
from pydantic import Field

from fairlead.api.access import needs
from fairlead.api.bodies import Router
from fairlead.api.conditional import ExpectedVersion, show_version
from fairlead.api.idempotency import changes_nothing
from fairlead.api.openapi import refuses
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.schemas.changes import NO_REASON, GivenReason, Memo
from fairlead.api.schemas.documents import FormDocument, StoredForm, as_stored, document_in
from fairlead.api.schemas.values import LARGE_BODY_BYTES, RequestModel, ResponseModel, Uuid
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.flows.configuration.form_schemas import (
    FormChanged,
    change_form_schema,
    form_schema_version,
    form_schema_versions,
    restore_form_schema,
)
from fairlead.flows.configuration.reading import read_niche

router = Router(prefix="/api/v1/admin/niches/{niche_id}/form", tags=["forms"])

Reader = Annotated[Principal, needs(Permission.NICHES_READ)]
Editor = Annotated[Principal, needs(Permission.NICHES_WRITE)]
NicheId = Annotated[Uuid, Path()]
Number = Annotated[int, Path(ge=1, le=2_147_483_647, description="Which version, from 1.")]
Version = Annotated[
    str,
    Field(
        description="The version, which a change names in `If-Match`.", examples=["9f2c4e6a8b0d1f3a5c7e9b1d3f5a7c9e"]
    ),
]


class NewForm(RequestModel):
    """The form as it is to be."""

    most_bytes: ClassVar[int] = LARGE_BODY_BYTES

    form_schema: FormDocument
    memo: Memo | None = None


class FormDryRun(RequestModel):
    """A form that is only tried."""

    most_bytes: ClassVar[int] = LARGE_BODY_BYTES

    form_schema: FormDocument


class FormState(ResponseModel):
    """The form that a niche has now."""

    niche_id: Uuid
    number: int = Field(description="It is the form's so many-th version.")
    form_schema: StoredForm
    version: Version


class FormVersionItem(ResponseModel):
    """A version of the form in the list: who made it, when and why."""

    number: int
    created_at: datetime
    created_by: str = Field(examples=["user:01990d8e-5b1e-7c3a-9a53-0c8f4d1b2e6f"])
    memo: str | None = Field(examples=["one more question"])


class FormVersions(ResponseModel):
    """Every version that the form had, the newest first."""

    items: Sequence[FormVersionItem]


class FormVersionDetail(FormVersionItem):
    """A version of the form."""

    form_schema: StoredForm


class InvalidFilterItem(ResponseModel):
    """A subscription whose filter does not fit the form any more, and why."""

    subscription_id: Uuid
    provider_id: Uuid
    level_id: Uuid
    problem: str = Field(examples=["rules[0].field_key: the form has no field 'cores'"])


class FormOutcome(ResponseModel):
    """What a form does to the filters of its niche, or would do where it is only tried (`is_dry_run`)."""

    number: int | None = Field(description="The number of the newest version; null where there is none.")
    took_effect: bool = Field(description="False where the form was the same before.")
    is_dry_run: bool
    version: Version
    invalidated: Sequence[InvalidFilterItem] = Field(
        description="Subscriptions that get no leads until their filters are changed; their providers are told."
    )
    validated_subscription_ids: Sequence[Uuid] = Field(description="Subscriptions whose filters fit again.")


@router.get("", responses=refuses("niche_unknown"))
def show_form(niche_id: NicheId, response: Response, _: Reader, database: MarketplaceDatabase) -> FormState:
    """Show the form that the niche has now."""
    seen = read_niche(database, niche_id)
    show_version(response, seen.form_version)
    return FormState(
        niche_id=niche_id,
        number=seen.form_number,
        form_schema=as_stored(seen.row.form_schema),
        version=seen.form_version,
    )


@router.put("", responses=refuses("niche_unknown", "price_rules_unfit"))
def replace_form(
    niche_id: NicheId,
    asked: NewForm,
    response: Response,
    editor: Editor,
    expected: ExpectedVersion,
    database: MarketplaceDatabase,
) -> FormOutcome:
    """The niche has this form, as a new version, and every filter of the niche was held against it."""
    with document_in("form_schema"):
        done = change_form_schema(
            database,
            niche_id,
            asked.form_schema.as_json(),
            editor.actor,
            memo=asked.memo,
            expected_version=expected,
        )
    show_version(response, done.version)
    return _outcome(done)


@router.post(
    "/preview",
    dependencies=[changes_nothing("it only tries something out")],
    responses=refuses("niche_unknown", "price_rules_unfit"),
)
def try_form(niche_id: NicheId, asked: FormDryRun, editor: Editor, database: MarketplaceDatabase) -> FormOutcome:
    """Say which filters would fit this form no more, and which again. Nothing is changed."""
    with document_in("form_schema"):
        return _outcome(change_form_schema(database, niche_id, asked.form_schema.as_json(), editor.actor, dry_run=True))


@router.get("/versions", responses=refuses("niche_unknown"))
def list_form_versions(niche_id: NicheId, _: Reader, database: MarketplaceDatabase) -> FormVersions:
    """List every version that the niche's form had, the newest first."""
    found = form_schema_versions(database, niche_id)
    items = [
        FormVersionItem(number=each.version, created_at=each.created_at, created_by=each.created_by, memo=each.memo)
        for each in found
    ]
    return FormVersions(items=items)


@router.get("/versions/{number}", responses=refuses("niche_unknown", "form_version_unknown"))
def show_form_version(niche_id: NicheId, number: Number, _: Reader, database: MarketplaceDatabase) -> FormVersionDetail:
    """Show a version of the niche's form."""
    found = form_schema_version(database, niche_id, number)
    return FormVersionDetail(
        number=found.version,
        created_at=found.created_at,
        created_by=found.created_by,
        memo=found.memo,
        form_schema=as_stored(found.form_schema),
    )


@router.post(
    "/versions/{number}/restore", responses=refuses("niche_unknown", "form_version_unknown", "price_rules_unfit")
)
def restore_form_version(
    niche_id: NicheId,
    number: Number,
    response: Response,
    editor: Editor,
    expected: ExpectedVersion,
    database: MarketplaceDatabase,
    asked: GivenReason = NO_REASON,
) -> FormOutcome:
    """The niche's form is as in that version again, as a new version, and every filter was held against it."""
    done = restore_form_schema(database, niche_id, number, editor.actor, memo=asked.memo, expected_version=expected)
    show_version(response, done.version)
    return _outcome(done)


def _outcome(done: FormChanged) -> FormOutcome:
    return FormOutcome(
        number=done.number,
        took_effect=done.took_effect,
        is_dry_run=done.is_dry_run,
        version=done.version,
        invalidated=[InvalidFilterItem.model_validate(each) for each in done.invalidated],
        validated_subscription_ids=done.validated_subscription_ids,
    )
