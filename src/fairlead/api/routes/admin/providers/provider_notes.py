"""What operators write down about a provider, for each other. The provider never sees it."""

from datetime import datetime
from typing import Annotated

from fastapi import Path
from pydantic import Field

from fairlead.api.access import needs
from fairlead.api.bodies import Router
from fairlead.api.idempotency import AcceptIdempotencyKey
from fairlead.api.openapi import refuses
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.schemas.pagination import ByCursor, Page
from fairlead.api.schemas.values import RequestModel, ResponseModel, Uuid
from fairlead.core.entry.types import Lines
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.flows.configuration.provider_notes import LONGEST_NOTE, add_provider_note, provider_notes
from fairlead.store.configuration.provider_notes import ProviderNote

router = Router(prefix="/api/v1/admin/providers/{provider_id}/notes", tags=["providers"])

ProviderId = Annotated[Uuid, Path()]


class NewNote(RequestModel):
    """A note, on one line or several."""

    note: Annotated[
        str,
        Lines(LONGEST_NOTE),
        Field(examples=["pays late, but pays"], repr=False),
    ]


class NoteAdded(ResponseModel):
    """The note that is there."""

    note_id: Uuid


class Note(ResponseModel):
    """A note, and who wrote it when."""

    note_id: Uuid
    author: str = Field(examples=["user:01990d8e-5b1e-7c3a-9a53-0c8f4d1b2e6f"])
    note: str = Field(examples=["pays late, but pays"], repr=False)
    created_at: datetime


@router.get("", responses=refuses("provider_unknown"))
def list_provider_notes(
    provider_id: ProviderId,
    page: ByCursor,
    _: Annotated[Principal, needs(Permission.PROVIDERS_READ)],
    database: MarketplaceDatabase,
) -> Page[Note]:
    """List the notes about the provider, the newest first."""
    found = provider_notes(database, provider_id, before_note_id=page.after_id, limit=page.probe)
    items, cursor = page.cut(found, _position)
    return Page[Note](items=[Note.model_validate(each) for each in items], next_cursor=cursor)


@router.post("", status_code=201, responses=refuses("provider_unknown"))
def add_note(
    provider_id: ProviderId,
    asked: NewNote,
    idempotency: AcceptIdempotencyKey,
    writer: Annotated[Principal, needs(Permission.PROVIDERS_WRITE)],
    database: MarketplaceDatabase,
) -> NoteAdded:
    """The note is kept about the provider, for good."""
    done = add_provider_note(database, provider_id, asked.note, writer.actor, idempotency.key_of(writer, asked))
    return NoteAdded.model_validate(done)


def _position(note: ProviderNote) -> tuple[datetime, str]:
    return note.created_at, note.note_id
