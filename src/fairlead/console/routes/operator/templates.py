"""What messages look like: the template of each kind, seen with sample values while it is changed, and its versions."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from fairlead.api.access import needs
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.routes.admin.operations import templates
from fairlead.api.schemas.mail_language import MailLanguage
from fairlead.console.operator.filtered import address_with
from fairlead.console.operator.jobs_in_words import message_words
from fairlead.console.page import PageOfRequest, PageRoute
from fairlead.core.permissions import Permission
from fairlead.delivery.templates import MAX_SUBJECT_CHARACTERS, languages_of
from fairlead.flows.access.principal import Principal
from fairlead.flows.notifications.templates import OPENS_ACCOUNTS

router = APIRouter(route_class=PageRoute, include_in_schema=False)

Reader = Annotated[Principal, needs(Permission.NOTIFICATIONS_READ)]


@router.get("/settings/templates")
def show_templates(reader: Reader, page: PageOfRequest, database: MarketplaceDatabase) -> Response:
    """Every kind of message in each language, and whether its template is the one that comes with this release."""
    found = templates.list_message_templates(reader, database).items
    return page.render(
        "operator/templates.html", reader, templates=[(each, message_words(each.kind)) for each in found]
    )


@router.get("/settings/templates/{kind}")
def show_template(
    kind: Annotated[str, Path(max_length=64)],
    response: Response,
    reader: Reader,
    page: PageOfRequest,
    database: MarketplaceDatabase,
    language: MailLanguage = "en",
) -> Response:
    """One template in a language: its parts with a preview, the names that it may use, and its versions."""
    used = templates.show_message_template(kind, response, reader, database, language)
    may_write = Permission.NOTIFICATIONS_WRITE in reader.permissions
    return page.render(
        "operator/template.html",
        reader,
        used=used,
        words=message_words(kind),
        version=response.headers["ETag"],
        versions=templates.list_template_versions(kind, reader, database, language).items,
        written_in=[(each, address_with(f"/settings/templates/{kind}", language=each)) for each in languages_of(kind)],
        opens_accounts=kind in OPENS_ACCOUNTS,
        may_write=may_write and (kind not in OPENS_ACCOUNTS or Permission.USERS_WRITE in reader.permissions),
        most_characters=MAX_SUBJECT_CHARACTERS,
    )
