"""How often one caller may ask for what costs the database or others much, whichever process it asks."""

from fairlead.flows.access.throttle import Limit, network_of, take
from fairlead.store.audit.log import Actor
from fairlead.store.connection import Database

EXPORTS_OF_CALLER = Limit("exports_of_caller", 10, 60)
EXPORTS_OF_PROVIDER = Limit("exports_of_provider", 10, 60)
REPORTS_OF_CALLER = Limit("reports_of_caller", 60, 2)
PREVIEWS_OF_CALLER = Limit("previews_of_caller", 60, 1)
PREVIEWS_OF_PROVIDER = Limit("previews_of_provider", 60, 2)
TRIALS_OF_PROVIDER = Limit("trials_of_provider", 10, 30)
OVERVIEWS_OF_CALLER = Limit("overviews_of_caller", 60, 1)
CHECKOUTS_OF_PROVIDER = Limit("checkouts_of_provider", 10, 30)


def count_read(database: Database, limit: Limit, actor: Actor) -> None:
    """One more is let through for this person or key. Raises `Throttled` when there were too many."""
    database.run(lambda conn: take(conn, limit, actor.name))


def count_own_read(database: Database, limit: Limit, provider_id: str) -> None:
    """One more is let through for this provider, by whichever of its people and keys: it makes keys as it likes.

    Raises `Throttled` when there were too many.
    """
    database.run(lambda conn: take(conn, limit, provider_id))


def count_from_network(database: Database, limit: Limit, ip: str) -> None:
    """One more is let through from this network, whatever comes of it. Raises `Throttled` when there were too many."""
    database.run(lambda conn: take(conn, limit, network_of(ip)))
