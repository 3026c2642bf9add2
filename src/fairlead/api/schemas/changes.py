"""Changing some of a thing and leaving the rest: in a PATCH, what was not sent stays as it is.

So a member that may not be null says so in the document, and null means something only where it does.
"""

from collections.abc import Collection
from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, Field

from fairlead.api.schemas.values import RequestModel
from fairlead.core.entry.text import LONGEST_NAME
from fairlead.core.entry.types import Line
from fairlead.flows.configuration.versions import UNCHANGED

Name: TypeAlias = Annotated[str, Line(LONGEST_NAME), Field(examples=["Hosting"])]
"""What people call a thing."""

Memo: TypeAlias = Annotated[str, Line(500), Field(examples=["agreed on the telephone"])]
"""Why something was changed, for the readers of the audit log. It is kept for good: nothing personal belongs here."""


class GivenReason(RequestModel):
    """Why something is done, in the words of the user who does it."""

    memo: Memo | None = None


NO_REASON = GivenReason()
"""For what may be done without a word."""


def unsaid() -> Any:
    """For a member of a PATCH that may be left out, and where null is not the same as leaving it out."""
    return Field(default_factory=lambda: UNCHANGED)


def said(asked: BaseModel, apart_from: Collection[str] = ("memo",)) -> dict[str, Any]:
    """The members that were sent, by name."""
    return {name: getattr(asked, name) for name in sorted(asked.model_fields_set) if name not in apart_from}
