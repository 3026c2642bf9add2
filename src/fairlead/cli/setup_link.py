"""The way in for the first operator, shown where the server was started and nowhere else."""

from fairlead.cli.output import console, say, say_aside
from fairlead.flows.access.first_operator import is_set_up, make_setup_link
from fairlead.settings import Settings, local_url
from fairlead.store.connection import Database


def show_setup_link(database: Database, settings: Settings, port: int) -> None:
    """While there is no operator: a new link on the terminal, and the one of an earlier start is over.

    Where standard output is no terminal it may be kept by a log: then there is no link in it, and how to get one is
    said instead. Without keys that encrypt there is none, because its operator could set up no second factor: how to
    set them is said instead.
    """
    if settings.encryption_keys is None:
        say_aside(
            "no set-up link: a second factor needs FAIRLEAD_ENCRYPTION_KEYS, the base64 of 32 random bytes (openssl "
            "rand -base64 32), the same for every process of this marketplace"
        )
        return
    if not console.is_terminal:
        if not is_set_up(database):
            say_aside(
                "this marketplace has no operator yet: "
                "fairlead admin setup-link makes a link that lets the first one in"
            )
        return
    link = make_setup_link(database)
    if link is None:
        return
    site_url = settings.public_url or local_url(settings.http_host, port)
    say("")
    say("This marketplace has no operator yet. Open this link to become the first one:", "bold")
    say(f"  {link.address(site_url)}")
    say(f"It is good once, until {link.expires_at:%Y-%m-%d %H:%M} UTC. A new start makes another one.")
    say("")
