"""What users open before they can log in: an invitation, a lost password, registering. The API decides about each."""

from fastapi import APIRouter, Response

from fairlead.api.access import public
from fairlead.console.page import PageOfRequest, PageRoute
from fairlead.console.texts import noted

router = APIRouter(
    route_class=PageRoute, include_in_schema=False, dependencies=[public("these users cannot log in yet")]
)


@router.get("/accept-invite")
def show_invitation(page: PageOfRequest) -> Response:
    """Where the link of an invitation leads. Its token stands behind the `#`, so that no server sees it."""
    return page.render(
        "one-time-link.html",
        api_path="/api/v1/accounts/accept-invitation",
        title=noted("Welcome"),
        text=noted("Set the password that you will log in with."),
        remedy=noted("The link is good for seven days. After that, ask the person who invited you for another."),
        remedy_address="",
        remedy_name="",
    )


@router.get("/reset-password")
def show_password_reset(page: PageOfRequest) -> Response:
    """Where the link for a lost password leads, as that of an invitation."""
    return page.render(
        "one-time-link.html",
        api_path="/api/v1/accounts/reset-password",
        title=noted("Set a new password"),
        text=noted("It replaces the one you had, and all of your sessions end."),
        remedy=noted("The link is good for one hour, once."),
        remedy_address="/forgot-password",
        remedy_name=noted("Send another"),
    )


@router.get("/forgot-password")
def show_forgotten_password(page: PageOfRequest) -> Response:
    """Asking for a link that sets a new password."""
    return page.render("forgot-password.html")


@router.get("/register")
def show_registration(page: PageOfRequest) -> Response:
    """A provider registers; operators approve it."""
    return page.render("register.html")
