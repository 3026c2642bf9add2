"""The link by which a user sets its password: made when the message is written, so that no row ever holds it."""

from collections.abc import Mapping
from datetime import datetime

from fairlead.flows.access.one_time import LASTS, Purpose, issue_token
from fairlead.flows.notifications.message import Links, OneTimeLink
from fairlead.store.access.user_notices import user_of_notice
from fairlead.store.connection import Connection
from fairlead.store.notifications.rows import ClaimedNotification

_PURPOSE: Mapping[str, Purpose] = {"user_invited": "invite", "password_reset": "password_reset"}


def one_time_link(conn: Connection, claimed: ClaimedNotification, public_url: str | None, now: datetime) -> Links | str:
    """A new link, good for as long as what was asked for is; or why there is none, and the message will not be sent.

    Every attempt to send has a link of its own, and all of them are void once one was used: whichever message arrives
    is good.
    """
    purpose = _PURPOSE[claimed.kind]
    user = user_of_notice(conn, claimed.notification_id)
    assert user is not None, "the constraint says so"
    if public_url is None:
        return "no address of the site is set (FAIRLEAD_PUBLIC_URL)"
    if purpose == "invite" and user.status != "invited":
        return "the user is not waiting to be let in any more"
    if purpose == "password_reset" and user.status != "active":
        return "the user cannot log in"
    if claimed.created_at + LASTS[purpose] <= now:
        return "it was not sent in time: it has to be asked for again"
    token = issue_token(conn, user.user_id, purpose, now, claimed.created_at)
    return Links(one_time=OneTimeLink(token.link(public_url), token.expires_at))
