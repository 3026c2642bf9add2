"""The marketplace file: what may be written in it, and reading it with every mistake named by its key.

The format is described in docs/reference/marketplace-file.md. What a file does not say is None here: it is left as
it is in the marketplace.
"""

import hashlib
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from fairlead.core.document import composed_texts
from fairlead.core.entry.mailbox import mailbox_key
from fairlead.core.entry.types import Address, Country, MailLanguage, PhoneRegion, TaxId
from fairlead.core.errors import BadInput
from fairlead.core.form import FormSchema, FormSchemaError, parse_form_schema
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
    describe_error,
)


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


RetentionDays = Annotated[int, Field(ge=1, le=MOST_RETENTION_DAYS, strict=True)]


class CategoryTable(_Table):
    """`[[marketplace.reports.categories]]`"""

    key: Name
    label: Name | None = None
    active: bool = True


class ShareTable(_Table):
    """`[marketplace.reports.share]`; without any key it says that there is none."""

    percent: Days | None = None
    days: Days | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> "ShareTable":
        if (self.percent is None) is not (self.days is None):
            raise PydanticCustomError("incomplete_share", "must have percent and days, or none of them")
        return self


class ReportsTable(_Table):
    """`[marketplace.reports]`: what leads are reported as bad for, and how many a provider may report."""

    categories: list[CategoryTable] | None = None
    most_a_day: Annotated[int, Field(ge=0, le=MOST_A_DAY, strict=True)] | None = None
    share: ShareTable | None = None
    decision_days: Annotated[int, Field(ge=0, le=MOST_DECISION_DAYS, strict=True)] | None = None


class RefundsTable(_Table):
    """`[niche.refunds]`: what a refund gives back besides the money; what it does not name is not given back."""

    returns_turn: bool = False
    leaves_limits: bool = False


class PapersTable(_Table):
    """`[marketplace.papers]`: what receipts and statements say of the marketplace."""

    legal_name: Annotated[Name, OR_NOTHING] | None = None
    address: Annotated[Address, OR_NOTHING] | None = None
    country: Annotated[Country, OR_NOTHING] | None = None
    tax_id: Annotated[TaxId, OR_NOTHING] | None = None
    tax_rate_basis_points: Annotated[BasisPoints, OR_NOTHING] | None = None


class MarketplaceTable(_Table):
    """`[marketplace]`"""

    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] | None = None
    min_deposit_cents: PositiveCents | None = None
    max_deposit_cents: PositiveCents | None = None
    name: Name | None = None
    timezone: Timezone | None = None
    papers: PapersTable | None = None
    reports: ReportsTable | None = None


class LevelTable(_Table):
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


class ReofferTable(_Table):
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


class RetentionTable(_Table):
    """`[niche.retention]`: days that personal data is kept; what it does not name is kept for good."""

    answers_days: RetentionDays | None = None
    contact_days: RetentionDays | None = None
    rejected_days: RetentionDays | None = None
    unsold_days: RetentionDays | None = None
    deliveries_days: RetentionDays | None = None


class NicheTable(_Table):
    """`[[niche]]`"""

    slug: Slug
    name: Name | None = None
    active: bool | None = None
    field: list[Any] | None = None
    auto_distribute: bool | None = None
    reoffer: ReofferTable | None = None
    phone_region: Annotated[PhoneRegion, OR_NOTHING] | None = None
    retention: RetentionTable | None = None
    refunds: RefundsTable | None = None
    report_window_days: Days | None = None
    max_recipients_per_lead: MaxRecipientsPerLead | Literal[0] | None = None
    level: list[LevelTable] = []

    def form(self) -> FormSchema | None:
        """The form that the niche is to have, None when the file does not say. Raises `FormSchemaError`."""
        return None if self.field is None else parse_form_schema(composed_texts({"version": 1, "fields": self.field}))


class DepositTable(_Table):
    """`[[provider.deposit]]`"""

    external_id: Name
    amount_cents: PositiveCents


class SubscriptionTable(_Table):
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


class BillingTable(_Table):
    """`[provider.billing]`: what receipts and statements say of the provider."""

    legal_name: Name | None = None
    address: Address | None = None
    country: Country | None = None
    tax_id: Annotated[TaxId, OR_NOTHING] | None = None
    email: Annotated[Email, OR_NOTHING] | None = None


class ProviderTable(_Table):
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
    deposit: list[DepositTable] = []
    subscription: list[SubscriptionTable] = []


class _File(_Table):
    marketplace: MarketplaceTable = MarketplaceTable()
    niche: list[NicheTable] = []
    provider: list[ProviderTable] = []


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a marketplace file says, known to be well formed. `sha256` names the very text that said it."""

    marketplace: MarketplaceTable
    niches: Sequence[NicheTable]
    providers: Sequence[ProviderTable]
    sha256: str


def parse_declaration(text: str) -> Declaration:
    """The declaration that the text of a marketplace file makes.

    Raises `BadInput` with every problem that shows without looking into the marketplace, each naming its key.
    """
    try:
        raw = tomllib.loads(text)
    except RecursionError:
        raise BadInput(["this is not valid TOML: it is nested too deeply"]) from None
    except ValueError as error:
        raise BadInput([f"this is not valid TOML: {error}"]) from None
    try:
        file = _File.model_validate(raw)
    except ValidationError as error:
        raise BadInput([describe_error(detail) for detail in error.errors(include_url=False)]) from None
    problems = [*_form_problems(file.niche), *_repetitions(file)]
    if problems:
        raise BadInput(problems)
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    return Declaration(file.marketplace, file.niche, file.provider, sha256)


def _form_problems(niches: Sequence[NicheTable]) -> Iterable[str]:
    for number, niche in enumerate(niches):
        try:
            niche.form()
        except FormSchemaError as error:
            for problem in error.problems:
                yield f"niche[{number}].{problem.path.replace('fields', 'field', 1)}: {problem.message}"


def _repetitions(file: _File) -> Iterable[str]:
    """One problem for each thing that is declared a second time: two answers to one question."""
    seen: dict[tuple[object, ...], str] = {}
    for path, *identity in _identities(file):
        first = seen.setdefault(tuple(identity), path)
        if first != path:
            yield f"{path}: is declared already by {first}"


def _identities(file: _File) -> Iterable[tuple[str, *tuple[object, ...]]]:
    for number, niche in enumerate(file.niche):
        path = f"niche[{number}]"
        yield f"{path}.slug", "niche", niche.slug
        for place, level in enumerate(niche.level):
            yield f"{path}.level[{place}].name", "level", niche.slug, level.name
    for number, provider in enumerate(file.provider):
        path, email = f"provider[{number}]", mailbox_key(provider.email)
        yield f"{path}.email", "provider", email
        for place, deposit in enumerate(provider.deposit):
            yield f"{path}.deposit[{place}].external_id", "deposit", deposit.external_id
        for place, subscription in enumerate(provider.subscription):
            identity = ("subscription", email, subscription.niche, subscription.level)
            yield f"{path}.subscription[{place}].level", *identity
