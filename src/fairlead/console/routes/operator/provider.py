"""One provider: is it well served, and does it pay."""

from dataclasses import dataclass
from typing import Annotated

from babel.numbers import get_currency_precision
from fastapi import APIRouter, Path, Response

from fairlead.api.access import needs
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.schemas.values import Uuid
from fairlead.console.entered_amount import entered_amount
from fairlead.console.operator.jobs_in_words import message_words
from fairlead.console.operator.provider_pace import pace_of
from fairlead.console.operator.provider_subscriptions import SubscriptionLine, levels_to_join, subscription_lines
from fairlead.console.page import PageOfRequest, PageRoute
from fairlead.console.payment_words import reason_word
from fairlead.console.report_categories import words_for_operators
from fairlead.console.terms import limit_lines, local_text, shown_terms
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.flows.access.read_limits import REPORTS_OF_CALLER
from fairlead.flows.access.seeing import SEEING
from fairlead.flows.access.users import ListedUser, UserSearch, page_of_users
from fairlead.flows.configuration.conflict_groups import read_conflict_groups
from fairlead.flows.configuration.provider_notes import provider_notes
from fairlead.flows.configuration.reading import read_provider
from fairlead.flows.configuration.report_rules import read_report_rules
from fairlead.flows.configuration.terms_in_force import read_provider_terms, terms_of_provider
from fairlead.flows.money.bad_leads import list_open_reports
from fairlead.flows.money.ledger_reading import read_provider_ledger
from fairlead.flows.payments.auto_top_up import SeenAutoTopUp, read_auto_top_up
from fairlead.flows.reporting.provider_activity import one_provider_activity
from fairlead.flows.reporting.reports import AskedDays
from fairlead.store.connection import Database
from fairlead.store.keyset import KeysetPage
from fairlead.store.leads.rows import clock
from fairlead.store.money.bad_leads import OpenReport, ReportFilter
from fairlead.store.money.ledger_pages import LedgerEntryInFull, LedgerFilter
from fairlead.store.money.spending_pace import spending_paces
from fairlead.store.notifications.delivery_pages import DeliveryFilter, delivery_page
from fairlead.store.notifications.endpoint_pages import WatchedEndpoint, endpoint_page
from fairlead.store.notifications.lists import ListedNotification

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_FEW, _MOST_USERS = 6, 50


@dataclass(frozen=True, slots=True)
class _Deliveries:
    """How its leads reach it."""

    endpoints: tuple[WatchedEndpoint, ...]
    latest: tuple[ListedNotification, ...]


@router.get("/providers/{provider_id}")
def show_provider(
    provider_id: Annotated[Uuid, Path()],
    reader: Annotated[Principal, needs(Permission.PROVIDERS_READ, REPORTS_OF_CALLER)],
    page: PageOfRequest,
    database: MarketplaceDatabase,
) -> Response:
    """Balance and pace, subscriptions with what each got, why it is passed over, money, reports, deliveries, users."""
    seen = read_provider(database, provider_id)
    activity = one_provider_activity(database, provider_id, AskedDays(timezone=page.viewer.zone_name))
    lately = database.read(lambda conn: spending_paces(conn, [provider_id], clock(conn)))[provider_id]
    lines = subscription_lines(database, provider_id, activity)
    groups = read_conflict_groups(database)
    notes = provider_notes(database, provider_id, limit=_FEW)
    return page.render(
        "operator/provider.html",
        reader,
        provider=seen.row,
        version=seen.version,
        conflict_groups=groups,
        conflict_group=next((each for each in groups if each.row.group_id == seen.row.conflict_group_id), None),
        credit_limit=entered_amount(seen.row.balance.credit_limit_cents, activity.currency).text,
        low_balance=entered_amount(seen.row.low_balance_threshold_cents, activity.currency).text,
        may_see_portal=all(each in reader.permissions for each in SEEING),
        currency=activity.currency,
        digits=get_currency_precision(activity.currency),
        activity=activity,
        pace=pace_of(lately.days_left(seen.row.balance.available_cents), activity.days, activity.by_day),
        lately=lately,
        lines=lines,
        terms=shown_terms(read_provider_terms(database, provider_id), activity.currency, page.viewer),
        terms_of={
            id: (each, limit_lines(each, activity.currency, page.viewer))
            for id, each in terms_of_provider(database, provider_id).items()
        },
        local_text=local_text,
        active_count=sum(each.is_active for each in lines),
        levels=levels_to_join(database, lines),
        passed_over=_passed_over(lines),
        notes=notes,
        ledger=_ledger(database, reader, provider_id),
        reports=_reports(database, reader, provider_id),
        reason_words=words_for_operators(read_report_rules(database).rules),
        message_words=message_words,
        deliveries=_deliveries(database, reader, provider_id),
        top_up=_top_up(database, reader, provider_id),
        off_reason_word=reason_word,
        users=_users(database, reader, provider_id),
    )


def _passed_over(lines: list[SubscriptionLine]) -> bool:
    return any(each.passed_over for each in lines)


def _ledger(database: Database, reader: Principal, provider_id: str) -> KeysetPage[LedgerEntryInFull, int] | None:
    if Permission.MONEY_READ not in reader.permissions:
        return None
    return read_provider_ledger(database, provider_id, LedgerFilter(), None, _FEW)[0]


def _reports(database: Database, reader: Principal, provider_id: str) -> list[OpenReport] | None:
    if Permission.MONEY_READ not in reader.permissions:
        return None
    return list_open_reports(database, None, _FEW, ReportFilter(provider_id))


def _deliveries(database: Database, reader: Principal, provider_id: str) -> _Deliveries | None:
    if Permission.NOTIFICATIONS_READ not in reader.permissions:
        return None
    wanted = DeliveryFilter(provider_id=provider_id)
    endpoints = database.read(lambda conn: endpoint_page(conn, None, provider_id, None, _FEW))
    latest = database.read(lambda conn: delivery_page(conn, wanted, None, _FEW))
    return _Deliveries(endpoints.items, latest.items)


def _top_up(database: Database, reader: Principal, provider_id: str) -> SeenAutoTopUp | None:
    if Permission.MONEY_READ not in reader.permissions:
        return None
    return read_auto_top_up(database, provider_id)


def _users(database: Database, reader: Principal, provider_id: str) -> list[ListedUser] | None:
    if Permission.USERS_READ not in reader.permissions:
        return None
    return page_of_users(database, UserSearch(provider_id=provider_id), None, _MOST_USERS)
