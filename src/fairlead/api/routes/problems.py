"""Where the `type` of a problem leads: what its code means."""

from typing import Annotated

from fastapi import Path
from pydantic import ConfigDict

from fairlead.api.access import public
from fairlead.api.bodies import Router
from fairlead.api.openapi import refuses
from fairlead.api.problem_codes import PROBLEMS
from fairlead.api.schemas.values import NAME_PATTERN, ResponseModel
from fairlead.core.errors import Refused

router = Router(
    prefix="/api/v1/problems", tags=["problems"], dependencies=[public("what codes mean is in the manual too")]
)

Code = Annotated[str, Path(pattern=NAME_PATTERN, examples=["lead_unknown"])]


class ProblemKind(ResponseModel):
    """A code, the status that it comes with, and what it means."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"code": "lead_unknown", "status": 404, "title": "There is no such lead"}]}
    )

    code: str
    status: int
    title: str


class ProblemKinds(ResponseModel):
    """Every code there is."""

    items: list[ProblemKind]


@router.get("")
async def list_problems() -> ProblemKinds:
    """List every code that an answer may carry."""
    return ProblemKinds(items=[_kind(code) for code in sorted(PROBLEMS)])


@router.get("/{code}", responses=refuses("problem_unknown"))
async def show_problem(code: Code) -> ProblemKind:
    """Say what a code means."""
    if code not in PROBLEMS:
        raise Refused("problem_unknown", "there is no such code")
    return _kind(code)


def _kind(code: str) -> ProblemKind:
    kind = PROBLEMS[code]
    return ProblemKind(code=code, status=kind.status, title=kind.title)
