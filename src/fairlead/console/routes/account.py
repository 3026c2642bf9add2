"""A user's own account: password, second factor, and the sessions that are open."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Response

from fairlead.api.access import OpenedSession, needs_session
from fairlead.api.resources import MarketplaceDatabase
from fairlead.console.page import PageOfRequest, PageRoute
from fairlead.core.permissions import Role
from fairlead.flows.access.own_language import read_own_language
from fairlead.flows.access.principal import require_open
from fairlead.flows.access.sessions import ListedSession, list_sessions

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


@dataclass(frozen=True, slots=True)
class OwnSessionRow:
    """A session as the list shows it; `device` is "" where the browser did not say what it is."""

    session_id: str
    device: str
    user_agent: str
    ip: str
    created_at: datetime
    last_seen_at: datetime
    is_current: bool
    is_finished: bool


@router.get("/account")
def show_account(
    page: PageOfRequest,
    opened: Annotated[OpenedSession, needs_session("what users do to their own session")],
    database: MarketplaceDatabase,
) -> Response:
    """The user's password, second factor and sessions."""
    principal = opened.principal
    require_open(principal)
    assert principal.user_id is not None, "a session is a user's"
    sessions = list_sessions(database, principal.user_id, principal.session_id)
    is_provider = principal.actor.role == Role.PROVIDER
    return page.render(
        "account.html",
        principal,
        layout="portal.html" if is_provider else "operator.html",
        sessions=_rows(sessions),
        # A user who has one cannot open a session without it, and setting one up ends all other sessions.
        language=read_own_language(database, principal.user_id),
        has_second_factor=principal.is_second_factor_done,
        confirmed_until=principal.stepped_up_until if principal.is_stepped_up else None,
    )


def _rows(sessions: Sequence[ListedSession]) -> list[OwnSessionRow]:
    return [
        OwnSessionRow(
            each.session_id,
            device_of(each.user_agent or ""),
            each.user_agent or "",
            each.ip or "",
            each.created_at,
            each.last_seen_at,
            each.is_current,
            each.state == "full",
        )
        for each in sessions
    ]


def device_of(user_agent: str) -> str:
    """Browser and system, as far as the browser tells them.

    >>> device_of("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36")
    'Chrome, Linux'
    >>> device_of("curl/8.5")
    ''
    """
    browser = next((name for sign, name in _BROWSERS if re.search(rf"\b{sign}\w*/", user_agent)), "")
    system = next((name for sign, name in _SYSTEMS if sign in user_agent), "")
    return ", ".join(part for part in (browser, system) if part)
