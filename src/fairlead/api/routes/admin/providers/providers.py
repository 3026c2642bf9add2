"""Providers as operators see to them: taking them in, their limits, their status, and what is written down of them."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Literal

from fastapi import Path, Query, Response
from pydantic import Field

from fairlead.api.access import needs
from fairlead.api.bodies import Router
from fairlead.api.conditional import ExpectedVersion, show_version
from fairlead.api.openapi import refuses
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.routes.admin.providers.provider_states import (
    ProviderChanged,
    ProviderState,
    provider_changed,
    provider_state,
)
from fairlead.api.schemas.changes import NO_REASON, GivenReason, Memo, Name, said, unsaid
from fairlead.api.schemas.currency import Currency, InCurrency
from fairlead.api.schemas.mail_language import OF_LANGUAGE, MailLanguage
from fairlead.api.schemas.pagination import ByCursor, Page
from fairlead.api.schemas.values import Email, Int, RequestModel, ResponseModel, Uuid, pattern_with_message
from fairlead.core.entry.types import Sought
from fairlead.core.model import MAX_AMOUNT_CENTS
from fairlead.core.permissions import Permission, Role
from fairlead.flows.access.invitations import invite_user
from fairlead.flows.access.principal import Principal, require
from fairlead.flows.configuration.provider_list import ProviderInList
from fairlead.flows.configuration.provider_list import list_providers as list_of_providers
from fairlead.flows.configuration.provider_status import approve_provider, reactivate_provider, suspend_provider
from fairlead.flows.configuration.providers import ProviderChange, change_provider, create_provider
from fairlead.flows.configuration.reading import read_provider
from fairlead.store.configuration.pages import ProviderSearch

router = Router(prefix="/api/v1/admin/providers", tags=["providers"])

Reader = Annotated[Principal, needs(Permission.PROVIDERS_READ)]
Editor = Annotated[Principal, needs(Permission.PROVIDERS_WRITE)]
ProviderId = Annotated[Uuid, Path()]
AlertDays = Annotated[Int, Field(ge=1, le=365, examples=[7])]
LimitCents = Annotated[Int, Field(ge=0, le=MAX_AMOUNT_CENTS)]
Timezone = Annotated[
    str,
    Field(
        max_length=64,
        pattern=pattern_with_message(
            r"^[A-Za-z][A-Za-z0-9_+/-]*$", "Input should be a time zone such as Europe/Berlin"
        ),
        examples=["Europe/Berlin"],
    ),
]
ProviderName = Annotated[Name, Field(examples=["Anchor Hosting"])]
ProviderEmail = Annotated[Email, Field(examples=["leads@anchor.example"])]


class NewProvider(RequestModel):
    """A provider, with an empty balance. Only an active one receives leads."""

    email: ProviderEmail
    name: ProviderName
    status: Literal["pending", "active"] = "active"
    timezone: Timezone = "UTC"
    language: MailLanguage | None = Field(default=None, description=OF_LANGUAGE)
    credit_limit_cents: LimitCents = 0
    low_balance_threshold_cents: LimitCents | None = None
    low_balance_days: AlertDays | None = None
    memo: Memo | None = None


class ProviderPatch(RequestModel):
    """What is to be different; what is left out stays. A threshold of null: it is not told of a low balance."""

    email: ProviderEmail = unsaid()
    name: ProviderName = unsaid()
    timezone: Timezone = unsaid()
    language: MailLanguage | None = Field(default=None, description=OF_LANGUAGE)
    credit_limit_cents: LimitCents = unsaid()
    low_balance_threshold_cents: LimitCents | None = None
    low_balance_days: AlertDays | None = None
    memo: Memo | None = None


class Invitation(RequestModel):
    """Whom to send a link that sets a password for the provider's portal."""

    email: Email
    name: Annotated[Name, Field(examples=["Ada Example"])]


class Invited(ResponseModel):
    """The user who was sent a link, good for a week."""

    user_id: Uuid
    status: str = Field(examples=["invited"])


class ProviderItem(ResponseModel):
    """A provider in the list."""

    provider_id: Uuid
    name: str = Field(examples=["Anchor Hosting"])
    email: str = Field(examples=["leads@anchor.example"])
    status: Literal["pending", "active", "suspended"]
    timezone: str = Field(examples=["Europe/Berlin"])
    balance_cents: int = Field(examples=[125_00])
    credit_limit_cents: int = Field(examples=[0])
    low_balance_threshold_cents: int | None
    low_balance_days: int | None
    currency: Currency
    subscription_count: int = Field(description="Its living subscriptions.", examples=[3])
    active_subscription_count: int = Field(description="Those that can receive leads.", examples=[2])
    unfunded_subscription_count: int = Field(description="Those that it cannot pay for.", examples=[1])
    created_at: datetime


