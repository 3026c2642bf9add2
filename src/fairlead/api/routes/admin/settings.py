"""What holds for the whole marketplace, and what this installation was started with."""

from typing import Annotated, Literal

from fastapi import Response
from pydantic import Field

from fairlead.api.access import needs
from fairlead.api.bodies import Router
from fairlead.api.conditional import ExpectedVersion, show_version
from fairlead.api.openapi import refuses
from fairlead.api.resources import MarketplaceDatabase, ServerSettings
from fairlead.api.schemas.changes import Memo
from fairlead.api.schemas.currency import Currency
from fairlead.api.schemas.values import RequestModel, ResponseModel
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.flows.configuration.marketplace import MarketplaceSettings, change_marketplace, read_marketplace

router = Router(prefix="/api/v1/admin", tags=["settings"])

Reader = Annotated[Principal, needs(Permission.SETTINGS_READ)]
Editor = Annotated[Principal, needs(Permission.SETTINGS_WRITE)]


class MarketplaceChange(RequestModel):
    """The currency of all amounts."""

    currency: Currency
    memo: Memo | None = None


class MarketplaceState(ResponseModel):
    """What holds for the whole marketplace."""

    currency: Currency
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
    cookie_over_http: bool | None
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
    """All amounts are in this currency, with the numbers that they have. Possible until money was moved."""
    done = change_marketplace(database, asked.currency, editor.actor, memo=asked.memo, expected_version=expected)
    return _state(response, done)


@router.get("/settings")
def show_settings(_: Reader, settings: ServerSettings) -> InstallationSettings:
    """Show what the server was started with, as far as it is no secret."""
    return InstallationSettings.model_validate(settings)


def _state(response: Response, settings: MarketplaceSettings) -> MarketplaceState:
    show_version(response, settings.version)
    return MarketplaceState.model_validate(settings)
