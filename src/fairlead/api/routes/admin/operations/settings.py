"""What holds for the whole marketplace, and what this installation was started with."""

from base64 import b64decode
from datetime import datetime
from typing import Annotated, ClassVar, Literal

from fastapi import Response
from pydantic import Field, StrictInt

from fairlead.api.access import needs
from fairlead.api.bodies import Router
from fairlead.api.conditional import ExpectedVersion, show_version
from fairlead.api.openapi import refuses
from fairlead.api.resources import MarketplaceDatabase, ServerSettings
from fairlead.api.routes.admin.providers.providers import Timezone
from fairlead.api.schemas.changes import Memo, Name, unsaid
from fairlead.api.schemas.currency import Currency
from fairlead.api.schemas.values import LARGE_BODY_BYTES, Cents, RequestModel, ResponseModel, pattern_with_message
from fairlead.core.entry.types import Address, Country, TaxId
from fairlead.core.errors import BadInput
from fairlead.core.permissions import Permission
from fairlead.core.picture import MAX_BYTES
from fairlead.flows.access.principal import Principal
from fairlead.flows.configuration.logo import Logo, change_logo, read_logo
from fairlead.flows.configuration.marketplace import (
    MarketplaceSettings,
    PapersChange,
    change_marketplace,
    read_marketplace,
)

router = Router(prefix="/api/v1/admin", tags=["settings"])

Reader = Annotated[Principal, needs(Permission.SETTINGS_READ)]
Editor = Annotated[Principal, needs(Permission.SETTINGS_WRITE)]
DepositBound = Annotated[Cents, Field(examples=[1000])]
MarketplaceName = Annotated[Name, Field(examples=["Harbour Leads"])]


class MarketplaceChange(RequestModel):
    """What is to be different; what is left out stays as it is."""

    currency: Currency = unsaid()
    name: MarketplaceName = unsaid()
    timezone: Timezone = unsaid()
    min_deposit_cents: Annotated[
        DepositBound | None,
        Field(description="The smallest deposit that a gateway collects, in minor units; null: any."),
    ] = unsaid()
    max_deposit_cents: Annotated[
        DepositBound | None,
        Field(description="The largest deposit that a gateway collects, in minor units; null: any."),
    ] = unsaid()
    legal_name: Annotated[
        Name | None, Field(description="What papers name the marketplace; null: nothing.", examples=["Harbour GmbH"])
    ] = unsaid()
    address: Annotated[
        Address | None,
        Field(description="Its postal address on papers, but for the country; null: none.", examples=["Kai 1\nBremen"]),
    ] = unsaid()
    country: Annotated[Country | None, Field(description="Its country on papers; null: none.")] = unsaid()
    tax_id: Annotated[
        TaxId | None, Field(description="Its tax id on papers; null: none.", examples=["DE987654321"])
    ] = unsaid()
    tax_rate_basis_points: Annotated[
        StrictInt | None,
        Field(
            ge=0,
            le=10_000,
            description="The tax that deposits contain, in hundredths of a percent; null: receipts name no tax.",
            examples=[1_900],
        ),
    ] = unsaid()
    memo: Memo | None = None


class NewLogo(RequestModel):
    """A picture that stands beside the marketplace's name."""

    most_bytes: ClassVar[int] = LARGE_BODY_BYTES

    image: Annotated[
        str,
        Field(
            min_length=1,
            max_length=(MAX_BYTES + 2) // 3 * 4,
            pattern=pattern_with_message("^[A-Za-z0-9+/]+={0,2}$", "Input should be base64"),
            description="A PNG, JPEG or WebP picture of at most 200 kB and 2,000 pixels a side, in base64.",
            examples=[
                "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
            ],
            repr=False,
        ),
    ]
    memo: Memo | None = None


class LogoState(ResponseModel):
    """The logo without its bytes, which are at `/logo/` and its digest."""

    digest: str | None = Field(
        description="The SHA-256 of its bytes, in hexadecimal; null without a logo.", examples=["9f2c4e6a8b0d1f3a"]
    )
    media_type: Literal["image/png", "image/jpeg", "image/webp"] | None = Field(
        description="What its bytes are; null without a logo."
    )
    size_bytes: int | None = Field(description="How many bytes; null without a logo.")
    changed_at: datetime | None = Field(description="When it was put there; null without a logo.")
    version: str = Field(
        description="The version, which a change names in `If-Match`.", examples=["9f2c4e6a8b0d1f3a5c7e9b1d3f5a7c9e"]
    )


