"""Proofs of the whole past: asking for one, how far it is, and what it came to."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated

from fastapi import Path, Query
from pydantic import Field

from fairlead.api.access import needs
from fairlead.api.bodies import Router
from fairlead.api.openapi import refuses
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.schemas.values import RequestModel, ResponseModel, Slug, Uuid
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.flows.proving.verifications import proof_state, read_verification, request_verification
from fairlead.store.verifications import verification_page

router = Router(prefix="/api/v1/admin/verifications", tags=["audit"])

Reader = Annotated[Principal, needs(Permission.REPORTS_READ)]


class VerificationRequest(RequestModel):
    """What is to be verified."""

    niche: Slug | None = Field(
        None, description="Replay only this niche's journal; the rows are checked as a whole all the same."
    )


class VerifiedCheck(ResponseModel):
    """One promise, and whether it was kept."""

    name: str = Field(description="What was checked.", examples=["decided again, byte for byte: decisions of hosting"])
    checked: int = Field(description="On how many subjects; 0 proves nothing.")
    differences: Sequence[str] = Field(description="The first that are not as they must be.", examples=[[]])


class VerificationState(ResponseModel):
    """A verification: it waits for a worker, runs, or has ended."""

    verification_id: Uuid = Field(description="The verification's id.")
    niche: str | None = Field(
        description="The niche whose journal alone is replayed; null for every niche's.", examples=["hosting"]
    )
    requested_at: datetime = Field(description="When it was asked for.")
    requested_by: str = Field(description="Who asked for it.", examples=["operator"])
    started_at: datetime | None = Field(description="When it began; null while it waits for a worker.")
    progress: Mapping[str, str | int] | None = Field(
        description="What it was at, when it last said so: `what`, and `done` of `total`; null before.",
        examples=[{"what": "journal of hosting", "done": 4200, "total": 12000}],
    )
    ended_at: datetime | None = Field(description="When it ended; null while it waits or runs.")
    seconds: float | None = Field(description="How long it took; null before its end.")
    error: str | None = Field(
        description="Why it ended before all was checked, so that nothing is proven; null where it did not.",
        examples=["Unavailable"],
    )
    holds: bool | None = Field(description="Whether every check holds; null where they were not all made.")
    decision_count: int | None = Field(description="How many decisions were taken again; null without a result.")
    difference_count: int | None = Field(description="How many checks do not hold; null without a result.")


class VerificationInFull(VerificationState):
    """A verification, with each of its checks."""

    checks: Sequence[VerifiedCheck] | None = Field(description="Every check; null without a result.")


class Verifications(ResponseModel):
    """The newest verifications, the one that waits or runs first, then the newest."""

    items: Sequence[VerificationState]


class VerificationsNow(ResponseModel):
    """What is known of the past: the newest verification with a result, and the one that waits or runs."""

    last: VerificationInFull | None = Field(description="The newest with a result; null before the first.")
    under_way: VerificationState | None = Field(description="The one that waits or runs; null without any.")


@router.post("", status_code=202, responses=refuses("niche_unknown"))
def request_one_verification(
    asked: VerificationRequest,
    operator: Annotated[Principal, needs(Permission.JOBS_WRITE)],
    database: MarketplaceDatabase,
) -> VerificationState:
    """Ask for a proof of the past: hash chains, every decision taken again, every balance and row. A worker makes it.

    One at a time: where one waits or runs already, that one is the answer. It repairs nothing.
    """
    return VerificationState.model_validate(request_verification(database, operator.actor, asked.niche))


@router.get("")
def list_verifications(
    _: Reader,
    database: MarketplaceDatabase,
    limit: Annotated[int, Query(ge=1, le=200, description="How many at most.")] = 20,
) -> Verifications:
    """List the newest verifications."""
    found = database.read(lambda conn: verification_page(conn, limit))
    return Verifications(items=[VerificationState.model_validate(each) for each in found])


@router.get("/state")
def show_proof_state(
    _: Reader,
    database: MarketplaceDatabase,
    niche: Annotated[
        Slug | None, Query(description="Also count a verification of this niche alone, by the niche's slug.")
    ] = None,
) -> VerificationsNow:
    """Show what the newest verification with a result came to, and the one that waits or runs."""
    return VerificationsNow.model_validate(proof_state(database, niche))


@router.get("/{verification_id}", responses=refuses("verification_unknown"))
def show_verification(
    verification_id: Annotated[Uuid, Path(description="The verification's id.")],
    _: Reader,
    database: MarketplaceDatabase,
) -> VerificationInFull:
    """Show a verification with every check and the first differences of each."""
    return VerificationInFull.model_validate(read_verification(database, verification_id))
