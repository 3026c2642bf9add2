"""The first steps of a new marketplace."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from fairlead.api.access import needs
from fairlead.api.bodies import Router
from fairlead.api.resources import MarketplaceDatabase, ServerSettings
from fairlead.api.schemas.values import ResponseModel
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.flows.setup_checklist import (
    Step,
    dismiss_setup_checklist,
    read_setup_checklist,
    record_keys_copied,
)

router = Router(prefix="/api/v1/admin/setup", tags=["setup"])

Reader = Annotated[Principal, needs(Permission.SETTINGS_READ)]
Editor = Annotated[Principal, needs(Permission.SETTINGS_WRITE)]


class SetupStep(ResponseModel):
    """One of the first steps."""

    step: Step = Field(description="Which step it is.", examples=["niche"])
    is_done: bool = Field(description="Whether the data says that it is done.")
    is_needed: bool = Field(description="False for what a marketplace can do without.")


class SetupState(ResponseModel):
    """How far a new marketplace is."""

    is_complete: bool = Field(description="Whether all that is needed is done.")
    is_dismissed: bool = Field(description="Whether an operator has dismissed the list.")
    steps: Sequence[SetupStep] = Field(description="The steps in the order in which they are done.")


@router.get("")
def show_setup(_: Reader, database: MarketplaceDatabase, settings: ServerSettings) -> SetupState:
    """Show the first steps of a new marketplace, and which of them are done."""
    return _state(database, settings)


@router.post("/dismiss")
def dismiss_setup(editor: Editor, database: MarketplaceDatabase, settings: ServerSettings) -> SetupState:
    """Show the list of first steps no more, to no operator. Doing so twice is no mistake."""
    dismiss_setup_checklist(database, editor.actor)
    return _state(database, settings)


@router.post("/keys-copied")
def acknowledge_copy_of_keys(editor: Editor, database: MarketplaceDatabase, settings: ServerSettings) -> SetupState:
    """Say that there is a copy of the keys that encrypt secrets, apart from the database's backups."""
    record_keys_copied(database, editor.actor)
    return _state(database, settings)


def _state(database: MarketplaceDatabase, settings: ServerSettings) -> SetupState:
    found = read_setup_checklist(database, sends_mail=settings.sends_mail)
    return SetupState.model_validate(found)
