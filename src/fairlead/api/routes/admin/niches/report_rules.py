"""What leads are reported as bad for, and how many of them a provider may report."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import Response
from pydantic import Field

from fairlead.api.access import needs
from fairlead.api.bodies import Router
from fairlead.api.conditional import ExpectedVersion, show_version
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.routes.admin.niches.niches import Version
from fairlead.api.schemas.changes import Memo
from fairlead.api.schemas.report_rules import DECISION_DAYS, CategoryState, GivenReportRules, ShareState
from fairlead.api.schemas.values import ResponseModel
from fairlead.core.money.report_rules import ReportCategory, ReportRules, ReportShare
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.flows.configuration.report_rules import SeenReportRules, change_report_rules, read_report_rules

router = Router(prefix="/api/v1/admin", tags=["money"])


class NewReportRules(GivenReportRules):
    """The rules of reports, as a whole. No category may be missing that there is: it can be switched off."""

    memo: Memo | None = None


class ReportRulesState(ResponseModel):
    """The rules of reports of bad leads."""

    categories: Sequence[CategoryState] = Field(description="In the order in which they are offered.")
    most_a_day: int | None = Field(description="How many leads a provider may report a day; null: any number.")
    share: ShareState | None = Field(description="How many of the leads received may be reported; null: any number.")
    decision_days: int | None = Field(description=DECISION_DAYS, examples=[3])
    version: Version


@router.get("/report-rules")
def show_report_rules(
    response: Response, _: Annotated[Principal, needs(Permission.SETTINGS_READ)], database: MarketplaceDatabase
) -> ReportRulesState:
    """Show what leads are reported as bad for, and how many a provider may report."""
    return _state(response, read_report_rules(database))


@router.put("/report-rules")
def edit_report_rules(
    asked: NewReportRules,
    response: Response,
    editor: Annotated[Principal, needs(Permission.SETTINGS_WRITE)],
    expected: ExpectedVersion,
    database: MarketplaceDatabase,
) -> ReportRulesState:
    """These are the rules for reports from now on. Those that were made stay, and count in the limits."""
    rules = ReportRules(
        tuple(ReportCategory(each.key, each.label, each.is_active) for each in asked.categories),
        asked.most_a_day,
        None if asked.share is None else ReportShare(asked.share.percent, asked.share.days),
        asked.decision_days,
    )
    done = change_report_rules(database, rules, editor.actor, memo=asked.memo, expected_version=expected)
    return _state(response, done)


def _state(response: Response, seen: SeenReportRules) -> ReportRulesState:
    show_version(response, seen.version)
    rules = seen.rules
    return ReportRulesState(
        categories=[CategoryState.model_validate(each) for each in rules.categories],
        most_a_day=rules.most_a_day,
        share=None if rules.share is None else ShareState.model_validate(rules.share),
        decision_days=rules.decision_days,
        version=seen.version,
    )
