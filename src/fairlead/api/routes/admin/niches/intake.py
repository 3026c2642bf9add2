"""What a niche lets in from outside, as operators set it."""

from typing import Annotated, Literal

from fastapi import Path, Response
from pydantic import Field, JsonValue, StrictBool

from fairlead.api.access import needs
from fairlead.api.bodies import Router
from fairlead.api.conditional import ExpectedVersion, show_version
from fairlead.api.openapi import refuses
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.schemas.changes import Memo
from fairlead.api.schemas.values import Int, RequestModel, ResponseModel, Uuid, pattern_with_message
from fairlead.core.canonical import JsonObject
from fairlead.core.duplicates import LONGEST_DUPLICATE_WINDOW_DAYS, MOST_FIELDS, MOST_GROUPS
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.flows.intake.policy import change_intake_policy, read_intake_policy
from fairlead.store.leads.intake import IntakePolicy, niche_slug_of

router = Router(prefix="/api/v1/admin/niches", tags=["niches"])

RULE_EXAMPLE: dict[str, JsonValue] = {
    "version": 1,
    "any_of": [["contact_email"], ["contact_phone"]],
    "duplicate_window_days": 90,
    "scope": "niche",
    "action": "refuse",
}

NicheId = Annotated[Uuid, Path(description="The niche's id.")]

_Field = Annotated[
    str,
    Field(
        pattern=pattern_with_message(
            r"^(contact_(email|name|phone)|attributes\.[A-Za-z_][A-Za-z0-9_.-]{0,63})$",
            "Input should be contact_email, contact_name, contact_phone, or attributes. and the key of a field",
        ),
        examples=["contact_email"],
    ),
]
_Group = Annotated[list[_Field], Field(min_length=1, max_length=MOST_FIELDS)]


class DuplicateRuleDocument(RequestModel):
    """When a lead counts as one that came before: in any of the groups, all fields are given and equal.

    `refuse`: it is not taken in; `flag`: it is, with the earlier lead named beside it.
    """

    version: Literal[1]
    any_of: Annotated[list[_Group], Field(min_length=1, max_length=MOST_GROUPS)]
    duplicate_window_days: Annotated[Int, Field(ge=1, le=LONGEST_DUPLICATE_WINDOW_DAYS, examples=[90])] | None = Field(
        description="Among leads of so many days; null: among all there ever were."
    )
    scope: Literal["niche", "marketplace"]
    action: Literal["refuse", "flag"]


class NewIntakePolicy(RequestModel):
    """All of what a niche lets in."""

    is_public: StrictBool = Field(description="Whether the public may send leads, to be confirmed by email.")
    approves: StrictBool = Field(description="Whether a lead that came with a key is approved as it comes.")
    duplicate_rule: DuplicateRuleDocument | None = Field(description="Which leads are the same; null: none are.")
    memo: Memo | None = None

    @property
    def policy(self) -> IntakePolicy:
        """The policy that was asked for."""
        rule: JsonObject | None = None if self.duplicate_rule is None else self.duplicate_rule.model_dump(mode="json")
        return IntakePolicy(self.is_public, self.approves, rule)


class IntakePolicyState(ResponseModel):
    """What a niche lets in. The ETag is the policy's version."""

    is_public: bool
    approves: bool
    duplicate_rule: Annotated[dict[str, JsonValue], Field(examples=[RULE_EXAMPLE])] | None


@router.get("/{niche_id}/intake-policy", responses=refuses("niche_unknown"))
def show_intake_policy(
    niche_id: NicheId,
    _: Annotated[Principal, needs(Permission.NICHES_READ)],
    database: MarketplaceDatabase,
    response: Response,
) -> IntakePolicyState:
    """Show what a niche lets in from outside."""
    seen = read_intake_policy(database, database.read(lambda conn: niche_slug_of(conn, niche_id)))
    show_version(response, seen.version)
    return IntakePolicyState.model_validate(seen.policy)


@router.put("/{niche_id}/intake-policy", responses=refuses("niche_unknown"))
def replace_intake_policy(
    niche_id: NicheId,
    asked: NewIntakePolicy,
    operator: Annotated[Principal, needs(Permission.NICHES_WRITE)],
    database: MarketplaceDatabase,
    expected: ExpectedVersion,
    response: Response,
) -> IntakePolicyState:
    """Replace what a niche lets in, from the next lead on. It changes no subscription's place in the order."""
    slug = database.read(lambda conn: niche_slug_of(conn, niche_id))
    done = change_intake_policy(database, slug, asked.policy, operator.actor, expected, memo=asked.memo)
    show_version(response, done.version)
    return IntakePolicyState.model_validate(done.policy)
