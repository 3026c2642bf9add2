"""The link to the page of a file that is ready: it says nothing of what is in it, and needs its reader to log in."""

from datetime import datetime

from fairlead.flows.notifications.message import Links, OneTimeLink
from fairlead.store.connection import Connection
from fairlead.store.exports.requests import export_row
from fairlead.store.notifications.facts import message_facts
from fairlead.store.notifications.rows import ClaimedNotification


def export_link(conn: Connection, claimed: ClaimedNotification, public_url: str | None, now: datetime) -> Links | str:
    """The address of the export's page, and when its file is deleted; or why the message will not be sent."""
    if public_url is None:
        return "no address of the site is set (FAIRLEAD_PUBLIC_URL)"
    export_id = str(message_facts(conn, [claimed.notification_id])[claimed.notification_id].detail["export_id"])
    row = export_row(conn, export_id)
    if row is None or row.state != "ready" or row.expires_at is None or row.expires_at <= now:
        return "the file is not there any more"
    return Links(one_time=OneTimeLink(f"{public_url}/exports/{export_id}", row.expires_at))
