"""What the embedded server says when it cannot do what was asked."""

from fairlead.core.errors import Unavailable


class EmbeddedPostgresError(Unavailable):
    """The embedded server cannot be used as things are; the message says what to do about it."""


NEEDS_UNIX = "the embedded PostgreSQL needs Linux or macOS; elsewhere set FAIRLEAD_DATABASE_URL to a PostgreSQL server"
