"""The tables of the marketplace file: which keys each has, and what may stand in them.

The format is described in docs/reference/marketplace-file.md. What a file does not say is None here: it is left as
it is in the marketplace.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from fairlead.core.document import composed_texts
from fairlead.core.entry.types import Address, Country, MailLanguage, PhoneRegion, TaxId
from fairlead.core.filters.postcode_tables import TABLE_NAME, is_table_name
from fairlead.core.form import FormSchema, parse_form_schema
from fairlead.core.model import MAX_BALANCE_CENTS
from fairlead.core.money.report_rules import MOST_A_DAY, MOST_DECISION_DAYS
from fairlead.core.retention import MOST_RETENTION_DAYS
from fairlead.flows.input_types import (
    OR_NOTHING,
    BasisPoints,
    Cents,
    Days,
    Email,
    Hours,
    LevelOrder,
    MaxRecipients,
    MaxRecipientsPerLead,
    Minutes,
    Name,
    OrderPosition,
    PositiveCents,
    Slug,
    Times,
    Timezone,
    Weight,
)


class FileTable(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def _table_name(value: object) -> object:
    if isinstance(value, str) and not is_table_name(value):
        words = "must be 1 to 50 small letters, digits and hyphens, beginning with a letter or digit"
        raise PydanticCustomError("no_table_name", words)
    return value


TableName = Annotated[str, BeforeValidator(_table_name), StringConstraints(pattern=TABLE_NAME)]
Version = Annotated[int, Field(ge=1, le=1_000_000)]
PathBeside = Annotated[str, StringConstraints(min_length=1, max_length=1_000)]
RetentionDays = Annotated[int, Field(ge=1, le=MOST_RETENTION_DAYS, strict=True)]


class CategoryTable(FileTable):
    """`[[marketplace.reports.categories]]`"""

    key: Name
    label: Name | None = None
    active: bool = True


class ShareTable(FileTable):
    """`[marketplace.reports.share]`; without any key it says that there is none."""

    percent: Days | None = None
    days: Days | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> "ShareTable":
        if (self.percent is None) is not (self.days is None):
            raise PydanticCustomError("incomplete_share", "must have percent and days, or none of them")
        return self


class ReportsTable(FileTable):
    """`[marketplace.reports]`: what leads are reported as bad for, and how many a provider may report."""

    categories: list[CategoryTable] | None = None
    most_a_day: Annotated[int, Field(ge=0, le=MOST_A_DAY, strict=True)] | None = None
    share: ShareTable | None = None
    decision_days: Annotated[int, Field(ge=0, le=MOST_DECISION_DAYS, strict=True)] | None = None


class RefundsTable(FileTable):
    """`[niche.refunds]`: what a refund gives back besides the money; what it does not name is not given back."""

    returns_turn: bool = False
    leaves_limits: bool = False


class PapersTable(FileTable):
    """`[marketplace.papers]`: what receipts and statements say of the marketplace."""

    legal_name: Annotated[Name, OR_NOTHING] | None = None
    address: Annotated[Address, OR_NOTHING] | None = None
    country: Annotated[Country, OR_NOTHING] | None = None
    tax_id: Annotated[TaxId, OR_NOTHING] | None = None
    tax_rate_basis_points: Annotated[BasisPoints, OR_NOTHING] | None = None


class PostcodesTable(FileTable):
    """`[[postcode_table]]`: a version of a postcode table, by a file beside this one or by its own lines."""

    name: TableName
    version: Version | None = None
    file: PathBeside | None = None
    content: str | None = None

    @model_validator(mode="after")
    def _has_one_content(self) -> "PostcodesTable":
        if self.file is not None and self.content is not None:
            raise PydanticCustomError("two_contents", "has file or content, not both")
        return self


class MarketplaceTable(FileTable):
    """`[marketplace]`"""

    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] | None = None
    min_deposit_cents: PositiveCents | None = None
    max_deposit_cents: PositiveCents | None = None
    name: Name | None = None
    timezone: Timezone | None = None
    papers: PapersTable | None = None
    reports: ReportsTable | None = None


class LevelTable(FileTable):
    """`[[niche.level]]`"""

    name: Name
    price_cents: PositiveCents | None = None
    max_recipients: MaxRecipients | None = None
    order_position: OrderPosition | None = None
    active: bool | None = None
    exclusive: bool | None = None
    order: LevelOrder | None = None
    price_rules: dict[str, Any] | None = None
    deleted: bool | None = None


class ReofferTable(FileTable):
    """`[niche.reoffer]`; without any key it says that nothing is offered again."""

    every_minutes: Minutes | None = None
    max_times: Times | None = None
    max_hours: Hours | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> "ReofferTable":
        if len({self.every_minutes is None, self.max_times is None, self.max_hours is None}) > 1:
            raise PydanticCustomError(
                "incomplete_reoffer",
                "must have every_minutes, max_times and max_hours, or none of them: then it is off",
            )
        return self


class RetentionTable(FileTable):
    """`[niche.retention]`: days that personal data is kept; what it does not name is kept for good."""

    answers_days: RetentionDays | None = None
    contact_days: RetentionDays | None = None
    rejected_days: RetentionDays | None = None
    unsold_days: RetentionDays | None = None
    deliveries_days: RetentionDays | None = None


class IntakeTable(FileTable):
    """`[niche.intake]`: what leads the niche takes in from outside."""

    public: bool | None = None
    approves: bool | None = None
    duplicate_rule: dict[str, Any] | None = None


class NicheTable(FileTable):
    """`[[niche]]`"""

    slug: Slug
    name: Name | None = None
    active: bool | None = None
    field: list[Any] | None = None
    auto_distribute: bool | None = None
    reoffer: ReofferTable | None = None
    phone_region: Annotated[PhoneRegion, OR_NOTHING] | None = None
    intake: IntakeTable | None = None
    retention: RetentionTable | None = None
    refunds: RefundsTable | None = None
    report_window_days: Days | None = None
    max_recipients_per_lead: MaxRecipientsPerLead | Literal[0] | None = None
    level: list[LevelTable] = []

    def form(self) -> FormSchema | None:
        """The form that the niche is to have, None when the file does not say. Raises `FormSchemaError`."""
        return None if self.field is None else parse_form_schema(composed_texts({"version": 1, "fields": self.field}))


class DepositTable(FileTable):
    """`[[provider.deposit]]`"""

    external_id: Name
    amount_cents: PositiveCents


class SubscriptionTable(FileTable):
    """`[[provider.subscription]]`"""

    niche: Name
    level: Name
    active: bool | None = None
    deleted: bool | None = None
    filter: list[Any] | None = None
    filter_version: Literal[1, 2] | None = None
    limits: dict[str, Any] | None = None
    schedule: dict[str, Any] | None = None
    max_price_cents: PositiveCents | Literal[0] | None = None
    weight: Weight | None = None

    @model_validator(mode="after")
    def _has_the_filter(self) -> "SubscriptionTable":
        if self.filter is None and self.filter_version is not None:
            raise PydanticCustomError("filter_missing", "has filter_version only beside filter")
        return self


class BillingTable(FileTable):
    """`[provider.billing]`: what receipts and statements say of the provider."""

    legal_name: Name | None = None
    address: Address | None = None
    country: Country | None = None
    tax_id: Annotated[TaxId, OR_NOTHING] | None = None
    email: Annotated[Email, OR_NOTHING] | None = None


def _only_off(value: object) -> object:
    if value is True:
        raise PydanticCustomError("consent", "must be false: only the provider can agree to be charged")
    return value


class AutoTopUpTable(FileTable):
    """`[provider.auto_top_up]`: the terms of an auto top-up, and that it is off. The provider switches it on."""

    threshold_cents: PositiveCents | None = None
    amount_cents: PositiveCents | None = None
    monthly_limit_cents: Annotated[int, Field(ge=1, le=MAX_BALANCE_CENTS)] | None = None
    on: Annotated[bool, BeforeValidator(_only_off)] | None = None


class ProviderTable(FileTable):
    """`[[provider]]`"""

    email: Email
    name: Name | None = None
    status: Literal["pending", "active", "suspended"] | None = None
    timezone: Timezone | None = None
    language: MailLanguage | None = None
    credit_limit_cents: Cents | None = None
    low_balance_threshold_cents: Cents | None = None
    low_balance_days: Days | None = None
    limits: dict[str, Any] | None = None
    schedule: dict[str, Any] | None = None
    conflict_group: Annotated[Name, OR_NOTHING] | None = None
    billing: BillingTable | None = None
    auto_top_up: AutoTopUpTable | None = None
    deposit: list[DepositTable] = []
    subscription: list[SubscriptionTable] = []


class MarketplaceFileTables(FileTable):
    """A whole file."""

    marketplace: MarketplaceTable = MarketplaceTable()
    postcode_table: list[PostcodesTable] = []
    niche: list[NicheTable] = []
    provider: list[ProviderTable] = []
