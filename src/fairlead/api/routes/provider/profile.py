"""A provider's own profile and balance, and what it wants to be told."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias, get_args

from fastapi import Response
from pydantic import ConfigDict, Field, StrictBool

from fairlead.api.access import OwnProvider, needs_own
from fairlead.api.bodies import Router
from fairlead.api.conditional import ExpectedVersion, show_version
from fairlead.api.openapi import refuses
from fairlead.api.schemas.changes import said, unsaid
from fairlead.api.schemas.currency import Currency
from fairlead.api.schemas.mail_language import OF_LANGUAGE, MailLanguage
from fairlead.api.schemas.values import Int, RequestModel, ResponseModel, Uuid
from fairlead.core.model import MAX_AMOUNT_CENTS
from fairlead.core.permissions import Permission
from fairlead.flows.configuration.own_provider import OwnProfileChange, change_own_profile, read_own_profile
from fairlead.flows.configuration.versions import preferences_version
from fairlead.flows.notifications.preferences import notification_preferences, set_notification_preferences

router = Router(prefix="/api/v1/provider", tags=["provider: profile"])

Reader = Annotated[OwnProvider, needs_own(Permission.OWN_READ)]
Writer = Annotated[OwnProvider, needs_own(Permission.OWN_WRITE)]

Told: TypeAlias = Literal[
    "lead_assigned",
    "refund_issued",
    "subscription_deactivated",
    "subscription_reactivated",
    "filter_invalidated",
    "price_limit_passed",
    "low_balance",
    "auto_top_up_failed",
    "balance_topped_up",
    "lead_withdrawn",
]
_Channels: TypeAlias = Annotated[Mapping[Literal["email", "webhook"], StrictBool], Field(max_length=2)]
Preferences: TypeAlias = Annotated[Mapping[Told, _Channels], Field(max_length=len(get_args(Told)))]

_PREFERENCES: dict[str, Any] = {"low_balance": {"email": True}, "lead_assigned": {"email": False, "webhook": True}}


class OwnProfile(ResponseModel):
    """The provider as the marketplace knows it. Amounts in cents."""

    provider_id: Uuid
    name: str = Field(examples=["Anchor Hosting"])
    email: str = Field(examples=["sales@anchor.example"])
    status: Literal["pending", "active", "suspended"] = Field(description="Only an active one receives leads.")
    timezone: str = Field(examples=["Europe/Berlin"])
    language: MailLanguage | None = Field(description=OF_LANGUAGE)
    balance_cents: int = Field(examples=[5000])
    credit_limit_cents: int = Field(examples=[0])
    available_cents: int = Field(description="What can be spent, in minor units: balance and credit.", examples=[5000])
    low_balance_threshold_cents: int | None = Field(examples=[1500])
    low_balance_days: int | None = Field(examples=[7])
    currency: Currency


class OwnProfilePatch(RequestModel):
    """What is to be different. What is not sent stays."""

    low_balance_threshold_cents: Annotated[Int, Field(ge=0, le=MAX_AMOUNT_CENTS, examples=[1500])] | None = unsaid()
    low_balance_days: Annotated[Int, Field(ge=1, le=365, examples=[7])] | None = unsaid()
    language: MailLanguage | None = Field(default=None, description=OF_LANGUAGE)


class PreferencesDocument(RequestModel):
    """By kind of message and channel whether the provider wants it. What is not named is wanted."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"preferences": _PREFERENCES}]})

    preferences: Preferences


@router.get("/profile", responses=refuses("provider_unknown"))
def show_own_profile(caller: Reader, response: Response) -> OwnProfile:
    """Show the provider's profile and balance, with the ETag that a change has to name."""
    return _profile(caller, response)


@router.patch("/profile", responses=refuses("provider_unknown"))
def change_own_limits(
    asked: OwnProfilePatch, expected: ExpectedVersion, caller: Writer, response: Response
) -> OwnProfile:
    """Change when the provider is told of a low balance, and its language. All else is the operators' to change."""
    change = OwnProfileChange(**said(asked))
    change_own_profile(caller.database, caller.provider_id, change, caller.actor, expected_version=expected)
    return _profile(caller, response)


@router.get("/notification-preferences", responses=refuses("provider_unknown"))
def show_own_preferences(caller: Reader, response: Response) -> PreferencesDocument:
    """Show what the provider wants to be told, with the ETag that a change has to name."""
    found = notification_preferences(caller.database, caller.provider_id)
    return _preferences(caller, found, response)


@router.put("/notification-preferences", responses=refuses("provider_unknown"))
def replace_own_preferences(
    asked: PreferencesDocument, expected: ExpectedVersion, caller: Writer, response: Response
) -> PreferencesDocument:
    """Replace what the provider wants to be told. What is being sent already is sent."""
    wanted = asked.model_dump(mode="json")["preferences"]
    done = set_notification_preferences(
        caller.database, caller.provider_id, wanted, caller.actor, expected_version=expected
    )
    return _preferences(caller, done, response)


def _profile(caller: OwnProvider, response: Response) -> OwnProfile:
    found = read_own_profile(caller.database, caller.provider_id)
    show_version(response, found.version)
    row = found.row
    return OwnProfile.model_validate(
        {
            "provider_id": row.provider_id,
            "name": row.name,
            "email": row.email,
            "status": row.status,
            "timezone": row.timezone,
            "language": row.language,
            "balance_cents": row.balance.balance_cents,
            "credit_limit_cents": row.balance.credit_limit_cents,
            "available_cents": row.balance.available_cents,
            "low_balance_threshold_cents": row.low_balance_threshold_cents,
            "low_balance_days": row.low_balance_days,
            "currency": found.currency,
        }
    )


def _preferences(
    caller: OwnProvider, found: Mapping[str, Mapping[str, bool]], response: Response
) -> PreferencesDocument:
    show_version(response, preferences_version(caller.provider_id, found))
    return PreferencesDocument.model_validate({"preferences": found})
