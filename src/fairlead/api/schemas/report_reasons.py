"""Why a provider reports a lead as bad: the key of a category, in bodies, answers and filters."""

from typing import Annotated, TypeAlias

from pydantic import Field

from fairlead.api.schemas.values import pattern_with_message

ReportReason: TypeAlias = Annotated[
    str,
    Field(
        pattern=pattern_with_message(
            "^[a-z][a-z0-9_]{0,39}$", "Input should be the key of a category: a-z, 0-9 and _, up to 40"
        ),
        description="The key of the category: `unreachable`, `wrong_contact`, `duplicate`, `not_interested`, "
        "`outside_filter`, `spam`, `other`, or one of the operators' own.",
        examples=["unreachable"],
    ),
]