class MarketplaceState(ResponseModel):
    """What holds for the whole marketplace."""

    currency: Currency
    name: str | None = Field(
        description="What its pages call it; null until it has a name.", examples=["Harbour Leads"]
    )
    timezone: str | None = Field(
        description="The time zone of new providers, until they choose another; null until one was chosen, and UTC.",
        examples=["Europe/Berlin"],
    )
    min_deposit_cents: int | None = Field(
        description="The smallest deposit that a gateway collects, in minor units; null: any.", examples=[1000]
    )
    max_deposit_cents: int | None = Field(
        description="The largest deposit that a gateway collects, in minor units; null: any.", examples=[1_000_000]
    )
    legal_name: str | None = Field(
        description="What papers name the marketplace; null: nothing.", examples=["Harbour GmbH"]
    )
    address: str | None = Field(
        description="Its postal address on papers, but for the country; null: none.", examples=["Kai 1\nBremen"]
    )
    country: str | None = Field(description="Its country on papers, by ISO 3166's code; null: none.", examples=["DE"])
    tax_id: str | None = Field(description="Its tax id on papers; null: none.", examples=["DE987654321"])
    tax_rate_basis_points: int | None = Field(
        description="The tax that deposits contain, in hundredths of a percent; null: receipts name no tax.",
        examples=[1_900],
    )
    version: str = Field(
        description="The version, which a change names in `If-Match`.", examples=["9f2c4e6a8b0d1f3a5c7e9b1d3f5a7c9e"]
    )


class InstallationSettings(ResponseModel):
    """What the web process that answers was started with, as docs/reference/settings.md has it.

    Only what is named here is ever shown: no address of a server, no path, no secret, and no email address.
    """

    public_url: str | None = Field(examples=["https://leads.example.com"])
    row_level_security: Literal["on", "off"]
    statement_timeout_ms: int
    lock_timeout_ms: int
    idle_in_transaction_timeout_ms: int
    transaction_timeout_ms: int
    long_statement_timeout_ms: int
    max_leads_per_batch: int
    worker_concurrency: int
    delivery_concurrency: int
    max_leads_per_second: float | None
    heartbeat_timeout_seconds: int
    shutdown_timeout_seconds: int
    retry_delay_factor: float
    web_pool_size: int
    export_kept_days: int
    export_max_rows: int
    export_max_megabytes: int
    cookie_over_http: bool | None
    payment_gateway: Literal["none", "test", "stripe"] | None = Field(
        description="Who collects deposits; null where the test gateway does on this machine alone, and else none."
    )
    log_level: Literal["debug", "info", "warning", "error"]
    log_format: Literal["json", "console"]
    mail_transport: Literal["console", "directory", "smtp"]
    mail_from: str = Field(examples=["Fairlead <leads@example.com>"])
    smtp_security: Literal["starttls", "tls", "none"]
    smtp_timeout_seconds: float
    webhook_allow_private: bool
    webhook_timeout_seconds: float
    webhook_pause_after_failures: int


@router.get("/marketplace")
def show_marketplace(response: Response, _: Reader, database: MarketplaceDatabase) -> MarketplaceState:
    """Show what holds for the whole marketplace."""
    return _state(response, read_marketplace(database))


@router.put("/marketplace", responses=refuses("currency_in_use"))
def edit_marketplace(
    asked: MarketplaceChange,
    response: Response,
    editor: Editor,
    expected: ExpectedVersion,
    database: MarketplaceDatabase,
) -> MarketplaceState:
    """The marketplace has this name, time zone, currency, these bounds of deposits, and this on its papers.

    Another currency is possible until money was moved.
    """
    done = change_marketplace(
        database,
        asked.currency,
        editor.actor,
        name=asked.name,
        timezone=asked.timezone,
        min_deposit_cents=asked.min_deposit_cents,
        max_deposit_cents=asked.max_deposit_cents,
        papers=PapersChange(asked.legal_name, asked.address, asked.country, asked.tax_id, asked.tax_rate_basis_points),
        memo=asked.memo,
        expected_version=expected,
    )
    return _state(response, done)


@router.get("/marketplace/logo")
def show_logo(response: Response, _: Reader, database: MarketplaceDatabase) -> LogoState:
    """Show which logo the marketplace has."""
    return _logo_state(response, read_logo(database))


@router.put("/marketplace/logo")
def replace_logo(
    asked: NewLogo, response: Response, editor: Editor, expected: ExpectedVersion, database: MarketplaceDatabase
) -> LogoState:
    """The picture is the marketplace's logo, on its own pages and on its forms."""
    try:
        content = b64decode(asked.image, validate=True)
    except ValueError:
        raise BadInput(["image: must be base64"]) from None
    done = change_logo(database, content, editor.actor, memo=asked.memo, expected_version=expected)
    return _logo_state(response, done)


@router.delete("/marketplace/logo")
def remove_logo(
    response: Response, editor: Editor, expected: ExpectedVersion, database: MarketplaceDatabase
) -> LogoState:
    """The marketplace has no logo."""
    return _logo_state(response, change_logo(database, None, editor.actor, expected_version=expected))


@router.get("/settings")
def show_settings(_: Reader, settings: ServerSettings) -> InstallationSettings:
    """Show what the server was started with, as far as it is no secret."""
    return InstallationSettings.model_validate(settings)


def _logo_state(response: Response, logo: Logo) -> LogoState:
    show_version(response, logo.version)
    return LogoState.model_validate(logo)


def _state(response: Response, settings: MarketplaceSettings) -> MarketplaceState:
    show_version(response, settings.version)
    return MarketplaceState.model_validate(settings)
