"""The demo's console: on a port of this machine, and opened in the browser by a link that logs in once."""

import webbrowser
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace

from pydantic import SecretStr

from fairlead.api.serve import serve_in_thread
from fairlead.cli.demo.history import NO_EMAIL_LEAVES
from fairlead.cli.output import say
from fairlead.console.application import console_application
from fairlead.console.demo import SeatName, offer_seats
from fairlead.delivery.email import Email
from fairlead.delivery.outcome import Delivery, Sent
from fairlead.delivery.secret_box import new_secret_key, secret_box
from fairlead.flows.access.demo_seats import DemoSeat, seat_demo_operator, seat_demo_provider
from fairlead.flows.access.encryption_keys import with_encryption_keys
from fairlead.flows.intake.policy import change_intake_policy, read_intake_policy
from fairlead.settings import load_settings
from fairlead.store.audit.log import Actor
from fairlead.store.connection import Database
from fairlead.store.lookups import provider_id_of
from fairlead.worker import working_beside

FORM_OF = "vps-hosting"
CONNECTIONS = 24
"""For pages, for what a worker does beside them, and for the leads that stream in."""


class NoMail:
    """A way out for emails by which none leaves: each counts as sent, with an answer that says so."""

    def session(self) -> AbstractContextManager["NoMail"]:
        """Itself: there is no connection to keep."""
        return nullcontext(self)

    def send(self, email: Email) -> Delivery:
        """Sent, though not."""
        return Sent(NO_EMAIL_LEAVES)


@contextmanager
def demo_console(database: Database, provider_email: str, actor: Actor, *, open_browser: bool) -> Generator[str]:
    """The console answers for as long as the block runs, and what its pages ask of workers is done; yields its address.

    Where there are no keys, secrets of the demo's users are sealed with one of this run; the next sets them up anew.
    """
    settings = with_encryption_keys(database, load_settings())
    keys = settings.encryption_keys or SecretStr(new_secret_key())
    settings = settings.model_copy(update={"cookie_over_http": True, "encryption_keys": keys})
    _open_form(database, actor)
    provider_id = database.read(lambda conn: provider_id_of(conn, provider_email))
    seats: dict[SeatName, DemoSeat] = {
        "operator": seat_demo_operator(database, secret_box(settings), actor),
        "provider": seat_demo_provider(database, provider_id, provider_email, actor),
    }
    application = console_application(database, settings)
    path = offer_seats(application, seats, f"/forms/{FORM_OF}")
    with serve_in_thread(application, "127.0.0.1", 0) as served, working_beside(database, settings, NoMail()):
        address = f"http://127.0.0.1:{served.port}"
        say(f"The console is at {address}. This link logs you in, once:", "bold")
        say(f"  {address}{path}")
        if open_browser:
            webbrowser.open(address + path)
        yield address


def _open_form(database: Database, actor: Actor) -> None:
    """The public may fill in one niche's form."""
    seen = read_intake_policy(database, FORM_OF)
    if not seen.policy.is_public:
        change_intake_policy(database, FORM_OF, replace(seen.policy, is_public=True), actor)