@router.get("")
def list_providers(
    page: ByCursor,
    _: Reader,
    currency: InCurrency,
    database: MarketplaceDatabase,
    status: Annotated[Literal["pending", "active", "suspended"] | None, Query()] = None,
    q: Annotated[
        Sought | None, Query(description="How the name or the email address begins, or the address in any writing.")
    ] = None,
    out_of_money: Annotated[
        bool | None,
        Query(description="Only those with a subscription that is off for lack of money, or only those without any."),
    ] = None,
) -> Page[ProviderItem]:
    """List the providers, the newest first."""
    wanted = ProviderSearch(status, q, out_of_money)
    found = list_of_providers(database, wanted, page.after_id, page.probe)
    items, cursor = page.cut(found, _position)
    return Page[ProviderItem](items=[_item(each, currency) for each in items], next_cursor=cursor)


@router.post("", status_code=201, responses=refuses("email_taken"))
def add_provider(
    asked: NewProvider, response: Response, editor: Editor, currency: InCurrency, database: MarketplaceDatabase
) -> ProviderChanged:
    """There is the provider. Asked for again with the same email and values, nothing is changed.

    A credit limit is money that is lent: it takes `money:write` as well, and so a person with a fresh proof.
    """
    if asked.credit_limit_cents:
        require(editor, Permission.MONEY_WRITE)
    done = create_provider(
        database,
        asked.email,
        asked.name,
        editor.actor,
        status=asked.status,
        timezone=asked.timezone,
        language=asked.language,
        credit_limit_cents=asked.credit_limit_cents,
        low_balance_threshold_cents=asked.low_balance_threshold_cents,
        low_balance_days=asked.low_balance_days,
        memo=asked.memo,
    )
    return provider_changed(response, done, currency)


@router.get("/{provider_id}", responses=refuses("provider_unknown"))
def show_provider(
    provider_id: ProviderId, response: Response, _: Reader, currency: InCurrency, database: MarketplaceDatabase
) -> ProviderState:
    """Show a provider with its balance."""
    seen = read_provider(database, provider_id)
    show_version(response, seen.version)
    return provider_state(seen.row, currency)


@router.patch("/{provider_id}", responses=refuses("provider_unknown", "email_taken", "credit_in_use"))
def edit_provider(
    provider_id: ProviderId,
    asked: ProviderPatch,
    response: Response,
    editor: Editor,
    currency: InCurrency,
    expected: ExpectedVersion,
    database: MarketplaceDatabase,
) -> ProviderChanged:
    """The provider is as the change says. Another credit limit lets its subscriptions start or stop at once.

    It is money that is lent: to name it takes `money:write` as well, and so a person with a fresh proof.
    """
    if "credit_limit_cents" in said(asked):
        require(editor, Permission.MONEY_WRITE)
    change = ProviderChange(**said(asked))
    done = change_provider(database, provider_id, change, editor.actor, memo=asked.memo, expected_version=expected)
    return provider_changed(response, done, currency)


@router.post("/{provider_id}/invitations", status_code=201, responses=refuses("provider_unknown", "email_taken"))
def invite_to_provider(
    provider_id: ProviderId,
    asked: Invitation,
    inviter: Annotated[Principal, needs(Permission.USERS_WRITE)],
    database: MarketplaceDatabase,
) -> Invited:
    """A new user of the provider is sent a link to the portal. Sent again, it is a new link, and the first stops
    working.

    The address may be another one than the provider's own, to which its leads go.
    """
    done = invite_user(database, asked.email, asked.name, Role.PROVIDER, inviter.actor, provider_id=provider_id)
    return Invited.model_validate(done)


@router.post("/{provider_id}/approve", responses=refuses("provider_unknown", "provider_status"))
def approve_one_provider(
    provider_id: ProviderId,
    response: Response,
    editor: Editor,
    currency: InCurrency,
    database: MarketplaceDatabase,
    asked: GivenReason = NO_REASON,
) -> ProviderChanged:
    """The provider, pending before, is active: it receives leads."""
    return provider_changed(response, approve_provider(database, provider_id, editor.actor, memo=asked.memo), currency)


@router.post("/{provider_id}/suspend", responses=refuses("provider_unknown"))
def suspend_one_provider(
    provider_id: ProviderId,
    response: Response,
    editor: Editor,
    currency: InCurrency,
    database: MarketplaceDatabase,
    asked: GivenReason = NO_REASON,
) -> ProviderChanged:
    """The provider receives no lead from the next decision on, and its people can only look."""
    return provider_changed(response, suspend_provider(database, provider_id, editor.actor, memo=asked.memo), currency)


@router.post("/{provider_id}/reactivate", responses=refuses("provider_unknown", "provider_status"))
def reactivate_one_provider(
    provider_id: ProviderId,
    response: Response,
    editor: Editor,
    currency: InCurrency,
    database: MarketplaceDatabase,
    asked: GivenReason = NO_REASON,
) -> ProviderChanged:
    """The provider, suspended before, is active, with its old place in the order."""
    return provider_changed(
        response, reactivate_provider(database, provider_id, editor.actor, memo=asked.memo), currency
    )


def _position(item: ProviderInList) -> tuple[datetime, str]:
    return item.provider.created_at, item.provider.provider_id


def _item(each: ProviderInList, currency: str) -> ProviderItem:
    return ProviderItem(
        **asdict(each.provider),
        currency=currency,
        subscription_count=each.subscriptions.living,
        active_subscription_count=each.subscriptions.active,
        unfunded_subscription_count=each.subscriptions.insufficient_funds,
    )
