"""Who may do what here, which programs may, what holds for the marketplace, and taking its data out."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Response

from fairlead.api.access import needs
from fairlead.api.resources import MarketplaceDatabase, ServerSettings
from fairlead.api.routes.admin.access import keys, users
from fairlead.api.routes.admin.operations import settings
from fairlead.api.schemas.pagination import ByCursor
from fairlead.api.schemas.values import Uuid
from fairlead.console.addresses import TypedText
from fairlead.console.entered_amount import entered_amount, entered_percent
from fairlead.console.operator.exports import offered_kinds
from fairlead.console.operator.filtered import address_with
from fairlead.console.operator.health import health_of
from fairlead.console.page import PageOfRequest, PageRoute
from fairlead.console.report_categories import words_for_operators
from fairlead.core.permissions import KEY_SCOPES, Permission, Role
from fairlead.flows.access.principal import Principal
from fairlead.flows.configuration.logo import read_logo
from fairlead.flows.configuration.marketplace import read_marketplace
from fairlead.flows.configuration.provider_list import list_providers
from fairlead.flows.configuration.reading import read_provider
from fairlead.flows.configuration.report_rules import read_report_rules
from fairlead.store.configuration.pages import ProviderSearch

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_FEW = 6


@router.get("/settings")
def show_settings(
    reader: Annotated[Principal, needs(Permission.SETTINGS_READ)],
    page: PageOfRequest,
    database: MarketplaceDatabase,
    server: ServerSettings,
) -> Response:
    """The marketplace, what can be exported, and what the server was started with."""
    effective = settings.show_settings(reader, server)
    may_export = Permission.EXPORTS_WRITE in reader.permissions
    marketplace = read_marketplace(database)
    report_rules = read_report_rules(database)
    words = words_for_operators(report_rules.rules)
    return page.render(
        "operator/settings.html",
        reader,
        marketplace=marketplace,
        smallest=entered_amount(marketplace.min_deposit_cents, marketplace.currency),
        largest=entered_amount(marketplace.max_deposit_cents, marketplace.currency),
        tax_rate=entered_percent(marketplace.tax_rate_basis_points),
        logo=read_logo(database),
        reports=report_rules,
        categories=[(each, words[each.key]) for each in report_rules.rules.categories],
        health=health_of(database, reader, server.heartbeat_timeout_seconds),
        mail_transport=effective.mail_transport,
        effective=sorted(effective.model_dump().items()),
        exports=offered_kinds(reader.permissions, reports=False) if may_export else [],
    )


@router.get("/settings/people")
def show_people(
    reader: Annotated[Principal, needs(Permission.USERS_READ)],
    page: PageOfRequest,
    database: MarketplaceDatabase,
    wanted: ByCursor,
    role: Literal["admin", "provider"] | None = None,
) -> Response:
    """Who can log in, and what may be done about it."""
    found = users.list_users(wanted, reader, database, role)
    path = "/settings/people"
    return page.render(
        "operator/people.html",
        reader,
        people=found.items,
        own_id=reader.user_id,
        role=role or "",
        roles=[(each, address_with(path, role=each)) for each in ("", "admin", "provider")],
        next_address=found.next_cursor and address_with(path, role=role, cursor=found.next_cursor),
    )


@router.get("/settings/people/{user_id}")
def show_person(
    user_id: Annotated[Uuid, Path()],
    reader: Annotated[Principal, needs(Permission.USERS_READ)],
    page: PageOfRequest,
    database: MarketplaceDatabase,
    q: TypedText = None,
) -> Response:
    """One user: its role, and what may be done about its access. `q` finds providers whose user it could be."""
    person = users.show_user(user_id, reader, database)
    found = [] if q is None else list_providers(database, ProviderSearch(None, q), None, _FEW)
    provider_name = "" if person.provider_id is None else read_provider(database, person.provider_id).row.name
    return page.render(
        "operator/person.html",
        reader,
        person=person,
        provider_name=provider_name,
        is_self=person.user_id == reader.user_id,
        q=q,
        found=[each.provider for each in found],
    )


@router.get("/settings/keys")
def show_keys(
    reader: Annotated[Principal, needs(Permission.KEYS_READ)],
    page: PageOfRequest,
    database: MarketplaceDatabase,
    wanted: ByCursor,
) -> Response:
    """Which programs may do what; a new key is shown once."""
    found = keys.list_keys(wanted, reader, database)
    return page.render(
        "operator/keys.html",
        reader,
        keys=found.items,
        own_id=reader.user_id,
        scopes=sorted(each.value for each in KEY_SCOPES[Role.ADMIN]),
        next_address=found.next_cursor and address_with("/settings/keys", cursor=found.next_cursor),
    )
